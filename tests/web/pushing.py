"""A viewer with Web Push switched on, and what browsers send to it."""

import base64
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from storage.models import ChannelState, Delivery, PushSubscription
from tests.web.house import House
from web.viewer import EXTENSION

PATH = "/tasks/api/push-subscribe"
PUBLIC_KEY = "B" + "k" * 86


def switch_on(house: House, public_key: str = PUBLIC_KEY) -> House:
    """Switch the channel on, as a daemon would that has a key pair."""
    settings = replace(house.viewer.settings, channels=frozenset({"webpush"}))
    house.app.extensions[EXTENSION] = replace(house.viewer, settings=settings)
    with house.database.write() as session:
        session.merge(ChannelState(name="webpush", public_key=public_key))
    return house


def browser_keys(*, is_url: bool = True) -> dict[str, str]:
    """Return fresh keys of a browser, in base64url or as the contract's page writes them."""
    point = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )
    encode = base64.urlsafe_b64encode if is_url else base64.b64encode
    shown = {"p256dh": encode(point).decode(), "auth": encode(bytes(range(16))).decode()}
    return {name: text.rstrip("=") if is_url else text for name, text in shown.items()}


def subscription(name: str = "one", *, is_url: bool = True, **more: Any) -> dict[str, Any]:
    """Return what a page posts."""
    endpoint = f"https://fcm.googleapis.com/fcm/send/{name}"
    return {"endpoint": endpoint, "keys": browser_keys(is_url=is_url), **more}


def subscriptions_of(house: House, user_id: int) -> list[PushSubscription]:
    """Read somebody's rows, removed ones too."""
    with house.database.read() as session:
        found = session.query(PushSubscription).filter_by(user_id=user_id)
        return list(found.order_by(PushSubscription.id))


def deliveries_of(house: House, notification_id: int) -> list[Delivery]:
    """Read what is in the outbox for a notification."""
    with house.database.read() as session:
        return list(session.query(Delivery).filter_by(notification_id=notification_id))
