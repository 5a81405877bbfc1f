"""Which of somebody's tasks Redmine shows them: asked as them, remembered for a while.

What is assigned to somebody, or to a group of theirs, Redmine shows or hides by project, tracker, assignee
and privacy alone. So one task of each such kind answers for all of it; the answers are kept in `task_rights`.
They are taken without asking for `rights_fresh_s`, and where Redmine is away they stand for `rights_valid_s`.
What it never spoke of is not shown.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

import structlog

from daemon.clients.errors import ImpersonationRefused, SourceError, SourceRefused
from storage import task_rights
from storage.columns import utc_now
from storage.session import Database
from storage.task_rights import Kind, KnownKind, Scope
from web.feature_settings import TaskSettings
from web.people import Person
from web.tasks.kinds import OTHERS, Reader, Said, ask

# Of one question, and of all of them: a page that knows nothing yet waits longer.
CALL_S = 1.0
PATIENCE_S = 1.0
PATIENCE_AT_FIRST_S = 3.0
REST_S = 10.0
# How long a word stands on a kind of which single tasks are hidden: as long as it takes to show them.
ODD_S = 5.0
NEVER = timedelta(days=1)
log = structlog.get_logger(__name__)
State = Literal["ok", "away", "refused"]


class Redmine(Protocol):
    """Redmine, as anybody."""

    def acting_as(self, login: str) -> Reader: ...


@dataclass(frozen=True, slots=True)
class Checked:
    """What may be shown now. `unconfirmed` tasks are left out because Redmine did not say.

    `state` is "refused" where Redmine does not let this person in: then nothing is shown.
    """

    scope: Scope
    unconfirmed: int
    state: State


class TaskRights:
    """Asks and remembers; nobody waits longer than a few seconds, whatever Redmine does."""

    def __init__(
        self,
        database: Database,
        redmine: Redmine | None,
        settings: TaskSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._redmine = redmine
        self._fresh = timedelta(seconds=settings.rights_fresh_s)
        self._valid = timedelta(seconds=settings.rights_valid_s)
        self._clock = clock
        self._lock = threading.Lock()
        self._rest_until = float("-inf")

    def check(self, who: Person) -> Checked:
        """Say which tasks of a person with a Redmine account may be shown now."""
        now, account_id = utc_now(), who.id_redmine_user or 0
        with self._database.read() as session:
            known = task_rights.kinds(session, who.id, account_id)
        stale = [each for each in known if each.checked_at is None or each.checked_at < now - self._fresh]
        stale.sort(key=lambda each: each.checked_at is not None)  # what nothing is known of comes first
        said: Said[Kind] = Said()
        state = self._ask(who, stale, said) if stale else "ok"
        self._save(who.id, said, now)
        if state == "refused":
            return Checked(Scope(who.id, account_id, now + NEVER), 0, state)
        since = now - self._valid
        unconfirmed = sum(each.count for each in known if _is_open(each, said, since))
        return Checked(Scope(who.id, account_id, since, frozenset(said.gone)), unconfirmed, state)

    def _ask(self, who: Person, stale: Sequence[KnownKind], said: Said[Kind]) -> State:
        if self._redmine is None or self._clock() < self._rest_until:
            return "away"
        is_first = any(each.checked_at is None for each in stale)
        until = self._clock() + (PATIENCE_AT_FIRST_S if is_first else PATIENCE_S)
        by_kind = {each.kind: each for each in stale}
        try:
            reader = self._redmine.acting_as(who.redmine_login)
            if reader.account().id != who.id_redmine_user:
                raise SourceRefused("answered as somebody else. Is the key an admin's, the log-in right?")
            samples = {kind: each.sample_id for kind, each in by_kind.items()}
            ask(reader, samples, lambda k: self._others(by_kind, k), said, lambda: self._clock() >= until)
        except (ImpersonationRefused, ValueError) as e:  # this person's account, not Redmine
            log.warning("task_rights_refused", user_id=who.id, error=str(e))
            return "refused"
        except SourceError as e:
            with self._lock:
                self._rest_until = self._clock() + REST_S
            log.warning("task_rights_not_checked", user_id=who.id, error=str(e))
            return "away"
        return "ok"

    def _others(
        self, known: Mapping[Kind, KnownKind], wanted: Iterable[Kind]
    ) -> Mapping[Kind, Sequence[int]]:
        with self._database.read() as session:
            return task_rights.others_of(session, [known[kind] for kind in wanted], OTHERS)

    def _save(self, user_id: int, said: Said[Kind], now: datetime) -> None:
        """Store what was said; of odd kinds only for this moment, so that they are asked about again."""
        briefly = min(now - self._fresh, now - self._valid + timedelta(seconds=ODD_S))
        verdicts = dict.fromkeys(said.hidden, (False, now))
        verdicts |= {kind: (True, briefly if kind in said.odd else now) for kind in said.shown}
        if verdicts:
            with self._database.write() as session:
                task_rights.save_rights(session, user_id, verdicts)


def _is_open(each: KnownKind, said: Said[Kind], since: datetime) -> bool:
    """Say whether it is not known, or not known any more, if a kind is shown."""
    if each.kind in said.shown or each.kind in said.hidden:
        return False
    return each.checked_at is None or each.checked_at < since
