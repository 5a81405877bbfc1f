"""A tiny threaded HTTP server that does what it is told, well or badly."""

import json
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Seen:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    def header(self, name: str) -> str | None:
        return self.headers.get(name.lower())


# Gets the request and the socket; says whether the connection stays open.
Move = Callable[[Seen, socket.socket], bool]


def answer(status: int = 200, body: bytes | Any = b"", **headers: str) -> Move:
    """A well-behaved answer; anything but bytes is sent as JSON. `Retry_After` = "Retry-After"."""

    def move(_: Seen, sock: socket.socket) -> bool:
        sock.sendall(_response(status, body, headers))
        return True

    return move


def _response(status: int, body: bytes | Any, headers: dict[str, str]) -> bytes:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {"Content-Type": "application/json", "Content-Length": str(len(payload))}
    names |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in names.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + payload


def raw(data: bytes, *, reset: bool = False) -> Move:
    """Exactly these bytes, then the end of the connection, by a reset if asked."""

    def move(_: Seen, sock: socket.socket) -> bool:
        sock.sendall(data)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return move


def drip(head: bytes, drop: bytes, *, times: int = 2000, every_s: float = 0.002) -> Move:
    """`head` at once, then one drop after the other, until the client has had enough."""

    def move(_: Seen, sock: socket.socket) -> bool:
        sock.sendall(head)
        for _unused in range(times):
            sock.sendall(drop)
            time.sleep(every_s)
        return False

    return move


@dataclass
class ScriptedServer:
    """Plays `moves` in turn, one a request, then `rest` for ever."""

    moves: list[Move] = field(default_factory=list)
    rest: Move = field(default_factory=lambda: answer(200, {}))
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    open_at_most: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        # Set when the server stops: ends every stall.
        self.over = threading.Event()

    @property
    def url(self) -> str:
        port = int(self._server.server_address[1])
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{port}"

    def stall(self, _seen: Seen, _sock: socket.socket) -> bool:
        """Say nothing until the test is over."""
        self.over.wait(30)
        return False

    def play(self, seen: Seen, sock: socket.socket) -> bool:
        with self._lock:
            self.seen.append(seen)
            move = self.moves.pop(0) if self.moves else self.rest
        return move(seen, sock)

    def all_closed(self, *, within_s: float) -> bool:
        """Wait until the client has closed every connection; False when it does not."""
        with self._lock:
            return self._lock.wait_for(lambda: self.open_now == 0, within_s)

    def opened(self) -> int:
        with self._lock:
            self.connections += 1
            self.open_now += 1
            self.open_at_most = max(self.open_at_most, self.open_now)
            return self.connections

    def closed(self) -> None:
        with self._lock:
            self.open_now -= 1
            self._lock.notify_all()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


def _handler_of(script: ScriptedServer) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            number = script.opened()
            try:
                self._serve(number)
            except OSError:
                pass  # the client hung up, as many a test wants it to
            finally:
                script.closed()

        def _serve(self, number: int) -> None:
            sock = self.request
            sock.settimeout(30)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if script.tls is not None:
                sock = script.tls.wrap_socket(sock, server_side=True)
            with sock, sock.makefile("rb") as reader:
                while (seen := _read(reader, number)) is not None and script.play(seen, sock):
                    pass

    return Handler


def _read(reader: Any, connection: int) -> Seen | None:
    line = reader.readline().decode("latin-1").split()
    if not line:
        return None
    headers: dict[str, str] = {}
    while (header := reader.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", "0")))
    return Seen(line[0], line[1], headers, body, connection)
