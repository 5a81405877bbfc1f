"""Which issues, whoever has them, somebody may see: asked of Redmine as them, remembered for five minutes.

Redmine shows an issue by project, tracker and privacy, and to its author and assignees; so one issue of each
such kind answers for all of it. What Redmine did not speak of is neither counted nor exported.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from flask import current_app

from daemon.clients.errors import ImpersonationRefused, SourceError, SourceRefused
from daemon.clients.values import Project
from storage import quality
from storage.quality import Kind, Scope
from storage.session import Database
from web.feature_settings import QualitySettings
from web.people import Person
from web.tasks.kinds import OTHERS, Reader, Said, ask
from web.tasks.rights import State
from web.viewer import viewer

EXTENSION = "helpdesk.quality"
REMEMBER_S = 300.0
PATIENCE_S = 5.0
MOST_PEOPLE = 200
log = structlog.get_logger(__name__)


class ProjectReader(Reader, Protocol):
    """Redmine as one person sees it."""

    def projects(self) -> tuple[Project, ...]: ...


class Redmine(Protocol):
    """Redmine, as anybody."""

    def acting_as(self, login: str) -> ProjectReader: ...


@dataclass(slots=True)
class Memory:
    """What Redmine said to one person. `identifiers` are its projects, by id."""

    at: float
    said: Said[Kind] = field(default_factory=Said)
    identifiers: dict[int, str] = field(default_factory=dict)
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What may be counted for one person; `unconfirmed` issues are left out as Redmine did not say."""

    scope: Scope
    kinds: frozenset[Kind]
    gone: frozenset[int]
    unconfirmed: int
    state: State = "ok"

    def shows(self, issue: quality.Counted) -> bool:
        """Say whether an issue may be counted."""
        return issue.kind in self.kinds and issue.id not in self.gone


class Sight:
    """Asks and remembers, for one viewer process."""

    def __init__(
        self, database: Database, redmine: Redmine | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._redmine = redmine
        self._clock = clock
        self._lock = threading.Lock()
        self._memories: dict[tuple[int, int | None], Memory] = {}

    def check(self, who: Person, settings: QualitySettings) -> Seen:
        """Say what may be counted now for a person with a Redmine account."""
        memory = self._memory(who)
        with self._database.read() as session:
            projects, trackers = quality.names(session)
        if settings.projects and not memory.is_complete:
            self._read_projects(who, memory)
        scope = Scope(
            who.id_redmine_user or 0,
            _projects(settings.projects, projects, memory.identifiers),
            quality.ids_named(trackers, settings.trackers) if settings.trackers else None,
        )
        return self._seen(who, scope, memory)

    def of_project(self, who: Person, project_id: int) -> Seen:
        """Say what of a project may be shown now to a person with a Redmine account."""
        scope = Scope(who.id_redmine_user or 0, frozenset({project_id}))
        return self._seen(who, scope, self._memory(who))

    def _seen(self, who: Person, scope: Scope, memory: Memory) -> Seen:
        with self._database.read() as session:
            known = quality.kinds(session, scope)
        unknown = {
            kind: sample
            for kind, (sample, _) in known.items()
            if kind not in memory.said.shown and kind not in memory.said.hidden
        }
        if unknown:
            self._ask(who, scope, unknown, memory)
        said = memory.said
        unconfirmed = sum(n for kind, (_, n) in known.items() if kind not in said.shown | said.hidden)
        return Seen(scope, frozenset(said.shown), frozenset(said.gone), unconfirmed)

    def _memory(self, who: Person) -> Memory:
        """Return what is known of a person, forgotten where it is old; of whoever asked longest ago first."""
        key = (who.id, who.id_redmine_user)
        with self._lock:
            found = self._memories.pop(key, None)
            if found is None or self._clock() - found.at > REMEMBER_S:
                found = Memory(self._clock())
            self._memories[key] = found
            if len(self._memories) > MOST_PEOPLE:
                del self._memories[next(iter(self._memories))]
            return found

    def _reader(self, who: Person) -> ProjectReader:
        if self._redmine is None:
            raise SourceRefused("no Redmine is configured")
        reader = self._redmine.acting_as(who.redmine_login)
        if reader.account().id != who.id_redmine_user:
            raise ImpersonationRefused("answered as somebody else. Is the key an admin's, the log-in right?")
        return reader

    def _read_projects(self, who: Person, memory: Memory) -> None:
        try:
            found = self._reader(who).projects()
        except (SourceError, ValueError) as e:
            log.warning("quality_projects_not_read", user_id=who.id, error=str(e))
            return
        memory.identifiers = {project.id: project.identifier for project in found}
        memory.is_complete = True

    def _ask(self, who: Person, scope: Scope, samples: Mapping[Kind, int], memory: Memory) -> None:
        until = self._clock() + PATIENCE_S
        said: Said[Kind] = Said()

        def others(kinds: Iterable[Kind]) -> Mapping[Kind, Sequence[int]]:
            with self._database.read() as session:
                return quality.others_of(session, scope, [(k, samples[k]) for k in kinds], OTHERS)

        try:
            ask(self._reader(who), samples, others, said, lambda: self._clock() >= until)
        except (SourceError, ValueError) as e:
            log.warning("quality_rights_not_checked", user_id=who.id, error=str(e))
        memory.said.shown |= said.shown
        memory.said.hidden |= said.hidden
        memory.said.gone |= said.gone


def sight() -> Sight:
    """Return what this process remembers."""
    parts = viewer()
    made = Sight(parts.database, parts.redmine)
    found: Sight = current_app.extensions.setdefault(EXTENSION, made)
    return found


def _projects(
    wanted: Collection[str], names: Mapping[int, str], identifiers: Mapping[int, str]
) -> frozenset[int] | None:
    """Return the projects that the configuration names, by name or by identifier; None for all."""
    if not wanted:
        return None
    return quality.ids_named(dict(names), wanted) | quality.ids_named(dict(identifiers), wanted)
