"""Redmine's issues and journals: a first run that takes stock, then polls by `updated_on`."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from daemon.clients.errors import SourceError
from daemon.clients.settings import RedmineSettings
from daemon.clients.values import Issue
from daemon.options import JobOptions
from daemon.redmine.connection import RedmineConnection, utc_now
from daemon.redmine.cursor import SAME_SECOND_S, Cursor, RedmineClock, Unsettled
from daemon.redmine.foresight import Foresight, look_ahead
from daemon.redmine.paging import PAGE, pages
from daemon.redmine.reading import Batch, Reads
from daemon.redmine.reference import read_reference
from daemon.source import Memory
from daemon.values import Change, Known, Observation

NEVER = datetime.min.replace(tzinfo=UTC, year=1970)
RECHECKS = 50  # old issues read again in one cycle, so that they never hold up new ones for long


class Options(JobOptions):
    """Options of a job with `source = "redmine"`.

    `overlap_s` must exceed the longest write transaction of this Redmine; `batch` is how many changed
    issues are recorded in one transaction during a catch-up.
    """

    overlap_s: float = Field(default=90.0, ge=0, le=3600)
    batch: int = Field(default=200, ge=1, le=1000)


@dataclass(frozen=True, slots=True)
class Step:
    """Issues being read since `read_at`, and those rows of the list among them that are new to us."""

    rows: tuple[Issue, ...]
    batch: Batch
    foresight: Foresight
    read_at: datetime

    def joined(self, later: "Step") -> "Step":
        """Return one step of both; people close to so many need not hurry."""
        return Step((*self.rows, *later.rows), self.batch.joined(later.batch), self.foresight, self.read_at)


class Source(RedmineConnection):
    """Polls one Redmine. Idle cost: one request a cycle, and the key check once a minute."""

    def __init__(
        self,
        settings: RedmineSettings,
        options: Options,
        *,
        now: Callable[[], datetime] = utc_now,
        epoch: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(settings, options.overlap_s)
        self._options = options
        self._now = now
        self._epoch = epoch
        self._clock = RedmineClock()

    def observations(
        self, cursor: Mapping[str, Any] | None, memory: Memory, stop: Callable[[], bool]
    ) -> Iterator[Observation]:
        """Read what changed since the cursor; without one, take stock and tell nobody."""
        try:
            self.key.require()
            if cursor is None:
                yield (first := self._begin())
                cursor = first.cursor
            at = Cursor.from_json(cursor)
            self.baseline_on = at.baseline_on
            yield from self._take_stock(at, stop) if at.next_id is not None else self._poll(at, memory, stop)
        except SourceError:
            self.key.doubt()  # a gap begins here: the key is checked before the cursor moves past it
            raise

    def changes(self, known: Known, seen: Observation) -> tuple[Change, ...]:
        """Compare each issue with what is stored of it. Quiet ones are a baseline and change nothing."""
        cursor = Cursor.from_json(seen.cursor)
        self.learn(seen.items, known.journals)
        found: list[Change] = []
        for issue in seen.items:
            is_new = issue.id > cursor.baseline_id and issue.id not in known.rows
            if issue.id not in seen.quiet:
                found.extend(self.issue_changes(issue, known, seen.floor, is_new=is_new))
        return tuple(found)

    # --- the first run -------------------------------------------------------------------------

    def _begin(self) -> Observation:
        """Fix what counts as the past: everything up to the newest `updated_on` and the highest id."""
        read_at = self._now()
        newest = self.client.list_issues(sort="updated_on:desc", limit=1).issues
        highest = self.client.list_issues(sort="id:desc", limit=1).issues
        reference = read_reference(self.client)
        self.key.require_now()  # one that died at this moment would make us take all issues for new later
        cursor = Cursor()
        if newest and highest:
            at = newest[0].updated_on
            cursor = Cursor(at, self._epoch(), baseline_id=highest[0].id, baseline_on=at, next_id=1)
        return Observation(cursor.to_json(), read_at, reference=reference)

    def _take_stock(self, cursor: Cursor, stop: Callable[[], bool]) -> Iterator[Observation]:
        """List every issue by id, a page a step. An interrupted first run goes on where it stood."""
        done = total = 0
        while cursor.next_id is not None and not stop():
            read_at = self._now()
            page = self.client.list_issues(
                id_range=(cursor.next_id, cursor.baseline_id),
                include=("attachments", "relations"),
                sort="id:asc",
                limit=PAGE,
            )
            total = max(total, page.total_count)
            done += len(page.issues)
            self.key.require()
            yield (step := self._stocked(cursor, page.issues, read_at, (done, total)))
            cursor = Cursor.from_json(step.cursor)

    def _stocked(
        self, cursor: Cursor, rows: tuple[Issue, ...], read_at: datetime, progress: tuple[int, int]
    ) -> Observation:
        """Store a page. What moved lately is read whole, so that its next journal is told from its last."""
        assert cursor.high is not None  # noqa: S101 - set with next_id
        edge = cursor.high - timedelta(seconds=self._options.overlap_s)
        lately = tuple(row for row in rows if row.updated_on >= edge)
        reads = self.reader.start(row.id for row in lately).finish()
        whole = tuple(_as_of(issue, cursor.high) for issue in reads.issues)
        again = {row.id: Unsettled(row.updated_on, self._epoch()) for row in lately}
        is_last = len(rows) < PAGE or rows[-1].id >= cursor.baseline_id
        next_id = None if is_last else rows[-1].id + 1
        moved = replace(cursor, next_id=next_id, unsettled={**cursor.unsettled, **again})
        return Observation(
            cursor=moved.to_json(),
            read_at=read_at,
            items=whole,
            listed=tuple(row for row in rows if row.updated_on < edge),
            quiet=frozenset(issue.id for issue in whole),
            done=progress[0],
            total=progress[1],
        )

    # --- every other run -----------------------------------------------------------------------

    def _poll(self, cursor: Cursor, memory: Memory, stop: Callable[[], bool]) -> Iterator[Observation]:
        """Yield steps; while one is being recorded, the next is already being read."""
        overlap_s = self._options.overlap_s
        was_quiet = cursor.is_quiet(self._epoch(), overlap_s)
        ahead: Step | None = None
        for step in self._steps(cursor.list_from(overlap_s), memory):
            if ahead is not None:
                yield (seen := self._finish(cursor, ahead, is_last=False))
                cursor = Cursor.from_json(seen.cursor)
            ahead = step
            if stop():
                break
        if ahead is not None:
            yield (seen := self._finish(cursor, ahead, is_last=not stop()))
            cursor = Cursor.from_json(seen.cursor)
        else:
            is_swept = cursor.is_swept or (was_quiet and cursor.high is not None)
            listed = replace(cursor, is_swept=is_swept, since=None)  # a catch-up, if there was one, is over
            if listed != cursor:
                cursor = listed
                yield Observation(cursor.to_json(), self._now())
        due = cursor.due(self._epoch(), overlap_s)[:RECHECKS]
        if due and not stop():
            again = Step((), self.reader.start(due), Foresight(), self._now())
            yield self._finish(cursor, again, is_last=cursor.since is None)

    def _steps(self, since: datetime | None, memory: Memory) -> Iterator[Step]:
        """Yield rows of the list whose `updated_on` is not the stored one, some hundred at a time.

        Their reading begins with the page that shows them, and goes on while the next page is listed.
        """
        size, step = self._options.batch, None
        for page in pages(self.client, since):
            at = self._now()
            for row in page:
                self._clock.saw(row.updated_on, at)
            stored = memory.rows(row.id for row in page)
            fresh = [r for r in page if r.id not in stored or stored[r.id]["updated_on"] != r.updated_on]
            for start in range(0, len(fresh), size):
                more = self._start(tuple(fresh[start : start + size]), memory)
                if step is not None and len(step.rows) + len(more.rows) > size:
                    yield step
                    step = None
                step = more if step is None else step.joined(more)
        if step is not None:
            yield step

    def _start(self, rows: tuple[Issue, ...], memory: Memory) -> Step:
        read_at = self._now()
        batch = self.reader.start(row.id for row in rows)
        return Step(rows, batch, look_ahead(self.client, self.reader.pool, rows, memory), read_at)

    def _finish(self, cursor: Cursor, step: Step, *, is_last: bool) -> Observation:
        """Wait for the reads and move the cursor: to the last row of the list, and never past it."""
        reads = step.batch.finish()
        self.glimpses = step.foresight.finish(reads.issues)
        high = max((row.updated_on for row in step.rows), default=None)
        if not is_last or self._crosses_a_gap(cursor, high):
            self.key.require_now()
        moved = replace(cursor.moved(high, self._epoch()), unsettled=self._unsettled(cursor, step, reads))
        moved = replace(moved, since=None if is_last else (cursor.since or cursor.high))
        return Observation(
            cursor=moved.to_json(),
            read_at=step.read_at,
            items=reads.issues,
            floor=cursor.floor(self._options.overlap_s),
            overlap_hits=sum(cursor.high is not None and row.updated_on < cursor.high for row in step.rows),
            problem="; ".join(sorted(reads.failed.values())),
        )

    def _crosses_a_gap(self, cursor: Cursor, high: datetime | None) -> bool:
        """Whether the cursor moves so far that the next poll does not look back at all it passes.

        Then what a dead key hid from these lists and reads would be hidden for good.
        """
        if cursor.since is not None or high is None or cursor.high is None:
            return high is not None
        return (high - cursor.high).total_seconds() > self._options.overlap_s / 2

    def _unsettled(self, cursor: Cursor, step: Step, reads: Reads) -> dict[int, Unsettled]:
        """Return which issues are to be read again after these reads. What failed is, what is gone is not."""
        left = {i: entry for i, entry in cursor.unsettled.items() if i not in reads.missing}
        now = self._epoch()
        # Soon once more, then with longer pauses: an issue that always stalls must not slow every run.
        left |= {i: Unsettled(NEVER, now, was_reread=_has_failed(left.get(i))) for i in reads.failed}
        for issue in reads.issues:
            entry = self._next_entry(issue, left.pop(issue.id, None), step.read_at, now)
            if entry is not None:
                left[issue.id] = entry
        return left

    def _next_entry(
        self, issue: Issue, entry: Unsettled | None, read_at: datetime, now: float
    ) -> Unsettled | None:
        age_s = self._age_s(issue, read_at)
        if age_s >= self._options.overlap_s:
            return None
        if entry is None or entry.updated_on != issue.updated_on:
            return Unsettled(issue.updated_on, now, was_reread=age_s >= SAME_SECOND_S)
        return None if entry.was_reread else replace(entry, was_reread=True)

    def _age_s(self, issue: Issue, read_at: datetime) -> float:
        """How old the issue's `updated_on` was by Redmine's clock when it was read, at the least."""
        return (self._clock.at_least(read_at) - issue.updated_on).total_seconds()


def _has_failed(entry: Unsettled | None) -> bool:
    return entry is not None and entry.updated_on == NEVER


def _as_of(issue: Issue, high: datetime) -> Issue:
    """Leave out what was written after the first run began: the next poll tells of it."""
    journals = tuple(journal for journal in issue.journals or () if journal.created_on <= high)
    return replace(issue, journals=journals)
