"""When a request may be sent again, and after how long."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from json import JSONDecodeError

import requests
from requests import Response
from urllib3.exceptions import HTTPError, NewConnectionError

# What one attempt came to. requests' errors are OSErrors; it lets some of urllib3's pass as they are.
Trouble = OSError | HTTPError
Outcome = Response | Trouble

_BUSY = frozenset({429, 502, 503, 504})
# Of these only an untouched request is certain: 502 and 504 come from a proxy whose back end may have worked.
_NOT_DONE = frozenset({429, 503})
_BACKOFF_BASE_S = 0.5
_BACKOFF_CAP_S = 15.0
_LONGEST_S = 86_400.0


def may_repeat(method: str, outcome: Outcome) -> bool:
    """Say whether the same request may be sent again: a read after any passing trouble, a write only
    where it is certain that nothing has been done."""
    if method == "GET":
        return _passing_trouble(outcome)
    if isinstance(outcome, Response):
        return outcome.status_code in _NOT_DONE or is_conflict(outcome)
    return never_sent(outcome)


def _passing_trouble(outcome: Outcome) -> bool:
    if isinstance(outcome, Response):
        return outcome.status_code in _BUSY
    if isinstance(outcome, requests.exceptions.SSLError):
        return False  # a certificate does not become right within seconds
    return isinstance(
        outcome, requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError
    )


def is_conflict(response: Response) -> bool:
    """Say whether somebody else was writing the same issue: 422 with an empty list of messages."""
    if response.status_code != requests.codes.unprocessable_entity:
        return False
    try:
        return bool(response.json() == {"errors": []})
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        return False


def never_sent(error: Trouble) -> bool:
    """Say whether no connection came about, so that the server has seen nothing."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def pause_s(outcome: Outcome, attempt: int, rng: Callable[[], float]) -> float:
    """Seconds to wait before attempt number `attempt` + 1 (0 = first retry).

    Exponential back-off with full jitter, but never less than what the server asks for.
    """
    backoff = rng() * min(_BACKOFF_CAP_S, _BACKOFF_BASE_S * 2.0**attempt)
    asked = retry_after_s(outcome) if isinstance(outcome, Response) else None
    return backoff if asked is None else max(backoff, asked)


def retry_after_s(response: Response) -> float | None:
    """Read Retry-After of an answer, see `asked_s`."""
    return asked_s(response.headers)


def asked_s(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After (seconds or a date) as seconds from now, a day at most; None when absent or odd."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_S)
    until = _http_date(text)
    if until is None:
        return None
    # The server's own clock, where it tells it: ours may be minutes away.
    now = _http_date(headers.get("Date", "")) or datetime.now(UTC)
    return min(max((until - now) / timedelta(seconds=1), 0.0), _LONGEST_S)


def _http_date(text: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
