"""A small HTTP proxy before the real Redmine that counts what is asked and breaks what it is told to."""

import contextlib
import http.client
import os
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "set-cookie", "content-length"})
UPSTREAM_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that came to the proxy. `acting` is the log-in it acts as, "" for the key's owner."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    acting: str

    @property
    def kind(self) -> str:
        """What the request is for: key, list, read, visibility (a list as somebody), read_as or reference."""
        if self.path == "/users/current.json" or (
            self.path == "/users.json" and self.query["limit"] == ["1"]
        ):
            return "key"
        if self.path == "/issues.json":
            return "visibility" if self.acting else "list"
        if re.fullmatch(r"/issues/\d+\.json", self.path):
            return "read_as" if self.acting else "read"
        return "reference"


@dataclass(frozen=True, slots=True)
class Answer:
    """What Redmine answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


# Gets the waiting client and the true answer; says whether the connection stays usable.
Fault = Callable[["_Handler", Answer], bool]


@dataclass
class FaultyProxy:
    """Listens on a free port of 127.0.0.1 and forwards to `target` until `broken` says otherwise."""

    target: str
    seen: list[Seen] = field(default_factory=list)
    spoiled: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._choose: Callable[[Seen], Fault | None] = lambda _: None
        self.drops_keys = False
        self._open: set[socket.socket] = set()
        self.healed = threading.Event()  # ends every stall
        self._port = 0
        self._listen()

    @property
    def url(self) -> str:
        """Address of the proxy; it stays the same when the proxy goes down and comes up again."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.healed.set()
        self._shut()

    @contextmanager
    def broken(self, choose: Callable[[Seen], Fault | None]) -> Iterator[None]:
        """Break those requests for which `choose` returns a fault, until the block ends."""
        self._choose = choose
        self.healed.clear()
        try:
            yield
        finally:
            self._choose = lambda _: None
            self.healed.set()

    @contextmanager
    def anonymous(self) -> Iterator[None]:
        """Hide everybody's key from Redmine until the block ends, as if all were revoked."""
        self.drops_keys = True
        try:
            yield
        finally:
            self.drops_keys = False

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse every connection until the block ends; open ones break."""
        self._shut()
        try:
            yield
        finally:
            self._listen()

    def count(self, since: int = 0) -> Counter[str]:
        """Count the requests by kind, from the number `since` on."""
        with self._lock:
            return Counter(seen.kind for seen in self.seen[since:])

    def fault_for(self, seen: Seen) -> Fault | None:
        """Note a request and say how to break it, None to let it pass."""
        with self._lock:
            self.seen.append(seen)
            fault = self._choose(seen)
            if fault is not None:
                self.spoiled[seen.kind] += 1
            return fault

    def opened(self, connection: socket.socket) -> None:
        """Remember a client's connection."""
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a client's connection."""
        with self._lock:
            self._open.discard(connection)

    def _listen(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), _handler_of(self))
        self._port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _shut(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks is what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def setup(self) -> None:
        super().setup()
        self.proxy.opened(self.connection)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        target = urlsplit(self.proxy.target)
        self._upstream = http.client.HTTPConnection(
            target.hostname or "", target.port, timeout=UPSTREAM_TIMEOUT_S
        )

    def finish(self) -> None:
        self._upstream.close()
        self.proxy.closed(self.connection)
        with contextlib.suppress(OSError):  # the connection was reset
            super().finish()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        acting = self.headers.get("X-Redmine-Switch-User", "")
        fault = self.proxy.fault_for(Seen(self.command, parts.path, parse_qs(parts.query), acting))
        answer = self._forward()
        if fault is None:
            self.send(answer)
        else:
            self.close_connection = not fault(self, answer)

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the names that the server looks up

    def _forward(self) -> Answer:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        dropped = HOP_BY_HOP | ({"x-redmine-api-key"} if self.proxy.drops_keys else set())
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        try:
            return self._ask(body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._upstream.close()  # puma closes idle connections
            return self._ask(body, headers)

    def _ask(self, body: bytes, headers: dict[str, str]) -> Answer:
        self._upstream.request(self.command, self.path, body or None, headers)
        response = self._upstream.getresponse()
        kept = tuple((n, v) for n, v in response.getheaders() if n.lower() not in HOP_BY_HOP)
        return Answer(response.status, kept, response.read())

    def send(self, answer: Answer) -> None:
        """Send a whole answer."""
        self.wfile.write(head_of(answer) + answer.body)

    def log_message(self, *args: object) -> None:
        """Say nothing: the requests are kept in `seen`."""


def _handler_of(proxy: FaultyProxy) -> type[_Handler]:
    return type("Handler", (_Handler,), {"proxy": proxy})


def head_of(answer: Answer, length: int | None = None) -> bytes:
    """Return status line and headers; `length` is what Content-Length claims, the truth by default."""
    named = [*answer.headers, ("Content-Length", str(len(answer.body) if length is None else length))]
    lines = "".join(f"{name}: {value}\r\n" for name, value in named)
    return f"HTTP/1.1 {answer.status} {http.client.responses[answer.status]}\r\n{lines}\r\n".encode()


def error(status: int, body: bytes = b"", content_type: str = "application/json", **headers: str) -> Fault:
    """Answer with this status instead; `Retry_After` = the header "Retry-After"."""
    named = {"Content-Type": content_type} | {n.replace("_", "-"): v for n, v in headers.items()}

    def fault(client: _Handler, _: Answer) -> bool:
        client.send(Answer(status, tuple(named.items()), body))
        return True

    return fault


def reset_in_the_middle(client: _Handler, answer: Answer) -> bool:
    """Send the head and half of the body, then RST."""
    client.wfile.write(head_of(answer) + answer.body[: len(answer.body) // 2])
    client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(client.connection.detach())  # close() would wait for the files made of the socket
    return False


def cut_short(client: _Handler, answer: Answer) -> bool:
    """Promise the whole body, send half of it and end in good order."""
    client.wfile.write(head_of(answer) + answer.body[: len(answer.body) // 2])
    return False


def truncated_json(client: _Handler, answer: Answer) -> bool:
    """Half of the JSON, as an answer that is whole by its Content-Length."""
    client.send(Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2]))
    return True


def html(client: _Handler, _: Answer) -> bool:
    """A page for people, with status 200, as a proxy under repair shows it."""
    page = b"<!DOCTYPE html><html><body><h1>We will be back soon</h1></body></html>"
    client.send(Answer(200, (("Content-Type", "text/html; charset=utf-8"),), page))
    return True


def stall(client: _Handler, _: Answer) -> bool:
    """Say nothing until the proxy is healed."""
    client.proxy.healed.wait(UPSTREAM_TIMEOUT_S)
    return False


def drip(client: _Handler, answer: Answer) -> bool:
    """Send one byte after the other, each soon enough for a read time-out, until healed."""
    data = head_of(answer) + answer.body
    for position in range(len(data)):
        client.wfile.write(data[position : position + 1])
        if client.proxy.healed.wait(0.1):
            break
    return False
