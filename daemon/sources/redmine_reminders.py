"""Reminds people of tasks that are due or overdue, from what the last poll saw of Redmine.

Nothing is asked of Redmine but whether it still shows the task to whom we mean to remind.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import Field

from daemon.clients.errors import SourceError
from daemon.clients.settings import RedmineSettings
from daemon.options import JobOptions
from daemon.redmine import reminding
from daemon.redmine.connection import RedmineConnection, utc_now
from daemon.redmine.reminding import Look
from daemon.source import Memory
from daemon.values import Addressed, Change, Known, Observation

OVERLAP_S = 90.0


class Options(JobOptions):
    """Options of a job with `source = "redmine_reminders"`: so many are recorded in one transaction."""

    batch: int = Field(default=200, ge=1, le=10_000)


class Source(RedmineConnection):
    """Looks whose moment of the day has come. The first run only begins to look: it reminds of nothing."""

    def __init__(
        self, settings: RedmineSettings, options: Options, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        super().__init__(settings, OVERLAP_S)
        self._options = options
        self._now = now

    def observations(
        self, cursor: Mapping[str, Any] | None, memory: Memory, stop: Callable[[], bool]
    ) -> Iterator[Observation]:
        """Remind of what was reached since the last look; one that is cut short goes on where it was."""
        now = self._now()
        look = Look.from_json(cursor, now)
        due = [found for found in _all_due(memory, look, now) if reminding.place(found) > look.after]
        for start in range(0, len(due), self._options.batch):
            if stop():
                return
            batch = due[start : start + self._options.batch]
            told = self._confirmed(batch)
            yield Observation(replace(look, after=reminding.place(batch[-1])).to_json(), now, told=told)
        yield Observation(look.over(), now)

    def changes(self, known: Known, seen: Observation) -> tuple[Change, ...]:  # noqa: ARG002
        """Return nothing: an observation holds what is told."""
        return ()

    def _confirmed(self, addressed: Sequence[Addressed]) -> tuple[Addressed, ...]:
        """Keep what Redmine shows those who are to be reminded of it."""
        try:
            return self.shown(addressed)
        except SourceError:
            self.key.doubt()
            raise


def _all_due(memory: Memory, look: Look, now: datetime) -> list[Addressed]:
    rounds = reminding.rounds(memory.reminded(), look, now) if look.since < look.until else []
    if not rounds:
        return []
    earliest = [each.earliest for each in rounds]
    tasks = memory.due(
        frozenset[int]().union(*(each.person.principals for each in rounds)),
        max(each.latest for each in rounds),
        None if None in earliest else min(day for day in earliest if day is not None),
    )
    return reminding.reminders(rounds, tasks, now)
