"""One way into Redmine: its address and the credentials that go with every request."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import requests
from requests import Response

from daemon.clients.engine import WiredEngine, engine_for
from daemon.clients.errors import SourceUnavailable, WrongAnswer
from daemon.clients.query import MAX_LIMIT, Params
from daemon.clients.shapes import Json, MalformedError, each, whole
from daemon.clients.transfer import Outgoing
from daemon.clients.trouble import name_of
from daemon.clients.wire import Wire

T = TypeVar("T")

_READINGS = 5
LONGEST_UPLOAD_ANSWER = 1024 * 1024


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
        self._wire = wire
        self._engine = engine_for(url, wire, engine, **credentials)

    def get(self, path: str, parse: Callable[[Json], T], params: Params | None = None) -> T:
        """What `parse` makes of the answer. One request."""
        answer = self._engine.call("get", self._url + path, params=params)
        return parsed(f"GET {path}", answer, parse)

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

    def upload(self, path: str, params: Params, outgoing: Outgoing, parse: Callable[[Json], T]) -> T:
        """Send a file as a request's body; what `parse` makes of the answer. One request, never repeated."""
        headers = {"Content-Type": "application/octet-stream"}
        request = self._engine.prepared("POST", self._url + path, params, headers)
        with self._wire.transfer(request, outgoing) as (response, pieces):
            _keep(response, pieces)
        return parsed(f"POST {path}", self._engine.process_response(response), parse)

    @contextmanager
    def download(self, path: str) -> Iterator[tuple[Mapping[str, str], Iterator[bytes]]]:
        """The headers and the pieces of a file. One request, never repeated."""
        request = self._engine.prepared("GET", self._url + path, headers={"Accept-Encoding": "identity"})
        with self._wire.transfer(request) as (response, pieces):
            if response.status_code != requests.codes.ok:
                response._content = b""  # noqa: SLF001  a page for people, of no use here
                raise self._engine.translated(response)
            yield response.headers, pieces


def _keep(response: Response, pieces: Iterable[bytes]) -> None:
    """Read a short answer, and no more than that."""
    body = b""
    for piece in pieces:
        body += piece
        if len(body) > LONGEST_UPLOAD_ANSWER:
            raise WrongAnswer(f"{name_of(response.request)}: the answer is too long. Is this Redmine?")
    response._content = body  # noqa: SLF001  requests offers no capped read


def parsed(where: str, answer: object, parse: Callable[[Json], T]) -> T:
    """What `parse` makes of an answer; WrongAnswer where that is impossible."""
    if not isinstance(answer, dict):
        raise WrongAnswer(f"{where}: expected a JSON object. Check that url is Redmine's address.")
    try:
        return parse(answer)
    except MalformedError as e:
        raise WrongAnswer(f"{where}: {e}. Is this Redmine older than 5.0, or changed by a plugin?") from e
