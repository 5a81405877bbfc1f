"""Claimed deliveries as they stand now: the notification, its reader and the device, read anew."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from daemon.channel import Device, News, Parcel, Recipient
from daemon.dispatch_values import TEST, Due
from daemon.values import FieldChange, Member
from storage import deliveries, notifications, readers
from storage.models import PushSubscription, User
from storage.preferences import Reader
from storage.snapshots import chunks

NO_DEVICE = "this browser is not subscribed any more"
OUTDONE = "a newer one about the same was sent"
OTHER_KEY = "subscribed for another key of ours: its page does so anew when it is opened"


def load(session: Session, ids: Sequence[int], public_keys: Mapping[str, str]) -> list[Due]:
    """Return these deliveries with what decides about them, oldest first; those without a user are absent.

    `public_keys` are those by which our channels are known: {channel: key}.
    """
    rows = deliveries.load(session, ids)
    user_ids = {row.user_id for row in rows}
    people = _people(session, user_ids)
    told = {
        number: reader
        for chunk in chunks(list(people.values()))
        for number, reader in readers.of_people(session, chunk).items()
    }
    unread = notifications.unread_counts(session, user_ids)
    browsers = _browsers(session, rows)
    outdone = deliveries.outdone(session, [row.delivery_id for row in rows if row.channel == "webpush"])
    found = []
    for row in rows:
        user, browser = people.get(row.user_id), browsers.get(row.device)
        if user is not None:
            parcel = _parcel(row, user, browser, unread[user.id])
            obstacle = _obstacle(row, user, browser, public_keys)
            if not obstacle and row.delivery_id in outdone:
                obstacle = OUTDONE  # it would take the newer one's place, on the device and on its way there
            found.append(_due(row, told[user.id], parcel, obstacle, _member(user)))
    return found


def _people(session: Session, ids: set[int]) -> dict[int, User]:
    return {
        user.id: user
        for chunk in chunks(sorted(ids))
        for user in session.scalars(sa.select(User).where(User.id.in_(chunk)))
    }


def _browsers(session: Session, rows: Sequence[sa.Row[Any]]) -> dict[str, PushSubscription]:
    ids = sorted({int(row.device) for row in rows if row.channel == "webpush" and row.device.isdecimal()})
    return {
        str(row.id): row
        for chunk in chunks(ids)
        for row in session.scalars(sa.select(PushSubscription).where(PushSubscription.id.in_(chunk)))
    }


def _obstacle(
    row: sa.Row[Any],
    user: User,
    browser: PushSubscription | None,
    public_keys: Mapping[str, str],
) -> str:
    """Say why a delivery cannot be sent whenever it is tried, "" where it can."""
    if not user.is_active:
        return "the account is locked"
    if row.withdrawn_at is not None:
        return "withdrawn: Redmine does not show it any more"
    if row.channel == "webpush" and (obstacle := _unreachable(browser, user, public_keys)):
        return obstacle
    if row.type == TEST:
        return ""
    if row.read_at is not None:
        return "read before it was sent"
    return "archived before it was sent" if row.archived_at is not None else ""


def _unreachable(browser: PushSubscription | None, user: User, public_keys: Mapping[str, str]) -> str:
    # A browser may have changed hands: the next person at that desk is told nothing of this one's.
    if browser is None or browser.removed_at is not None or browser.user_id != user.id:
        return NO_DEVICE
    is_ours = browser.application_server_key in {"", public_keys.get("webpush", "")}
    return "" if is_ours else OTHER_KEY


def _due(row: sa.Row[Any], reader: Reader, parcel: Parcel, obstacle: str, member: Member | None) -> Due:
    return Due(
        delivery_id=row.delivery_id,
        channel=row.channel,
        lane=row.lane,
        device=row.device,
        batch=row.batch,
        attempts=row.attempts,
        due_at=row.due_at,
        recorded_at=row.recorded_at,
        wanted_by=_deciding(row),
        reader=reader,
        parcel=parcel,
        change_key=row.change_key,
        obstacle=obstacle,
        snoozed_until=row.snoozed_until,
        verify=row.verify_at_show,
        member=member,
    )


def _deciding(row: sa.Row[Any]) -> Mapping[str, Any]:
    columns = {"type": row.type, "issue_id": row.issue_id}
    return {**columns, "project_id": row.project_id, "is_urgent": row.is_urgent}


def _parcel(row: sa.Row[Any], user: User, browser: PushSubscription | None, unread: int) -> Parcel:
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
    return Parcel(row.delivery_id, _news(row), recipient, device, row.receipt, row.attempts + 1, unread)


def _news(row: sa.Row[Any]) -> News:
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


def _details(rows: Sequence[Mapping[str, Any]]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(row["field"], row["old"], row["new"], row["label"]) for row in rows)


def _member(user: User) -> Member | None:
    if user.id_redmine_user is None:
        return None
    return Member(user.id, user.id_redmine_user, user.redmine_login, user.language)
