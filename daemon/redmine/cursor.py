"""Where a Redmine poll stands. Times are Redmine's own `updated_on`, never our clock.

Why it looks as it does (design note "A cursor that never misses"): commits do not come in the order
of `updated_on`, and two updates within one second leave it unchanged. So every poll looks back by an
overlap, and an issue stays `unsettled`, to be read again, until its `updated_on` is safely old. Our
clock only measures how much time has passed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

SAME_SECOND_S = 2.0
QUIET_MARGIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An issue to be read again: its `updated_on`, and when (our clock, epoch seconds) we first saw that."""

    updated_on: datetime
    seen_at: float
    was_reread: bool = False

    def due_at(self, overlap_s: float) -> float:
        """Soon once, for a second update within the same second; then when every writer must be done."""
        return self.seen_at + (overlap_s if self.was_reread else min(SAME_SECOND_S, overlap_s))


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the poll stands; empty for a Redmine that had no issue at the first run.

    `high`: newest `updated_on` handled, first seen at `high_seen_at` (epoch seconds). `is_swept`: all
    that could still appear below it has been listed. `since`: where an unfinished catch-up began.
    `baseline_id`: the highest issue id at the first run, greater ids are new issues; `baseline_on`: the
    newest `updated_on` then. `next_id` is set while that first run goes on.
    """

    high: datetime | None = None
    high_seen_at: float = 0.0
    is_swept: bool = False
    since: datetime | None = None
    baseline_id: int = 0
    baseline_on: datetime | None = None
    next_id: int | None = None
    unsettled: Mapping[int, Unsettled] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the form that is stored."""
        return {
            "high": _text(self.high),
            "high_seen_at": self.high_seen_at,
            "is_swept": self.is_swept,
            "since": _text(self.since),
            "baseline_id": self.baseline_id,
            "baseline_on": _text(self.baseline_on),
            "next_id": self.next_id,
            "unsettled": {
                str(i): [_text(u.updated_on), u.seen_at, u.was_reread] for i, u in self.unsettled.items()
            },
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Cursor":
        """Read the stored form."""
        return cls(
            high=_time(stored["high"]),
            high_seen_at=stored["high_seen_at"],
            is_swept=stored["is_swept"],
            since=_time(stored["since"]),
            baseline_id=stored["baseline_id"],
            baseline_on=_time(stored["baseline_on"]),
            next_id=stored["next_id"],
            unsettled={
                int(i): Unsettled(_known_time(updated_on), seen_at, was_reread)
                for i, (updated_on, seen_at, was_reread) in stored["unsettled"].items()
            },
        )

    def list_from(self, overlap_s: float) -> datetime | None:
        """Return the `updated_on` from which to list; None lists everything.

        Once swept there is nothing below the cursor that could still appear, so a second that 20,000
        issues share is not listed again and again. Two seconds on: `>=` is up to one second generous.
        """
        if self.high is None:
            return None
        return self.high + timedelta(seconds=2 if self.is_swept else -overlap_s)

    def floor(self, overlap_s: float) -> datetime | None:
        """Return the time from which a journal of an issue nobody knew is news."""
        start = self.since or self.high
        return None if start is None else start - timedelta(seconds=overlap_s)

    def is_quiet(self, now: float, overlap_s: float) -> bool:
        """Whether every writer that began before `high` must be done by now.

        A clock that was set back only delays this.
        """
        return now - self.high_seen_at >= overlap_s + QUIET_MARGIN_S

    def due(self, now: float, overlap_s: float) -> list[int]:
        """Return the unsettled issues to read again now, the longest waiting first.

        A clock that was set back must not make an issue wait for ever: a time in the future is due.
        """
        ready = [
            (entry.seen_at, issue_id)
            for issue_id, entry in self.unsettled.items()
            if entry.due_at(overlap_s) <= now or entry.seen_at > now
        ]
        return [issue_id for _, issue_id in sorted(ready)]

    def moved(self, high: datetime | None, now: float) -> "Cursor":
        """Move forward, never back; None leaves it where it is."""
        if high is None or (self.high is not None and high <= self.high):
            return self
        return replace(self, high=high, high_seen_at=now, is_swept=False)


class RedmineClock:
    """A lower bound of Redmine's time, from the `updated_on` it showed and how long ago that was.

    Redmine's answers carry no Date header, and its clock need not be ours. What it showed as updated
    at U when our clock said t means that its clock was at least U then.
    """

    def __init__(self) -> None:
        self._offset: timedelta | None = None

    def saw(self, updated_on: datetime, at: datetime) -> None:
        """Learn from an `updated_on` shown at our time `at`."""
        offset = updated_on - at
        if self._offset is None or offset > self._offset:
            self._offset = offset

    def at_least(self, at: datetime) -> datetime:
        """Return what Redmine's clock showed at the least, at our time `at`."""
        if self._offset is None:
            return datetime.min.replace(tzinfo=UTC)
        return at + self._offset


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str | None) -> datetime | None:
    return None if text is None else _known_time(text)


def _known_time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
