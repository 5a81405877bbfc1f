"""Records notifications together with their deliveries: what is told, and by which ways and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from daemon import ways
from storage import deliveries, live, notifications, readers, reference, snapshots, subscriptions
from storage.models import Notification, PushSubscription
from storage.preferences import Reader

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outbox:
    """Which channels there are, and the names of the priorities that pass quiet hours."""

    channels: frozenset[str] = frozenset()
    urgent_priorities: frozenset[str] = frozenset()

    def record(self, session: Session, rows: Sequence[Row], now: datetime) -> int:
        """Insert notifications and, for those that are new, their deliveries; return how many are new."""
        if not rows:
            return 0
        live.lock_order(session)
        told = readers.readers(session, {row["user_id"] for row in rows})
        urgent = self._urgent(session, rows)
        addressed = [
            _for_reader(row, told[row["user_id"]], urgent, now) for row in rows if row["user_id"] in told
        ]
        newest_id = notifications.newest_id(session)
        count = notifications.record(session, addressed)
        if count and self.channels:
            # Nobody else inserts before we commit: what is above that id is ours.
            self._deliver(session, notifications.after(session, newest_id, count), told, now)
        return count

    def _urgent(self, session: Session, rows: Sequence[Row]) -> frozenset[int]:
        """Return the issues among these that are urgent."""
        urgent = reference.urgent_ids(session, self.urgent_priorities)
        stored = snapshots.load_issues(session, {row["issue_id"] for row in rows if row["issue_id"]})
        return frozenset(issue_id for issue_id, row in stored.items() if row["priority_id"] in urgent)

    def _deliver(
        self, session: Session, new: Sequence[Notification], told: Mapping[int, Reader], now: datetime
    ) -> None:
        browsers = subscriptions.of_users(session, told) if "webpush" in self.channels else {}
        rows: list[Row] = []
        for notification in new:
            reader = told[notification.user_id]
            columns = {name: getattr(notification, name) for name in _DECIDING}
            if "webpush" in self.channels and ways.is_wanted(columns, reader, "webpush"):
                due_at = ways.due_at(columns, reader, "webpush", now)
                rows.extend(
                    push(notification.id, browser, due_at) for browser in browsers.get(reader.user_id, ())
                )
            if "email" in self.channels and reader.email and ways.is_wanted(columns, reader, "email"):
                rows.append(mail(notification.id, reader, ways.due_at(columns, reader, "email", now)))
        deliveries.record(session, rows)


_DECIDING = ("type", "issue_id", "project_id", "is_urgent")


def push(notification_id: int, browser: PushSubscription, due_at: datetime) -> Row:
    """Return the delivery of a notification to a browser."""
    return {
        "notification_id": notification_id,
        "channel": "webpush",
        "lane": f"webpush:{urlsplit(browser.endpoint).netloc}"[:255],
        "device": str(browser.id),
        "device_name": browser.user_agent[:255],
        "batch": "",
        "next_attempt_at": due_at,
    }


def mail(notification_id: int, reader: Reader, due_at: datetime) -> Row:
    """Return the delivery of a notification by mail."""
    return {
        "notification_id": notification_id,
        "channel": "email",
        "lane": "email",
        "device": "",
        "device_name": reader.email,
        "batch": "digest" if reader.preferences.mail.mode == "digest" else "",
        "next_attempt_at": due_at,
    }


def _for_reader(row: Row, reader: Reader, urgent: frozenset[int], now: datetime) -> Row:
    """Add to a notification how its reader is told of it on an open page."""
    told = row | {"is_urgent": row["issue_id"] in urgent, "archived_at": None}
    if ways.is_muted(told, reader):
        told["archived_at"] = now
    return told | {"alerts": ways.alerts(told, reader, now)}
