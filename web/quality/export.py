"""The counted issues as CSV for spreadsheets, written while it is read."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from storage.quality import Counted
from web.language import gettext

BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet takes Cyrillic for the system's own code page
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
BATCH = 200


def header() -> list[str]:
    """Return the names of the columns, in the reader's language."""
    return [
        gettext("No."),
        gettext("Project"),
        gettext("Tracker"),
        gettext("Status"),
        gettext("Priority"),
        gettext("Subject"),
        gettext("Author"),
        gettext("Assignee"),
        gettext("Created"),
        gettext("Changed"),
        gettext("Closed on"),
        gettext("Due date"),
    ]


def lines(issues: Iterable[Counted], columns: list[str], zone: tzinfo) -> Iterator[str]:
    """Give the file in pieces."""
    yield BYTE_ORDER_MARK + _written([columns])
    batch: list[list[str]] = []
    for issue in issues:
        batch.append(_cells(issue, zone))
        if len(batch) == BATCH:
            yield _written(batch)
            batch = []
    yield _written(batch)


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def _cells(issue: Counted, zone: tzinfo) -> list[str]:
    texts = (
        issue.project_name,
        issue.tracker_name,
        issue.status_name,
        issue.priority_name,
        issue.subject,
        issue.author_name,
        issue.assigned_to_name,
    )
    closed_on = issue.closed_on if issue.is_closed else None
    moments = (issue.created_on, issue.updated_on, closed_on)
    due = issue.due_date.isoformat() if issue.due_date else ""
    return [str(issue.id), *map(harmless, texts), *(_moment(m, zone) for m in moments), due]


def _moment(moment: datetime | None, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def _written(rows: Iterable[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
