"""Tasks as the columns of a board: one for each status, in Redmine's order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from storage import quality, reference, tasks
from storage.columns import utc_now
from storage.models import Status
from storage.tasks import Filter, Tally, Task
from web.people import Person
from web.quality.sight import Seen, sight
from web.task.colours import status_colour
from web.tasks.lists import Shown, shown, today
from web.tasks.rights import Checked
from web.viewer import viewer

MOST_OPEN = 200
MOST_CLOSED = 50
# What was closed longer ago is history, not work.
CLOSED_FOR = timedelta(days=14)
URGENT = tasks.ordered("priority", descending=True)
NEWEST = tasks.ordered("updated", descending=True)


@dataclass(frozen=True, slots=True)
class Column:
    """One status and its tasks, the most urgent first; `limit` is how many there should be at most."""

    id: int
    name: str
    color: str
    is_closed: bool
    limit: int | None
    cards: tuple[Shown, ...]

    @property
    def is_over(self) -> bool:
        """Whether there are more than there should be."""
        return self.limit is not None and len(self.cards) > self.limit


@dataclass(frozen=True, slots=True)
class Board:
    """All columns; `left_out` open tasks are too many for it. Projects are (id, name, open tasks)."""

    columns: tuple[Column, ...]
    project_id: int | None
    projects: tuple[tuple[int, str, int], ...]
    left_out: int
    checked: Checked | Seen
    is_everybodys: bool = False


def load(who: Person, project_id: int | None) -> Board:
    """Read the board of a person with a Redmine account, after Redmine was asked what they may see."""
    checked = viewer().task_rights.check(who)
    is_open, closed = _filters(project_id)
    with viewer().database.read() as session:
        rows = tasks.listed(session, checked.scope, is_open, URGENT, limit=MOST_OPEN)
        finished = tasks.listed(session, checked.scope, closed, NEWEST, limit=MOST_CLOSED)
        statuses = reference.statuses(session)
        counted = [t for t in tasks.tallies(session, checked.scope, is_open) if not t.is_closed]
    there = sum(t.count for t in counted if project_id in (None, t.project_id))
    columns = _columns(statuses, _cards(rows, finished))
    return Board(columns, project_id, _projects(counted), there - len(rows), checked)


def load_project(who: Person, project_id: int) -> Board:
    """Read the board of a whole project, as far as Redmine shows it to this person."""
    checked = viewer().task_rights.check(who)
    seen = sight().of_project(who, project_id)
    is_open, closed = _filters(project_id)
    with viewer().database.read() as session:
        rows, there = quality.board(session, seen.scope, seen.kinds, is_open, URGENT, MOST_OPEN)
        finished, _ = quality.board(session, seen.scope, seen.kinds, closed, NEWEST, MOST_CLOSED)
        statuses = reference.statuses(session)
        counted = [t for t in tasks.tallies(session, checked.scope, is_open) if not t.is_closed]
    left = [row for row in (*rows, *finished) if row.id not in seen.gone]
    columns = _columns(statuses, _cards(left, ()))
    return Board(columns, project_id, _projects(counted), there - len(rows), seen, is_everybodys=True)


def _filters(project_id: int | None) -> tuple[Filter, Filter]:
    """Return what asks for the open tasks, and for the closed ones."""
    day = today()
    return Filter(day, "open", project_id=project_id), Filter(day, "closed", project_id=project_id)


def _cards(rows: Iterable[Task], finished: Iterable[Task]) -> tuple[Shown, ...]:
    """Return the cards of open tasks, and of the closed ones that are still of interest."""
    since = utc_now() - CLOSED_FOR
    return shown([t for t in (*rows, *finished) if not t.is_closed or t.updated_on >= since], today())


def _columns(statuses: Sequence[Status], cards: Sequence[Shown]) -> tuple[Column, ...]:
    """Return Redmine's statuses, and any that it did not list but that a card has."""
    known = {status.id: (status.name, status.is_closed) for status in statuses}
    for card in cards:
        known.setdefault(card.task.status_id, (card.task.status_name, card.task.is_closed))
    return tuple(_column(i, name, closed, cards) for i, (name, closed) in known.items())


def _column(status_id: int, name: str, is_closed: bool, cards: Iterable[Shown]) -> Column:
    return Column(
        id=status_id,
        name=name,
        color=status_colour(status_id, name, is_closed),
        is_closed=is_closed,
        limit=_limit(viewer().settings.tasks.wip_limits, name),
        cards=tuple(card for card in cards if card.task.status_id == status_id),
    )


def _limit(limits: Mapping[str, int], name: str) -> int | None:
    return next((limit for key, limit in limits.items() if key.casefold() == name.casefold()), None)


def _projects(tallies: Iterable[Tally]) -> tuple[tuple[int, str, int], ...]:
    found: dict[int, tuple[int, str, int]] = {}
    for tally in tallies:
        former = found.get(tally.project_id, (0, "", 0))[2]
        found[tally.project_id] = (tally.project_id, tally.project_name, tally.count + former)
    return tuple(sorted(found.values(), key=lambda each: each[1].casefold()))
