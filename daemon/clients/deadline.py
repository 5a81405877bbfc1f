"""HTTP connections that give up when a whole call has taken too long.

A read time-out only bounds the silence between two packets: a server that drips one byte a second keeps
a thread for ever, in the headers as well as in the body. So every single read of an answer asks how much
of the call's time is left and waits no longer than that. Only name resolution is beyond our reach: it
ends when the system's resolver gives up.
"""

import http.client
import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

Remaining = Callable[[], float]


class _Call(threading.local):
    """The call this thread is in; a pooled connection serves one thread at a time."""

    remaining: Remaining | None = None


_call = _Call()


@contextmanager
def limited(remaining: Remaining) -> Iterator[None]:
    """Bound every read of an answer in this thread by `remaining()` seconds, asked anew each time."""
    _call.remaining = remaining
    try:
        yield
    finally:
        _call.remaining = None


class _BoundedReader(io.RawIOBase):
    """Reads a socket, each time no longer than both the read time-out and the call's time allow."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, remaining: Remaining) -> None:
        self._raw = raw
        self._sock = sock
        self._remaining = remaining
        self._read_timeout_s = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._remaining()
        if left <= 0:
            raise TimeoutError("the call's time is used up")
        self._sock.settimeout(left if self._read_timeout_s is None else min(left, self._read_timeout_s))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    """An answer whose every read obeys `limited`."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        if _call.remaining is not None:
            self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock, _call.remaining))


class _Connection(HTTPConnection):
    response_class = BoundedResponse


class _TlsConnection(HTTPSConnection):
    response_class = BoundedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class BoundedAdapter(HTTPAdapter):
    """A pool of keep-alive connections whose reads obey `limited`."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
