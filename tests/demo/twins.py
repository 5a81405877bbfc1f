"""Ask the demo Redmine and the real one the same thing, and compare what they say."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from requests import Response

from tests.redmines import KeySession, RedmineUnderTest

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_ADDRESS = re.compile(r"http(://|%3A%2F%2F)127\.0\.0\.1(:|%3A)\d+")
_OURS = frozenset({"content-type", "www-authenticate", "location", "content-disposition", "content-length"})


_UNORDERED = frozenset({"permissions", "watchers"})
_UNORDERED_OF_FIELDS = _UNORDERED | {"roles", "trackers"}


def _unordered(of: dict[str, Any]) -> frozenset[str]:
    """Name the lists that Redmine gives in whatever order its database has them."""
    return _UNORDERED_OF_FIELDS if "customized_type" in of else _UNORDERED


def _todays() -> set[str]:
    return {datetime.now(zone).date().isoformat() for zone in (UTC, ZoneInfo("Europe/Moscow"))}


def scrubbed(value: Any) -> Any:
    """JSON without what must differ: times (but not whether there is one), addresses, digests of tokens."""
    if isinstance(value, dict):
        unordered = _unordered(value)
        return {k: sorted(v, key=str) if k in unordered else scrubbed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [scrubbed(each) for each in value]
    if isinstance(value, str) and value in _todays():
        return "TODAY"  # three hours a day it is another one in the zone of the real Redmine
    if isinstance(value, str):
        return _ADDRESS.sub("http://redmine", _TIME.sub("TIME", value))
    return value


def told(answer: Response) -> dict[str, Any]:
    """Status, the headers that matter, and the body as JSON where it is one."""
    headers = {k.lower(): scrubbed(v) for k, v in answer.headers.items() if k.lower() in _OURS}
    if "json" in headers.get("content-type", "") and answer.text.strip():
        headers.pop("content-length", None)
        return {"status": answer.status_code, "headers": headers, "body": scrubbed(answer.json())}
    if "html" in headers.get("content-type", ""):
        return {"status": answer.status_code, "type": "html", "location": headers.get("location")}
    return {"status": answer.status_code, "headers": headers, "body": answer.text}


@dataclass
class Twins:
    """The same request to both; `differences` collects where they disagree."""

    demo: RedmineUnderTest
    real: RedmineUnderTest
    differences: list[str] = field(default_factory=list)

    def ask(self, login: str, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """Send as `login` ("" = anonymous) with a JSON body; the demo's answer comes back."""
        if body is not None:
            options["json"] = body
        answers = [self._one(twin, login, method, path, options) for twin in (self.demo, self.real)]
        if answers[0] != answers[1]:
            self.differences += self._described(f"{login} {method} {path} {body}", *answers)
        return answers[0]

    def _one(
        self, twin: RedmineUnderTest, login: str, method: str, path: str, options: dict[str, Any]
    ) -> dict[str, Any]:
        with KeySession(twin.key(login) if login else None) as session:
            return told(session.request(method, twin.url + path, allow_redirects=False, **options))

    def _described(self, asked: str, demo: Any, real: Any) -> list[str]:
        return [f"{asked}: {line}" for line in differing("", demo, real)]


def differing(path: str, demo: Any, real: Any) -> list[str]:
    """Each place where the two differ."""
    if isinstance(demo, dict) and isinstance(real, dict):
        keys = sorted({*demo, *real})
        missing = "(absent)"
        return [d for k in keys for d in differing(f"{path}.{k}", demo.get(k, missing), real.get(k, missing))]
    if isinstance(demo, list) and isinstance(real, list) and len(demo) == len(real):
        return [
            d
            for n, (a, b) in enumerate(zip(demo, real, strict=True))
            for d in differing(f"{path}[{n}]", a, b)
        ]
    return [] if demo == real else [f"{path}: demo {demo!r}, real {real!r}"]
