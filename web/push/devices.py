"""The asker's browsers that are reached by push: shown, removed, tried out."""

import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, redirect
from werkzeug.wrappers import Response as BaseResponse

from storage import channels, deliveries, delivery_health, live, notifications, subscriptions, wakeup
from storage.columns import utc_now
from storage.models import Delivery, Notification, PushSubscription
from web.answers import iso, log
from web.contract import Done, documented
from web.language import gettext
from web.people import person, this_device
from web.policy import Policy, allow
from web.push.key import CHANNEL
from web.push.shapes import PushDevices, TestSent, TestState
from web.users.devices import name_of
from web.viewer import viewer

bp = Blueprint("push_devices", __name__)
LARGEST_ID = 2**31 - 1
TEST = "test"
TESTS_RATE = "20 per minute"


@bp.get("/api/push/devices")
@allow(Policy.SIGNED_IN)
@documented(PushDevices, 401, 503, tags=["push"])  # type: ignore[untyped-decorator]
def device_list() -> Response:
    """Return the browsers that the asker is reached in."""
    with viewer().database.read() as reading:
        found = subscriptions.of_user(reading, person().id)
    return jsonify({"devices": shown(found)})


@bp.delete("/api/push/devices/<int:device_id>")
@allow(Policy.SIGNED_IN)
@documented(Done, 400, 401, 404, 503, tags=["push"])  # type: ignore[untyped-decorator]
def remove(device_id: int) -> Response:
    """Send nothing to a browser any more, even when its page is opened again."""
    _remove(device_id)
    return jsonify({"success": True, "message": gettext("The device has been removed")})


@bp.post("/users/push-devices/<int:device_id>/remove")
@allow(Policy.SIGNED_IN)
def remove_by_form(device_id: int) -> BaseResponse:
    """Do the same for the page."""
    _remove(device_id)
    return redirect("/users/notifications?saved=removed#push", 303)


@bp.post("/api/push/devices/<int:device_id>/test")
@allow(Policy.SIGNED_IN)
@documented(TestSent, 400, 401, 404, 429, 503, tags=["push"])  # type: ignore[untyped-decorator]
def send_test(device_id: int) -> Response:
    """Put a message to this one browser into the outbox."""
    who = person()
    row = {
        "change_key": f"test:{secrets.token_urlsafe(12)}",
        "user_id": who.id,
        "type": TEST,
        "reasons": [],
        "title": gettext("Test notification"),
        "message": gettext("This is how news reach you in this browser."),
        # In nobody's inbox, and counted nowhere.
        **dict.fromkeys(("created_at", "read_at", "archived_at"), utc_now()),
    }
    with viewer().database.write() as writing:
        live.lock_order(writing)
        device = _own(subscriptions.find(writing, who.id, _id(device_id)))
        notifications.record(writing, [row])
        recorded = delivery_health.notification_id(writing, who.id, str(row["change_key"]))
        deliveries.record(writing, [_delivery(recorded, device)])
        delivery_id = delivery_health.delivery_id(writing, recorded)
    wakeup.send(viewer().database)
    log.info("push_test_recorded", user_id=who.id, delivery_id=delivery_id)
    message = gettext("The test is on its way")
    return jsonify({"success": True, "message": message, "delivery": delivery_id})


@bp.get("/api/push/tests/<int:delivery_id>")
@allow(Policy.SIGNED_IN)
@documented(TestState, 401, 404, 503, tags=["push"])  # type: ignore[untyped-decorator]
def test_state(delivery_id: int) -> Response:
    """Say what became of a test."""
    with viewer().database.read() as reading:
        row = reading.get(Delivery, _id(delivery_id)) or abort(404)
        about = reading.get(Notification, row.notification_id)
        if about is None or about.user_id != person().id or about.type != TEST:
            abort(404)
    return jsonify(
        {
            "delivery": row.id,
            "state": row.state,
            "attempts": row.attempts,
            "error": row.error,
            "received_at": _moment(row.received_at),
        }
    )


def shown(rows: Iterable[PushSubscription]) -> list[dict[str, Any]]:
    """Return browsers as pages and programs get them."""
    here = this_device()
    return [
        {
            "id": row.id,
            "name": name_of(row.user_agent),
            "service": urlsplit(row.endpoint).hostname or "",
            "is_this": bool(here) and row.sign_in == here,
            "created_at": iso(row.created_at),
            "seen_at": iso(row.seen_at),
            "last_success_at": _moment(row.last_success_at),
            "last_error_at": _moment(row.last_error_at),
            "last_error": row.last_error,
            "is_failing": channels.is_failing(row),
        }
        for row in rows
    ]


def _delivery(notification_id: int, device: PushSubscription) -> dict[str, Any]:
    return {
        "notification_id": notification_id,
        "channel": CHANNEL,
        "lane": f"{CHANNEL}:{urlsplit(device.endpoint).netloc}"[:255],
        "device": str(device.id),
        "device_name": device.user_agent[:255],
    }


def _remove(device_id: int) -> None:
    with viewer().database.write() as writing:
        device = _own(subscriptions.find(writing, person().id, _id(device_id)))
        subscriptions.remove(writing, device, utc_now())
    log.info("push_device_removed", user_id=person().id)


def _own(found: PushSubscription | None) -> PushSubscription:
    return found or abort(404)


def _id(given: int) -> int:
    return given if given <= LARGEST_ID else abort(404)


def _moment(at: Any) -> str | None:
    return iso(at) if at else None
