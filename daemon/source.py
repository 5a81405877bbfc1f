"""What every source offers the pipeline, and what the pipeline offers a source."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from daemon.values import Addressed, Change, Colleague, Known, Member, Observation, Reminded, Told


class Memory(Protocol):
    """What a source may ask of the database while it reads: never anything it can change."""

    def rows(self, ids: Iterable[int]) -> Mapping[int, Mapping[str, Any]]:
        """Return the stored rows of items; unknown ids are absent."""

    def ids(self, id_range: tuple[int, int]) -> Sequence[int]:
        """Return the stored ids that the source lists, within an inclusive range, ascending."""

    def count(self, id_range: tuple[int, int]) -> int:
        """Count the stored ids that the source lists, within an inclusive range."""

    def highest_id(self) -> int:
        """Return the highest stored id, 0 where nothing is stored."""

    def cursor(self, job: str) -> Mapping[str, Any] | None:
        """Return where another job stands, None before its first run."""

    def members(self) -> tuple[Member, ...]:
        """Return who can be told."""

    def reminded(self) -> tuple[Reminded, ...]:
        """Return who wants to be reminded of what is due."""

    def due(
        self, principals: Iterable[int], latest: date, earliest: date | None
    ) -> Sequence[Mapping[str, Any]]:
        """Return the open items of these that are due by then, and not before `earliest`, by id."""

    def colleagues(self) -> tuple[Colleague, ...]:
        """Return all active users."""

    def kept(self, table: str, keys: Iterable[Any] | None = None) -> Mapping[Any, Mapping[str, Any]]:
        """Return the stored rows of a source's table by their keys; all of them where no keys are named."""

    def kept_keys(self, table: str, after: str, limit: int) -> Sequence[str]:
        """Return the next keys of a source's table, ascending; it has names for keys."""

    def names_of_numbers(self, numbers: Iterable[str]) -> Mapping[str, str]:
        """Return whose these telephone numbers are, those that are known, however they are written."""

    def told_to(self, user_ids: Iterable[int], since: datetime) -> Sequence[Told]:
        """Return the notifications about items created since then that these users are still shown."""

    def told_of(self, ids: Iterable[int], since: datetime) -> Sequence[Told]:
        """Return the notifications about these items created since then that anybody is still shown."""

    def told_items(self, since: datetime, after: int, limit: int) -> Sequence[int]:
        """Return the next items, ids ascending, of which something created since then is still shown."""


class Source(Protocol):
    """One place that things change in."""

    def observations(
        self, cursor: Mapping[str, Any] | None, memory: Memory, stop: Callable[[], bool]
    ) -> Iterator[Observation]:
        """Read what is new since the cursor, in steps that can each be saved (all I/O).

        Ends early, between two steps, once `stop` says so. Raises SourceUnavailable (time-out, 5xx) or
        SourceRefused (rights, settings); every step given before that stands.
        """

    def changes(self, known: Known, seen: Observation) -> tuple[Change, ...]:
        """Compare (pure)."""

    def groups(self, principals: frozenset[int]) -> Mapping[int, frozenset[int]]:
        """Return the members of those ids that are groups (I/O)."""

    def shown(self, addressed: Sequence[Addressed]) -> tuple[Addressed, ...]:
        """Keep of the candidates what the source itself shows each of them, as it shows it (I/O)."""

    def snapshot(self, seen: Observation) -> Sequence[Mapping[str, Any]]:
        """Return the rows to store for the items read whole (pure)."""

    def listed(self, seen: Observation) -> Sequence[Mapping[str, Any]]:
        """Return the rows to store for items only seen in a list (pure)."""

    def counted(self, changes: Sequence[Change]) -> int:
        """Count the changes that a run shows as its journals (pure)."""

    @property
    def requests_made(self) -> int:
        """How many requests were sent so far."""

    def close(self) -> None:
        """Let go of connections and threads."""


class StateSource:
    """Base of a source that only has a state: it compares by itself and asks nobody who may see it."""

    requests_made = 0

    def changes(self, known: Known, seen: Observation) -> tuple[Change, ...]:  # noqa: ARG002
        """Return nothing: an observation holds what is told."""
        return ()

    def groups(self, principals: frozenset[int]) -> Mapping[int, frozenset[int]]:  # noqa: ARG002
        """Return nothing: there are no groups."""
        return {}

    def shown(self, addressed: Sequence[Addressed]) -> tuple[Addressed, ...]:
        """Return all of them."""
        return tuple(addressed)

    def snapshot(self, seen: Observation) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """Return nothing: an observation holds its rows."""
        return ()

    def listed(self, seen: Observation) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """Return nothing: an observation holds its rows."""
        return ()

    def counted(self, changes: Sequence[Change]) -> int:  # noqa: ARG002
        """Return 0: there are no journals."""
        return 0

    def close(self) -> None:
        """Let go of nothing."""
