"""How a notification reached its reader: which channel and device got it when, or why not."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, jsonify
from sqlalchemy.orm import Session

from storage import inbox, notifications, readers, subscriptions
from storage.models import Delivery, Notification
from storage.mutes import PASSING
from storage.preferences import IMPORTANT, Preferences
from web.answers import iso
from web.contract import documented
from web.inbox.answers import DeliveriesAnswer
from web.inbox.asked import LARGEST_ID
from web.language import gettext
from web.people import Person, person
from web.policy import Policy, allow
from web.users.devices import name_of
from web.viewer import viewer

bp = Blueprint("inbox_deliveries", __name__)

CHANNELS = ("webpush", "email")


@dataclass(frozen=True, slots=True)
class _Reader:
    """What decides about the ways to the reader of a notification."""

    email: str
    has_push: bool
    preferences: Preferences
    is_muted: bool
    has_device: bool


@bp.get("/api/notifications/<int:notification_id>/deliveries")
@allow(Policy.SIGNED_IN)
@documented(DeliveriesAnswer, 401, 404, 503, tags=["notifications"])  # type: ignore[untyped-decorator]
def deliveries_json(notification_id: int) -> Response:
    """Say how one of the asker's notifications was delivered."""
    return jsonify(of_notification(person(), notification_id))


def of_notification(who: Person, notification_id: int) -> dict[str, Any]:
    """Return its deliveries, and why there is none by a channel. 404 where it is not theirs."""
    with viewer().database.read() as session:
        row = notifications.find(session, who.id, min(notification_id, LARGEST_ID))
        if row is None:
            abort(404)
        found = inbox.deliveries_of(session, row.id)
        reader = _reader(session, who, row)
    used = {delivery.channel for delivery in found}
    return {
        "deliveries": [_shown(delivery) for delivery in found],
        "ways": [
            {"channel": channel, "why_not": _why_not(channel, row, reader)}
            for channel in CHANNELS
            if channel not in used
        ],
    }


def _reader(session: Session, who: Person, row: Notification) -> _Reader:
    known = readers.readers(session, [who.id])[who.id]
    return _Reader(
        email=known.email,
        has_push=known.has_push,
        preferences=known.preferences,
        is_muted=row.issue_id in known.muted,
        has_device=bool(subscriptions.of_user(session, who.id)),
    )


def _shown(delivery: Delivery) -> dict[str, Any]:
    return {
        "channel": delivery.channel,
        "device": _device(delivery),
        "state": delivery.state,
        "text": _text(delivery),
        "attempts": delivery.attempts,
        "at": iso(delivery.finished_at) if delivery.finished_at else None,
        "next_attempt_at": iso(delivery.next_attempt_at) if delivery.state in {"due", "claimed"} else None,
        "received_at": iso(delivery.received_at) if delivery.received_at else None,
        "error": delivery.error,
    }


def _device(delivery: Delivery) -> str:
    return name_of(delivery.device_name) if delivery.channel == "webpush" else delivery.device_name


def _text(delivery: Delivery) -> str:
    """Say in words how it stands."""
    if delivery.received_at is not None:
        return gettext("Shown by the device")
    texts = {
        "due": gettext("Waits to be tried again") if delivery.attempts else gettext("Waits to be sent"),
        "claimed": gettext("On its way"),
        "sent": gettext("Accepted by the push service")
        if delivery.channel == "webpush"
        else gettext("Accepted by the mail server"),
        "failed": gettext("Could not be delivered"),
        "skipped": gettext("Not sent"),
        "expired": gettext("Too late to be sent"),
    }
    return texts.get(delivery.state, delivery.state)


def _why_not(channel: str, row: Notification, reader: _Reader) -> str:
    """Say why nothing was sent by a channel, as far as the present preferences tell."""
    level = reader.preferences.projects.get(row.project_id or 0, "all")
    if reader.is_muted and row.type not in PASSING:
        return gettext("You muted this issue.")
    if level == "none" or (level == "important" and row.type not in IMPORTANT):
        return gettext("You asked to hear less of this project.")
    reasons = _why_no_push(reader) if channel == "webpush" else _why_no_mail(reader)
    if reasons:
        return reasons
    if not reader.preferences.wants(row.type, channel):
        return gettext("You do not want this type this way.")
    return gettext("It was not set up when this came.")


def _why_no_push(reader: _Reader) -> str:
    if not reader.has_push:
        return gettext("Browser notifications are switched off in your profile.")
    return "" if reader.has_device else gettext("No browser of yours is subscribed.")


def _why_no_mail(reader: _Reader) -> str:
    if reader.preferences.mail.mode == "off":
        return gettext("Mails are switched off in your profile.")
    return "" if reader.email else gettext("Your profile has no mail address.")
