"""A request and its answer, apart from the sockets that carry them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from daemon.demo.access import Viewer
from daemon.demo.model import Json
from daemon.demo.store import Store

JSON_TYPE = "application/json; charset=utf-8"
EMPTY_TYPE = "application/json"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """`query` keeps the last value of a repeated name, as Rails does; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def from_target(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> "Request":
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method, unquote(parts.path), query, headers, body)

    @classmethod
    def of_fields(cls, method: str, path: str, fields: Mapping[str, Any] | None) -> "Request":
        """A request with a JSON body, without a socket; `path` may have a query."""
        body = b"" if fields is None else json.dumps(fields).encode()
        return cls.from_target(method, path, {"content-type": "application/json"}, body)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is what goes over the wire."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def json(cls, payload: object, status: int = 200, *headers: tuple[str, str]) -> "Answer":
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, body, JSON_TYPE, headers)

    @classmethod
    def page(cls, status: int, *headers: tuple[str, str]) -> "Answer":
        """A page for people: what Redmine says where no JSON was asked for."""
        return cls(status, f"<html><body><h1>{status}</h1></body></html>".encode(), HTML_TYPE, headers)

    @classmethod
    def errors(cls, messages: list[str]) -> "Answer":
        """422 with Redmine's messages; an empty list means that somebody else saved in between."""
        return cls.json({"errors": messages}, 422)


class StopError(Exception):
    """Ends a request early with an answer that is not its normal one."""

    def __init__(self, status: int, *headers: tuple[str, str], answer: Answer | None = None) -> None:
        super().__init__(status)
        self.answer = answer or Answer(status, b"", EMPTY_TYPE, headers)


def crash() -> StopError:
    """500 as from an exception that nobody caught, with Rails' own words."""
    return StopError(500, answer=Answer.json({"status": 500, "error": "Internal Server Error"}, 500))


@dataclass(frozen=True, slots=True)
class Call:
    """A request together with who makes it; `fields` is its JSON body, {} without one."""

    store: Store
    viewer: Viewer
    request: Request
    fields: Json

    def includes(self, name: str) -> bool:
        return name in (part.strip() for part in self.request.query.get("include", "").split(","))

    def section(self, name: str) -> Json:
        """The body's object of that name, {} when it is missing. StopError(500) for anything else there."""
        value: Any = self.fields.get(name)
        if isinstance(value, dict):
            return value
        if value is None:
            return {}
        raise crash()

    def denied(self) -> StopError:
        """403 for who is signed in, else 401 (`deny_access`)."""
        return StopError(403) if self.viewer.user.logged else self.login_required()

    def login_required(self) -> StopError:
        if not self.store.settings.rest_api_enabled:
            return StopError(403)
        return StopError(401, ("WWW-Authenticate", 'Basic realm="Redmine API"'))

    def page(self) -> tuple[int, int]:
        """Offset and limit: 25 unless told, at most 100, nothing wrong is an error."""
        limit = _int(self.request.query.get("limit", ""))
        limit = 25 if limit < 1 else min(limit, 100)
        if self.request.query.get("offset"):
            return max(_int(self.request.query["offset"]), 0), limit
        if self.request.query.get("page"):
            return max((_int(self.request.query["page"]) - 1) * limit, 0), limit
        return 0, limit


def _int(text: str) -> int:
    """Ruby's `to_i`: leading digits or 0."""
    digits = text.strip()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    end = next((n for n, c in enumerate(digits) if not c.isdigit()), len(digits))
    return sign * int(digits[:end] or 0)
