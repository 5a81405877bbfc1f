"""WSGI layer before Socket.IO: who may open a WebSocket at all.

A visitor is refused with the HTTP answer, not after the upgrade, and so is everybody when a worker holds as
many pages as it should.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import structlog

from storage.session import StorageError
from web.people import Admitted

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/socket.io"
ADMITTED = "helpdesk.admitted"  # in the environment of a WebSocket: whom the doorkeeper let in
UNAUTHORIZED = "401 Unauthorized"
UNAVAILABLE = "503 Service Unavailable"
Admit = Callable[["WSGIEnvironment"], Admitted | None]
log = structlog.get_logger(__name__)


class Doorkeeper:
    """Lets the signed-in in while there is room; everything else passes untouched."""

    def __init__(self, inner: "WSGIApplication", admit: Admit, *, is_full: Callable[[], bool]) -> None:
        self._inner = inner
        self._admit = admit
        self._is_full = is_full

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(PATH):
            return self._inner(environ, start_response)
        refusal = self._refusal(environ)
        if refusal is not None:
            start_response(refusal, [("Content-Type", "text/plain"), ("Retry-After", "10")])
            return [refusal.encode()]
        # Compressing every frame would cost 90 KiB a client and double the time of a broadcast.
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        return self._inner(environ, start_response)

    def _refusal(self, environ: "WSGIEnvironment") -> str | None:
        if self._is_full():
            log.warning("socket_refused_as_there_are_too_many")
            return UNAVAILABLE
        try:
            environ[ADMITTED] = self._admit(environ)
        except StorageError as e:
            log.error("socket_refused_without_database", error=str(e))  # noqa: TRY400 - the text says all
            return UNAVAILABLE
        return None if environ[ADMITTED] else UNAUTHORIZED
