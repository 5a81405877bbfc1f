"""Claimed deliveries as they stand now: the notification, its reader and the device, read anew."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from daemon.channel import Device, News, Parcel, Recipient
from daemon.dispatch_values import TEST, Due
from daemon.values import FieldChange, Member, Told
from storage import deliveries, notifications, readers
from storage.models import Delivery, Notification, PushSubscription, User
from storage.preferences import Reader
from storage.snapshots import chunks

DELETED = "redmine:deleted:"  # nobody can be asked whether an issue that is gone may be seen
NO_DEVICE = "this browser is not subscribed any more"
OTHER_KEY = "subscribed for another key of ours: its page does so anew when it is opened"


def load(session: Session, ids: Sequence[int], public_keys: Mapping[str, str]) -> list[Due]:
    """Return these deliveries with what decides about them, oldest first; those without a user are absent.

    `public_keys` are those by which our channels are known: {channel: key}.
    """
    rows = deliveries.load(session, ids)
    user_ids = {notification.user_id for _, notification in rows}
    people = _people(session, user_ids)
    told = {
        number: reader
        for chunk in chunks(list(people.values()))
        for number, reader in readers.of_people(session, chunk).items()
    }
    unread = notifications.unread_counts(session, user_ids)
    browsers = _browsers(session, [delivery for delivery, _ in rows])
    found = []
    for delivery, notification in rows:
        user, browser = people.get(notification.user_id), browsers.get(delivery.device)
        if user is not None:
            parcel = _parcel(delivery, notification, user, browser, unread[user.id])
            obstacle = _obstacle(delivery, notification, user, browser, public_keys)
            found.append(_due(delivery, notification, told[user.id], parcel, obstacle, _member(user)))
    return found


def _people(session: Session, ids: set[int]) -> dict[int, User]:
    return {
        user.id: user
        for chunk in chunks(sorted(ids))
        for user in session.scalars(sa.select(User).where(User.id.in_(chunk)))
    }


def _browsers(session: Session, rows: Sequence[Delivery]) -> dict[str, PushSubscription]:
    ids = sorted({int(row.device) for row in rows if row.channel == "webpush" and row.device.isdecimal()})
    return {
        str(row.id): row
        for chunk in chunks(ids)
        for row in session.scalars(sa.select(PushSubscription).where(PushSubscription.id.in_(chunk)))
    }


def _obstacle(
    delivery: Delivery,
    notification: Notification,
    user: User,
    browser: PushSubscription | None,
    public_keys: Mapping[str, str],
) -> str:
    """Say why a delivery cannot be sent whenever it is tried, "" where it can."""
    if not user.is_active:
        return "the account is locked"
    if notification.withdrawn_at is not None:
        return "withdrawn: Redmine does not show it any more"
    if delivery.channel == "webpush" and (obstacle := _unreachable(browser, user, public_keys)):
        return obstacle
    if notification.type == TEST:
        return ""
    if notification.read_at is not None:
        return "read before it was sent"
    return "archived before it was sent" if notification.archived_at is not None else ""


def _unreachable(browser: PushSubscription | None, user: User, public_keys: Mapping[str, str]) -> str:
    # A browser may have changed hands: the next person at that desk is told nothing of this one's.
    if browser is None or browser.removed_at is not None or browser.user_id != user.id:
        return NO_DEVICE
    is_ours = browser.application_server_key in {"", public_keys.get("webpush", "")}
    return "" if is_ours else OTHER_KEY


def _due(
    delivery: Delivery,
    notification: Notification,
    reader: Reader,
    parcel: Parcel,
    obstacle: str,
    member: Member | None,
) -> Due:
    return Due(
        delivery_id=delivery.id,
        channel=delivery.channel,
        lane=delivery.lane,
        device=delivery.device,
        batch=delivery.batch,
        attempts=delivery.attempts,
        due_at=delivery.due_at,
        recorded_at=notification.recorded_at,
        wanted_by={name: getattr(notification, name) for name in _DECIDING},
        reader=reader,
        parcel=parcel,
        obstacle=obstacle,
        snoozed_until=notification.snoozed_until,
        verify=notification.verify_at_show,
        told=_told(notification),
        member=member,
    )


_DECIDING = ("type", "issue_id", "project_id", "is_urgent")


def _parcel(
    delivery: Delivery, row: Notification, user: User, browser: PushSubscription | None, unread: int
) -> Parcel:
    recipient = Recipient(
        user_id=user.id,
        name=user.full_name or user.username,
        email=user.email,
        language=user.language,
        time_zone=user.time_zone,
        mail_token=user.mail_token,
    )
    device = None
    if browser is not None:
        device = Device(browser.id, browser.endpoint, browser.p256dh, browser.auth)
    attempt = delivery.attempts + 1
    return Parcel(delivery.id, _news(row), recipient, device, delivery.receipt, attempt, unread)


def _news(row: Notification) -> News:
    return News(
        id=row.id,
        type=row.type,
        title=row.title,
        message=row.message,
        thread=row.thread,
        created_at=row.created_at,
        issue_id=row.issue_id,
        journal_id=row.journal_id,
        subject=row.subject,
        project=row.project_name,
        actor=row.actor_name,
        reasons=tuple(row.reasons),
        details=_details(row.details),
        notes=row.notes,
        is_private_note=row.is_private_note,
        is_urgent=row.is_urgent,
        surfaced_at=row.surfaced_at,
    )


def _told(row: Notification) -> Told | None:
    """Return what Redmine can be asked about."""
    if row.issue_id is None or row.change_key.startswith(DELETED):
        return None
    return Told(
        id=row.id,
        user_id=row.user_id,
        change_key=row.change_key,
        item_id=row.issue_id,
        journal_id=row.journal_id,
        notes=row.notes,
        reasons=tuple(row.reasons),
        details=_details(row.details),
        is_private_note=row.is_private_note,
    )


def _details(rows: Sequence[Mapping[str, Any]]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(row["field"], row["old"], row["new"], row["label"]) for row in rows)


def _member(user: User) -> Member | None:
    if user.id_redmine_user is None:
        return None
    return Member(user.id, user.id_redmine_user, user.redmine_login, user.language)
