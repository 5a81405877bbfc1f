"""python-redmine's engine, made safe: our transport below it, our errors above it.

python-redmine 2.5.0 as it comes ignores its time-out, retries nothing, follows redirects, keeps cookies
and turns connection trouble into raw requests errors. Only `engine.request` of it is used: its resource
objects hide further requests, and its `update()` may send another thread's fields.
"""

from collections.abc import Mapping
from typing import Any, cast

import requests
from redminelib import Redmine
from redminelib import exceptions as redmine_errors
from redminelib.engines.base import BaseEngine
from requests import PreparedRequest, Response

from daemon.clients.errors import (
    ImpersonationRefused,
    NotFound,
    Rejected,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    WrongAnswer,
)
from daemon.clients.query import Params
from daemon.clients.retry import retry_after_s
from daemon.clients.shapes import Json
from daemon.clients.trouble import name_of
from daemon.clients.wire import Wire


class WiredSession(requests.Session):
    """A session that only holds headers and authentication; the wire it shares does the rest."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        # Otherwise a .netrc entry for the host replaces our key, and a proxy variable sends it elsewhere.
        self.trust_env = False
        self._wire = wire

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:  # noqa: ARG002
        return self._wire.send(request)


class WiredEngine(BaseEngine):
    """Engine of one acting user. Raises SourceError and nothing else; answers are decoded JSON.

    Made with `requests={"wire": ...}`: python-redmine adds the headers to a copy of that dict.
    """

    @staticmethod
    def create_session(**params: Any) -> WiredSession:
        session = WiredSession(params["wire"])
        session.headers.update(params["headers"])
        session.auth = params.get("auth")
        return session

    def call(self, method: str, url: str, *, params: Params | None = None, data: Json | None = None) -> Any:
        """Decoded JSON of the answer; True where it has no body."""
        return self.request(method, url, params=params, data=data)  # type: ignore[no-untyped-call]

    def prepared(
        self, method: str, url: str, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> PreparedRequest:
        """A request with this user's credentials, without a body, for who sends it otherwise."""
        asked = requests.Request(method, url, headers=dict(headers or {}), params=params)
        return cast(WiredSession, self.session).prepare_request(asked)

    def process_response(self, response: Response) -> Any:
        if response.status_code == requests.codes.unprocessable_entity:
            raise _rejected(response)
        try:
            return super().process_response(response)  # type: ignore[no-untyped-call]
        except (redmine_errors.BaseRedmineError, RecursionError) as e:
            raise self.translated(response) from e

    def translated(self, response: Response) -> SourceError:
        """The error a status stands for; python-redmine tells the statuses apart but says too little."""
        where = name_of(response.request)
        status = response.status_code
        if status in _REFUSALS:
            return SourceRefused(f"{where}: {_REFUSALS[status]}", status=status)
        if status == requests.codes.not_found:
            return NotFound(f"{where}: there is no such thing (404), or it is hidden from this user.")
        if status == requests.codes.precondition_failed:
            return ImpersonationRefused(
                f"{where}: Redmine has no active user of this login (412). Unlock or correct it.",
                status=status,
            )
        if status == requests.codes.too_many_requests or status >= requests.codes.internal_server_error:
            return _unavailable(where, response)
        return _redirected(where, response) if 300 <= status < 400 else _unexpected(where, response)


def engine_for(
    url: str, wire: Wire, engine: type[WiredEngine], **credentials: str | bytes | None
) -> WiredEngine:
    """A fresh engine, with a session and headers of its own, over the shared wire."""
    redmine = Redmine(url, engine=engine, requests={"wire": wire}, **credentials)
    return cast(WiredEngine, redmine.engine)


_REFUSALS = {
    401: "Redmine does not accept the key (401). Check api_key_env or api_key_file, and that the key's "
    "owner is neither locked nor has made a new key.",
    403: "forbidden (403). Either the acting user may not see or do this, or REST is switched off "
    "(Administration, Settings, API, Enable REST web service).",
}


def _rejected(response: Response) -> SourceError:
    where = name_of(response.request)
    try:
        errors = response.json()["errors"]
        messages = tuple(_message(error) for error in errors)
    except (ValueError, KeyError, TypeError, RecursionError):
        return _unexpected(where, response)
    if not messages:
        return Rejected(f"{where}: others kept writing the same issue (422). Try again.")
    return Rejected(f"{where}: rejected (422): {'; '.join(messages)}", messages=messages)


def _message(error: object) -> str:
    return ": ".join(map(str, error)) if isinstance(error, list) else str(error)


def _unavailable(where: str, response: Response) -> SourceUnavailable:
    asked = retry_after_s(response)
    hint = "See Redmine's log." if asked is None else f"It asks to wait {asked:g} s."
    return SourceUnavailable(f"{where}: status {response.status_code}. {hint}", retry_after_s=asked)


def _redirected(where: str, response: Response) -> SourceError:
    target = response.headers.get("Location", "nowhere").partition("?")[0][:200]
    if target.rstrip("/").endswith("/login"):
        return SourceRefused(
            f"{where}: redirected to {target}. Check the key and that REST is switched on.",
            status=response.status_code,
        )
    return WrongAnswer(f"{where}: redirected to {target}. Put Redmine's final address into url.")


def _unexpected(where: str, response: Response) -> WrongAnswer:
    kind = response.headers.get("Content-Type", "no content type").partition(";")[0]
    return WrongAnswer(
        f"{where}: status {response.status_code} with {len(response.content)} bytes of {kind}, "
        "not an answer of Redmine's. Check that url is Redmine's address and what proxies stand before it."
    )
