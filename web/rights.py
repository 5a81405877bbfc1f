"""Asks Redmine again, as the reader, before a notification in doubt is shown.

The reconcile job marks notifications whose issue, note or reader's rights changed behind the poll's back
(`verify_at_show`). Such a row shows nothing until Redmine has confirmed it to its reader. What Redmine no
longer shows is withdrawn; while Redmine is away the row stays masked. Nothing is concluded from an answer
that may be anybody else's: a dead key, or one without admin rights, answers as if we acted as nobody.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from daemon.clients.errors import ImpersonationRefused, NotFound, SourceError, SourceRefused
from daemon.clients.values import Account, Issue, Journal
from storage import live, notifications, wakeup
from storage.columns import utc_now
from storage.models import Notification
from storage.session import Database
from web.people import Person

DEADLINE_S = 3.0
REST_S = 10.0
GUARDED = frozenset({"custom_field", "relation"})
log = structlog.get_logger(__name__)


class Reader(Protocol):
    """Redmine as one person sees it."""

    def account(self) -> Account: ...
    def visible_ids(self, ids: Sequence[int]) -> frozenset[int]: ...
    def issue(self, issue_id: int, include: Sequence[str] = ...) -> Issue: ...


class Redmine(Protocol):
    """Redmine, as anybody."""

    def acting_as(self, login: str) -> Reader: ...


@dataclass(slots=True)
class Verdicts:
    """What Redmine said about rows in doubt; ids in neither stay in doubt."""

    shown: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    amended: dict[int, dict[str, Any]] = field(default_factory=dict)


class Rights:
    """Checks a reader's rows in one go, within a few seconds whatever Redmine does."""

    def __init__(
        self, database: Database, redmine: Redmine | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._redmine = redmine
        self._clock = clock
        self._asking = threading.Lock()
        self._rest_until = float("-inf")

    def verify(self, who: Person, rows: Iterable[Notification]) -> bool:
        """Check those in doubt and store what came of it; True where something was stored."""
        doubtful = [row for row in rows if row.verify_at_show]
        if not doubtful or self._redmine is None or who.id_redmine_user is None or not who.redmine_login:
            return False
        if self._clock() < self._rest_until:
            return False  # Redmine was away a moment ago: nobody waits for it again
        verdicts = Verdicts()
        try:
            self._ask(self._redmine.acting_as(who.redmine_login), who, doubtful, verdicts)
        except (ImpersonationRefused, ValueError) as e:  # this reader's account, not Redmine
            log.warning("rights_not_checked", user_id=who.id, error=str(e))
        except SourceError as e:
            self._rest_until = self._clock() + REST_S
            log.warning("rights_not_checked", user_id=who.id, error=str(e))
        return self._store(who.id, verdicts)

    def _ask(self, reader: Reader, who: Person, doubtful: Sequence[Notification], verdicts: Verdicts) -> None:
        until = self._clock() + DEADLINE_S
        if reader.account().id != who.id_redmine_user:
            raise ImpersonationRefused("answered as somebody else. Is the key an admin's, the log-in right?")
        issue_ids = {row.issue_id for row in doubtful if row.issue_id is not None}
        visible = reader.visible_ids(sorted(issue_ids))
        guarded: dict[int, list[Notification]] = {}
        for row in doubtful:
            if row.issue_id is not None and row.issue_id not in visible:
                verdicts.gone.add(row.id)
            elif row.issue_id is not None and _is_guarded(row):
                guarded.setdefault(row.issue_id, []).append(row)
            else:
                verdicts.shown.add(row.id)
        for issue_id in sorted(guarded, reverse=True):  # the newest are what the reader looks at
            if self._clock() >= until:
                return
            _compare(_as_reader(reader, issue_id), guarded[issue_id], verdicts)

    def _store(self, user_id: int, verdicts: Verdicts) -> bool:
        confirmed = sorted(verdicts.shown | verdicts.amended.keys())
        if not confirmed and not verdicts.gone:
            return False
        with self._database.write() as session:
            live.lock_order(session)
            notifications.withdraw(session, verdicts.gone, utc_now())
            for notification_id, columns in verdicts.amended.items():
                notifications.amend(session, notification_id, columns)
            if confirmed:
                notifications.verified(session, confirmed)
                live.publish(session, user_id, notifications.UPDATED_EVENT, {"ids": confirmed})
        wakeup.send(self._database)
        return True


def _is_guarded(row: Notification) -> bool:
    """Say whether the row holds what Redmine filters for each reader of one and the same issue."""
    has_guarded_details = any(detail.get("field") in GUARDED for detail in row.details)
    return row.journal_id is not None and (bool(row.notes) or row.is_private_note or has_guarded_details)


def _as_reader(reader: Reader, issue_id: int) -> Issue | None:
    try:
        return reader.issue(issue_id, ("journals",))
    except NotFound:
        return None
    except SourceRefused as e:
        if e.status != 403:
            raise
        return None


def _compare(issue: Issue | None, rows: Iterable[Notification], verdicts: Verdicts) -> None:
    """Keep of each row what the reader's own journal shows."""
    journals = {journal.id: journal for journal in (issue.journals or ())} if issue else {}
    for row in rows:
        journal = journals.get(row.journal_id or 0)
        if journal is None or issue is None:
            verdicts.gone.add(row.id)
            continue
        relations = {
            value
            for detail in journal.details
            if detail.property == "relation"
            for value in (detail.old_value, detail.new_value)
        }
        fields = {custom.name for custom in issue.custom_fields}
        details = [detail for detail in row.details if _may_see(detail, fields, relations)]
        if not details and not journal.notes:
            verdicts.gone.add(row.id)
        elif details == row.details and journal.notes == row.notes:
            verdicts.shown.add(row.id)
        else:
            verdicts.amended[row.id] = _amended(row, details, journal)


def _may_see(detail: Mapping[str, Any], fields: set[str], relations: set[str | None]) -> bool:
    """Say whether the reader sees this detail.

    Redmine shows a custom field in a journal exactly to those who see it on the issue, and a relation to
    those who see the other issue.
    """
    if detail.get("field") == "custom_field":
        return detail.get("label") in fields
    if detail.get("field") == "relation":
        number = re.search(r"\d+", str(detail.get("new") or detail.get("old") or ""))
        return number is not None and number.group() in relations
    return True


def _amended(row: Notification, details: list[Any], journal: Journal) -> dict[str, Any]:
    """Return the columns that change. An edited note must not live on in the message's excerpt of it."""
    columns: dict[str, Any] = {"details": details, "notes": journal.notes}
    columns["is_private_note"] = journal.private_notes
    if journal.notes != row.notes:
        columns["message"] = row.title
    return columns
