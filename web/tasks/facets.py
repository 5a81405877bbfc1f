"""Pure: from counts by project, status and priority to what the page offers to filter by."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from storage.tasks import Filter, Tally

Test = Callable[[Tally], bool]


@dataclass(frozen=True, slots=True)
class Option:
    """A value of one filter, and how many tasks the others leave of it; `position` is Redmine's order."""

    id: int
    name: str
    count: int
    position: int | None = None
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Overview:
    """All counts of a page: `total` is of the list, the others leave their own filter out."""

    total: int
    open: int
    overdue: int
    closed: int
    statuses: tuple[Option, ...]
    priorities: tuple[Option, ...]
    projects: tuple[Option, ...]


def overview(tallies: Sequence[Tally], wanted: Filter) -> Overview:
    """Count what each choice would leave."""
    status, priority, project = _tests(wanted)
    by_others = [tally for tally in tallies if status(tally) and priority(tally) and project(tally)]
    for_status = [tally for tally in tallies if priority(tally) and project(tally)]
    for_priority = [tally for tally in tallies if status(tally) and project(tally)]
    for_project = [tally for tally in tallies if status(tally) and priority(tally)]
    closed = sum(tally.count for tally in by_others if tally.is_closed)
    return Overview(
        total=sum(_counted(tally, wanted) for tally in by_others),
        open=sum(tally.count for tally in by_others) - closed,
        overdue=sum(tally.overdue for tally in by_others),
        closed=closed,
        statuses=_options(for_status, wanted, _of_status, wanted.status_id),
        priorities=_options(for_priority, wanted, _of_priority, wanted.priority_id),
        projects=_options(for_project, wanted, _of_project, wanted.project_id),
    )


def _tests(wanted: Filter) -> tuple[Test, Test, Test]:
    return (
        lambda tally: wanted.status_id in (None, tally.status_id),
        lambda tally: wanted.priority_id in (None, tally.priority_id),
        lambda tally: wanted.project_id in (None, tally.project_id),
    )


def _counted(tally: Tally, wanted: Filter) -> int:
    """Return how many of a tally are in the wanted state."""
    if wanted.state == "overdue":
        return tally.overdue
    if wanted.state == "all" or tally.is_closed == (wanted.state == "closed"):
        return tally.count
    return 0


def _options(
    tallies: Iterable[Tally],
    wanted: Filter,
    option_of: Callable[[Tally, int], Option],
    chosen: int | None,
) -> tuple[Option, ...]:
    found: dict[int, Option] = {}
    for tally in tallies:
        option = option_of(tally, _counted(tally, wanted))
        former = found.get(option.id)
        found[option.id] = option_of(tally, option.count + (former.count if former else 0))
    kept = (option for option in found.values() if option.count or option.id == chosen)
    return tuple(sorted(kept, key=_place))


def _place(option: Option) -> tuple[int, str]:
    return (option.position if option.position is not None else 0, option.name.casefold())


def _of_status(tally: Tally, count: int) -> Option:
    return Option(tally.status_id, tally.status_name, count, tally.status_position, tally.is_closed)


def _of_priority(tally: Tally, count: int) -> Option:
    return Option(tally.priority_id, tally.priority_name, count, tally.priority_position)


def _of_project(tally: Tally, count: int) -> Option:
    return Option(tally.project_id, tally.project_name, count)
