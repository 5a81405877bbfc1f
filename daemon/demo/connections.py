"""HTTP/1.1 with keep-alive around the demo Redmine, and the faults that strike on the wire."""

import os
import socket
import struct
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from daemon.demo.app import App
from daemon.demo.exchange import Answer, Request, StopError
from daemon.demo.faults import Fault, Faults
from daemon.demo.model import User

_COOKIE = ("Set-Cookie", "_redmine_session=demo; path=/; HttpOnly; SameSite=Lax")
_RESET = struct.pack("ii", 1, 0)


class Log(Protocol):
    def record(self, request: Request, user: User | StopError) -> None: ...


class DemoServer(ThreadingHTTPServer):
    """One thread for each connection; it knows them all, so that it can hang up."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], app: App, faults: Faults, log: Log) -> None:
        super().__init__(address, _Handler)
        self.app = app
        self.faults = faults
        self.log = log
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def hang_up(self) -> None:
        """Close every connection; requests in work lose their answer."""
        with self._changed:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # already gone

    def close_all(self, timeout_s: float = 5.0) -> None:
        """Close the port and the connections, and wait for their threads."""
        self.stopping.set()
        self.server_close()
        self.hang_up()
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._changed.wait_for(lambda: not self._open, max(deadline - time.monotonic(), 0))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: DemoServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Silent: the requests are in the log of the server."""

    def _serve(self) -> None:
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._send(Answer(411))
            return
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length) if length else b""
        request = Request.from_target(self.command, self.path, headers, body)
        server = self.server
        user = server.app.who(request)
        server.log.record(request, user)
        fault = server.faults.take(request.method, request.path)
        if fault is None:
            self._send(server.app.answer(request, user))
        else:
            self._fail(fault, request, user)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815 - http.server's names

    def _send(self, answer: Answer, *, upto: int | None = None) -> None:
        """The head, and the body or only its first `upto` bytes. HEAD is told of no length, as Rails does."""
        if self.command == "HEAD":
            answer = replace(answer, body=b"")
        self.send_response_only(answer.status)
        if answer.status not in (204, 304):
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
        for name, value in (*answer.headers, _COOKIE):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body[:upto])
        self.wfile.flush()

    def _fail(self, fault: Fault, request: Request, user: User | StopError) -> None:
        real = self.server.app.answer(request, user) if fault.performed else fault.answer
        half = len(real.body) // 2
        if fault.kind == "answer":
            self._send(fault.answer)
        elif fault.kind == "truncate":
            self._send(Answer(real.status, real.body[:half], real.content_type, real.headers))
        elif fault.kind == "stall":
            self._stall(fault, real, half)
        else:
            self._break_off(fault, real, half)

    def _stall(self, fault: Fault, real: Answer, half: int) -> None:
        if fault.mid_body:
            self._send(real, upto=half)
        if self.server.stopping.wait(fault.seconds):
            self.close_connection = True
            return
        if fault.mid_body:
            self.wfile.write(real.body[half:])
        else:
            self._send(real)

    def _break_off(self, fault: Fault, real: Answer, half: int) -> None:
        if fault.mid_body:
            self._send(real, upto=half)
        self.close_connection = True
        if fault.kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            os.close(self.connection.detach())
