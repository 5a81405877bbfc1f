"""What Redmine says to a visitor without a key, and what time it has: for the check of the set-up."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from requests import Request, Response

from daemon.clients.login import ACCOUNT_PATH
from daemon.clients.settings import RedmineSettings
from daemon.clients.wire import Timing, Wire

# Nothing ever happened then, and a feed without entries says when it was made.
EMPTY_FEED = "/activity.atom?from=1970-01-02"
_UPDATED = re.compile(r"<updated>([^<]{10,40})</updated>")


@dataclass(frozen=True, slots=True)
class Visit:
    """An answer to a visitor: 401 is Redmine with REST switched on, 403 with REST switched off."""

    status: int
    location: str
    took_s: float


def visit(settings: RedmineSettings) -> Visit:
    """Ask who we are, without a key. Raises SourceUnavailable, WrongAnswer."""
    began = time.monotonic()
    answer = _get(settings, ACCOUNT_PATH)
    location = answer.headers.get("Location", "").partition("?")[0][:200]
    return Visit(answer.status_code, location, time.monotonic() - began)


def server_time(settings: RedmineSettings) -> datetime | None:
    """Return Redmine's time, exact to some seconds; None where it says none. Raises as `visit`.

    A web server before it says it with each answer. Puma by itself does not: then a feed that is empty does.
    """
    answer = _get(settings, EMPTY_FEED, settings.api_key().get_secret_value())
    dated = _moment(answer.headers.get("Date", ""))
    found = _UPDATED.search(answer.text) if answer.ok else None
    return dated or (_moment(found.group(1)) if found else None)


def _get(settings: RedmineSettings, path: str, key: str = "") -> Response:
    """Ask once more at the most: somebody waits for the answer."""
    wire = Wire(settings.model_copy(update={"retries": min(settings.retries, 1)}), Timing())
    headers = {"X-Redmine-API-Key": key} if key else {}
    try:
        return wire.send(Request("GET", settings.url + path, headers=headers).prepare())
    finally:
        wire.close()


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
