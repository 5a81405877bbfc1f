"""What can be asked of a list of tasks, and the addresses that ask it."""

from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field

from storage.tasks import LARGEST_ID, Sort, State
from web.validation import Asked


def _none_if_empty(value: object) -> object:
    """Forms send what is not chosen as an empty text."""
    return None if value == "" else value


def _plain(value: object) -> object:
    """Drop what no text holds, and what PostgreSQL refuses."""
    return value.replace("\x00", "").strip() if isinstance(value, str) else value


Chosen = Annotated[int | None, Field(ge=1, le=LARGEST_ID), BeforeValidator(_none_if_empty)]
DOWN_AT_FIRST = frozenset({"priority", "updated", "created"})


class TaskQuery(Asked):
    """Which tasks; filters combine. Without `state`, open and closed ones.

    `q` is looked for in subjects, or is a number as in #123. `order` is what suits `sort` where not given.
    """

    status_id: Chosen = None
    priority_id: Chosen = None
    project_id: Chosen = None
    page: int = Field(default=1, ge=1, le=1_000_000)
    per_page: Annotated[int | None, Field(ge=1, le=100), BeforeValidator(_none_if_empty)] = None
    state: Annotated[State | None, BeforeValidator(_none_if_empty)] = None
    q: Annotated[str, Field(max_length=200), BeforeValidator(_plain)] = ""
    sort: Sort = "due"
    order: Annotated[str | None, Field(pattern="^(asc|desc)$"), BeforeValidator(_none_if_empty)] = None

    @property
    def is_descending(self) -> bool:
        """Whether the greatest comes first."""
        return (self.order or ("desc" if self.sort in DOWN_AT_FIRST else "asc")) == "desc"

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the state leaves tasks out."""
        return bool(self.status_id or self.priority_id or self.project_id or self.q)


def address(path: str, asked: TaskQuery, **changes: Any) -> str:
    """Return the address that asks the same but for these changes; whatever changes, it is page 1 again."""
    given = asked.model_copy(update={"page": 1} | changes)
    values = {name: value for name, value in given.model_dump().items() if value not in (None, "")}
    fields = TaskQuery.model_fields
    told = {name: value for name, value in values.items() if value != fields[name].default}
    return f"{path}?{urlencode(told)}" if told else path
