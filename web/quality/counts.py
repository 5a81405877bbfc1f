"""Counts the issues of a span by period, project, status and tracker."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

from storage.quality import Counted
from web.quality.query import Span


@dataclass(frozen=True, slots=True)
class Share:
    """How many issues have one value; `id` where it has one and `color` where it has one."""

    name: str
    count: int
    id: int | None = None
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """One day, week or month: its first day, and its issues by tracker in the order of `Counts.trackers`."""

    first: date
    count: int
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """All counts; the most frequent come first, periods in the order of time."""

    total: int
    open: int
    periods: tuple[Period, ...]
    projects: tuple[Share, ...]
    statuses: tuple[Share, ...]
    trackers: tuple[Share, ...]


def count(issues: Iterable[Counted], span: Span, zone: tzinfo) -> Counts:
    """Count each issue on the day of its creation, on the reader's calendar."""
    cells: Counter[tuple[date, str]] = Counter()
    projects: Counter[str] = Counter()
    statuses: Counter[tuple[int, str, bool]] = Counter()
    for issue in issues:
        cells[span.first_of(issue.created_on.astimezone(zone).date()), issue.tracker_name] += 1
        projects[issue.project_name] += 1
        statuses[issue.status_id, issue.status_name, issue.is_closed] += 1
    trackers: Counter[str] = Counter()
    for (_, tracker), number in cells.items():
        trackers[tracker] += number
    order = [name for name, _ in _sorted(trackers)]
    return Counts(
        total=trackers.total(),
        open=sum(n for (_, _, is_closed), n in statuses.items() if not is_closed),
        periods=tuple(_period(first, order, cells) for first in span.periods()),
        projects=tuple(Share(name, number) for name, number in _sorted(projects)),
        statuses=tuple(Share(key[1], number, key[0], key[2]) for key, number in _sorted(statuses)),
        trackers=tuple(Share(name, number) for name, number in _sorted(trackers)),
    )


def _period(first: date, trackers: list[str], cells: Counter[tuple[date, str]]) -> Period:
    parts = tuple(cells[first, name] for name in trackers)
    return Period(first, sum(parts), parts)


def _sorted(counter: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counter.items(), key=lambda item: (-item[1], str(item[0]).casefold()))
