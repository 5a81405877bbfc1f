"""How often a password may be wrong, for each user name and each address; how often some views are asked."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits.errors import StorageError
from werkzeug.exceptions import BadRequest

from web.people import someone
from web.settings import AuthSettings

TIMEOUT_S = 1
LONGEST_NAME = 255


def options(url: str) -> dict[str, Any]:
    """Return how long a counter that is not in memory is waited for."""
    if url.startswith("memory"):
        return {}
    return {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}


class Throttle:
    """Counts log-ins before the password is looked at, so that a hundred at once are counted too.

    One that turned out right, or could not be checked, is given back.
    """

    def __init__(self, app: Flask, settings: AuthSettings, workers: int = 1) -> None:
        url = settings.limiter_storage()
        self._settings = settings
        self._user_limit = settings.limit_of_one(workers)
        self._limiter = Limiter(
            _address,
            app=app,
            storage_uri=url,
            storage_options={"wrap_exceptions": True} | options(url),
            in_memory_fallback_enabled=True,  # without its Redis each process counts for itself
            key_prefix="helpdesk",
        )

    def guard(self, app: Flask, endpoint: str, whose: Callable[[], str] | None = None) -> None:
        """Put the limits before this view's writes; `whose` names the password that is tried."""
        view: Any = app.view_functions[endpoint]
        for limit, key in (
            (self._settings.failures_per_address, _address),
            (self._user_limit, whose or _user_name),
        ):
            view = self._limiter.limit(limit, key_func=key, methods=["POST", "PUT"], scope=key.__name__)(view)
        app.view_functions[endpoint] = view

    def slow(self, app: Flask, endpoint: str, rate: str, whose: Callable[[], str] | None = None) -> None:
        """Let no more than `rate` requests of an address, or of what `whose` says, through to this view."""
        view: Any = app.view_functions[endpoint]
        limited = self._limiter.limit(rate, key_func=whose or _address, scope=endpoint)
        app.view_functions[endpoint] = limited(view)

    def give_back(self) -> None:
        """Undo the counting of this request."""
        counters = self._limiter.limiter
        for used in self._limiter.current_limits:
            with contextlib.suppress(StorageError):
                counters.storage.incr(used.key, used.limit.get_expiry(), -1)

    def wait_s(self) -> int:
        """Return in how many seconds the limit that stopped this request lets the next one through."""
        used = self._limiter.current_limit
        with contextlib.suppress(StorageError):
            if used is not None:
                return max(1, int(used.reset_at - time.time()))
        return 60


def own_name() -> str:
    """Return whose own password is tried by somebody who is signed in."""
    who = someone()
    return who.username.casefold() if who else "-"


def _address() -> str:
    return get_remote_address() or "unknown"


def _user_name() -> str:
    """Return the name somebody tries to log in with, however it is written."""
    try:
        given = request.get_json() if request.is_json else request.form
        name = given.get("username") if hasattr(given, "get") else None
    except (BadRequest, RecursionError):
        name = None
    return str(name or "-").strip().casefold()[:LONGEST_NAME] or "-"
