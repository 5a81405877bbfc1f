"""Values for the tests of the pure core: an issue, its journals, people."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from daemon.clients.values import Issue, Journal, JournalDetail, Ref
from daemon.values import Change, Concerned, Member, Person

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

ANN, BOB, CARL, DORA, EVE = (Ref(n, name) for n, name in enumerate(("Ann", "Боб", "Carl", "Dora", "Eve"), 5))
SUPPORT = Ref(20, "Support team")

NAMES = {
    ("status", 1): "New",
    ("status", 2): "In Progress",
    ("status", 5): "Closed",
    ("tracker", 1): "Bug",
    ("tracker", 2): "Feature",
    ("project", 1): "Open project",
    ("project", 2): "Закрытый круг",
    ("priority", 2): "Normal",
    ("priority", 3): "High",
    ("principal", 5): "Ann",
    ("principal", 6): "Боб",
    ("principal", 20): "Support team",
    ("category", 1): "Printers",
    ("version", 4): "1.0",
    ("custom_field", 1): "Room",
    ("custom_field_format", 1): "string",
    ("custom_field", 2): "Owner",
    ("custom_field_format", 2): "user",
    ("custom_field", 3): "Fixed in",
    ("custom_field_format", 3): "version",
}


def at(seconds: float) -> datetime:
    """Return a moment so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def issue(issue_id: int = 7, **columns: Any) -> Issue:
    """Return an issue of Ann's in the open project, as an administrator reads it whole."""
    made = Issue(
        id=issue_id,
        subject="Printer is on fire",
        description="",
        project=Ref(1, "Open project"),
        tracker=Ref(1, "Bug"),
        status=Ref(1, "New"),
        priority=Ref(2, "Normal"),
        author=ANN,
        assigned_to=None,
        category=None,
        fixed_version=None,
        parent_id=None,
        is_private=False,
        start_date=None,
        due_date=None,
        done_ratio=0,
        estimated_hours=None,
        created_on=NOON,
        updated_on=NOON,
        closed_on=None,
        custom_fields=(),
        journals=(),
        attachments=(),
        relations=(),
        watchers=(),
        allowed_statuses=None,
    )
    return replace(made, **columns)


def journal(
    journal_id: int,
    *details: JournalDetail,
    user: Ref = BOB,
    after_s: float = 60,
    notes: str = "",
    is_private: bool = False,
) -> Journal:
    """Return a journal that Bob wrote a minute after noon."""
    return Journal(journal_id, user, at(after_s), notes, is_private, details)


def attr(name: str, old: str | None, new: str | None) -> JournalDetail:
    """Return a change of one of an issue's own fields."""
    return JournalDetail("attr", name, old, new)


def field(number: int | str, old: str | None, new: str | None) -> JournalDetail:
    """Return a change of a custom field."""
    return JournalDetail("cf", str(number), old, new)


def file(number: int, old: str | None, new: str | None) -> JournalDetail:
    """Return an attachment that came (`new`) or went (`old`)."""
    return JournalDetail("attachment", str(number), old, new)


def relation(kind: str, old: str | None, new: str | None) -> JournalDetail:
    """Return a relation to another issue that came (`new`) or went (`old`)."""
    return JournalDetail("relation", kind, old, new)


STATUS = attr("status_id", "1", "2")
PRIORITY = attr("priority_id", "2", "3")


def member(ref: Ref, login: str = "", language: str = "en", user_id: int = 0) -> Member:
    """Return somebody who can be told; our own id is the source's plus a hundred."""
    return Member(user_id or ref.id + 100, ref.id, login or ref.name.lower(), language)


def change(**columns: Any) -> Change:
    """Return a change of the status by Bob."""
    made = Change(
        key="redmine:journal:1",
        type="status_change",
        item_id=7,
        at=NOON,
        actor=Person(BOB.id, BOB.name),
        concerned=Concerned(),
        subject="Printer is on fire",
        project=Person(1, "Open project"),
    )
    return replace(made, **columns)
