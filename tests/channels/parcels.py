"""What a channel is given to send, as tests need it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from daemon.channel import News, Parcel, Recipient, Surroundings
from daemon.values import FieldChange

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
TOKEN = "0123456789abcdef0123456789abcdef"
SURROUNDINGS = Surroundings("https://helpdesk.example.com", Path("/nowhere"))

ANN = Recipient(5, "Ann Manager", "ann@example.com", "en", "Europe/Berlin", TOKEN)
BORIS = Recipient(6, "Борис Петров", "boris@example.com", "ru", "Europe/Moscow", TOKEN[::-1])

NEWS = News(
    id=41,
    type="status_change",
    title="Issue status changed",
    message="Issue #7 was moved to status 'Closed'",
    thread="issue:7",
    created_at=NOON,
    issue_id=7,
    journal_id=11,
    subject="Printer is on fire",
    project="Open project",
    actor="Боб",
    reasons=("assignee", "watcher"),
    details=(FieldChange("status", "New", "Closed"), FieldChange("priority", None, "High")),
    notes="It burns.\n\nReally.",
    is_private_note=False,
    is_urgent=False,
)


def news(number: int = 41, **columns: Any) -> News:
    """Return a notification: the status of issue 7 was changed, by default; each a minute after the last."""
    return replace(NEWS, id=number, created_at=NOON + timedelta(minutes=number - 41), **columns)


def parcel(given: News = NEWS, to: Recipient = ANN, **columns: Any) -> Parcel:
    """Return its delivery to a person."""
    made = Parcel(given.id + 900, given, to, None, "receipt", 1, 3)
    return replace(made, **columns)
