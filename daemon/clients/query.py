"""Queries of Redmine's list of issues, refusing whatever Redmine would silently ignore or misread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

# Redmine caps every list at 100, and Redmine 5.0 answers 500 to filters of more than 200 to 300 ids.
MAX_LIMIT = 100
# What the list knows; it silently ignores all else, journals above all. A single issue knows more.
LIST_INCLUDES = frozenset({"attachments", "relations"})
ISSUE_INCLUDES = frozenset({"journals", "watchers", "attachments", "relations", "allowed_statuses"})

Params = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class IssueQuery:
    """Which issues to list; `params` are the query string's. Closed issues are always among them."""

    updated_since: datetime | None = None
    ids: Sequence[int] | None = None
    id_range: tuple[int, int] | None = None
    watcher_id: int | None = None
    include: Sequence[str] = ()
    sort: str = "updated_on:asc,id"
    offset: int = 0
    limit: int = MAX_LIMIT

    def params(self) -> Params:
        """The query string, or ValueError for what Redmine would take for something else."""
        if not 1 <= self.limit <= MAX_LIMIT or self.offset < 0:
            raise ValueError(f"limit must be 1 to {MAX_LIMIT} and offset not negative")
        params: Params = {
            "status_id": "*",
            "sort": self.sort,
            "offset": self.offset,
            "limit": self.limit,
        }
        if self.updated_since is not None:
            params["updated_on"] = f">={stamp(self.updated_since)}"
        if self.watcher_id is not None:
            params["watcher_id"] = _positive(self.watcher_id)
        return params | self._id_params() | include_params(self.include, LIST_INCLUDES)

    def _id_params(self) -> Params:
        if self.ids is not None and self.id_range is not None:
            raise ValueError("ids and id_range are one and the same filter in Redmine: give one of them")
        if self.ids is not None:
            # An empty list would be ignored and bring every issue there is.
            if not 1 <= len(self.ids) <= MAX_LIMIT:
                raise ValueError(f"ids must be 1 to {MAX_LIMIT}, not {len(self.ids)}")
            return {"issue_id": ",".join(str(_positive(i)) for i in self.ids)}
        if self.id_range is not None:
            first, last = map(_positive, self.id_range)
            if first > last:
                raise ValueError(f"id_range must not run backwards: {first} to {last}")
            return {"issue_id": f"><{first}|{last}"}
        return {}


def include_params(include: Sequence[str], known: frozenset[str]) -> Params:
    """`include=` for what Redmine knows at this place; it ignores everything else without a word."""
    if unknown := set(include) - known:
        raise ValueError(f"include knows {sorted(known)} here, not {sorted(unknown)}")
    return {"include": ",".join(include)} if include else {}


def stamp(moment: datetime) -> str:
    """A time as Redmine's filters read it: whole seconds, rounded down, in UTC and saying so."""
    if moment.tzinfo is None:
        raise ValueError("a naive time would be read in the zone of Redmine's server")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _positive(number: int) -> int:
    if number < 1:
        raise ValueError(f"{number} is not an id")
    return number
