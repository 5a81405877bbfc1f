"""One way into Redmine: its address and the credentials that go with every request."""

from collections.abc import Callable
from typing import TypeVar

from daemon.clients.engine import WiredEngine, engine_for
from daemon.clients.errors import SourceUnavailable, WrongAnswer
from daemon.clients.query import MAX_LIMIT, Params
from daemon.clients.shapes import Json, MalformedError, each, whole
from daemon.clients.wire import Wire

T = TypeVar("T")

_READINGS = 5


class Connection:
    """Asks for paths below Redmine's address and turns the answers into values. Raises SourceError."""

    def __init__(
        self,
        url: str,
        wire: Wire,
        *,
        engine: type[WiredEngine] = WiredEngine,
        **credentials: str | bytes | None,
    ) -> None:
        self._url = url
        self._engine = engine_for(url, wire, engine, **credentials)

    def get(self, path: str, parse: Callable[[Json], T], params: Params | None = None) -> T:
        """What `parse` makes of the answer. One request."""
        answer = self._engine.call("get", self._url + path, params=params)
        where = f"GET {path}"
        if not isinstance(answer, dict):
            raise WrongAnswer(f"{where}: expected a JSON object. Check that url is Redmine's address.")
        try:
            return parse(answer)
        except MalformedError as e:
            raise WrongAnswer(f"{where}: {e}. Is this Redmine older than 5.0, or changed by a plugin?") from e

    def list(self, path: str, key: str, parse: Callable[[Json], T]) -> tuple[T, ...]:
        """All items of a list that Redmine does not page. One request."""
        return self.get(path, lambda answer: each(answer, key, parse))

    def paged(
        self, path: str, key: str, parse: Callable[[Json], T], params: Params | None = None
    ) -> tuple[T, ...]:
        """All items of a list in pages of 100, one request each.

        An item removed between two pages moves the next one out of sight, so a list whose length changes
        is read again from the start.
        """
        for _ in range(_READINGS):
            items = self._reading(path, key, parse, params or {})
            if items is not None:
                return items
        raise SourceUnavailable(f"GET {path}: the list changed during each of {_READINGS} readings.")

    def _reading(
        self, path: str, key: str, parse: Callable[[Json], T], params: Params
    ) -> tuple[T, ...] | None:
        """The whole list, or None when its length changed between two pages."""
        items: tuple[T, ...] = ()
        expected = None
        while True:
            page, total = self.get(
                path,
                lambda answer: (each(answer, key, parse), whole(answer, "total_count")),
                {**params, "offset": len(items), "limit": MAX_LIMIT},
            )
            items += page
            expected = total if expected is None else expected
            if total != expected or (len(items) < total and not page):
                return None
            if len(items) >= total:
                return items

    def put(self, path: str, body: Json) -> None:
        """Write. One request, and more only where Redmine has certainly done nothing."""
        self._engine.call("put", self._url + path, data=body)
