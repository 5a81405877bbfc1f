"""A push service on loopback: decrypts what it takes, and misbehaves on demand."""

import base64
import json
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from daemon.channel import Device

Behaviour = Callable[["Handler"], None]


@dataclass
class Browser:
    """A subscription with its secrets, as a browser would have made it."""

    name: str
    origin: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"0123456789abcdef"

    @property
    def device(self) -> Device:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        texts = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (point, self.auth)]
        return Device(1, f"{self.origin}/push/{self.name}", texts[0], texts[1])

    def decrypt(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        return dict(json.loads(plain))


@dataclass(frozen=True)
class Post:
    """A request as the service got it."""

    path: str
    headers: dict[str, str]
    body: bytes


class Sink(ThreadingHTTPServer):
    """Takes messages; `behaviours` by path say otherwise."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts: list[Post] = []
        self.behaviours: dict[str, Behaviour] = {}
        self.connections = 0
        self.released = threading.Event()  # lets go of those that stall
        self.arrived: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self._scheme = "https"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def origin(self, host: str = "localhost") -> str:
        return f"{self._scheme}://{host}:{self.port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what these tests are about."""

    def close(self) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Sink
    body: bytes = b""

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        body = self.body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.posts.append(Post(self.path, headers, body))
        self.server.arrived[self.path].set()
        self.server.behaviours.get(self.path, taken)(self)

    def do_GET(self) -> None:
        self.server.posts.append(Post(f"GET {self.path}", {}, b""))
        self.answer(200)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def taken(handler: Handler) -> None:
    handler.answer(201, Location="/message/1")


def status(code: int, body: bytes = b"", **headers: str) -> Behaviour:
    return lambda handler: handler.answer(code, body, **headers)


def stalls(handler: Handler) -> None:
    handler.server.released.wait(30)
    handler.close_connection = True


def drips(handler: Handler) -> None:
    """Send an endless header, a byte at a time, quicker than any read would time out."""
    handler.wfile.write(b"HTTP/1.1 201 Created\r\nX: ")
    while not handler.server.released.wait(0.1):
        handler.wfile.write(b"x")


def hangs_up(handler: Handler) -> None:
    handler.close_connection = True


def babbles(handler: Handler) -> None:
    handler.wfile.write(b"this is no HTTP\r\n\r\n")
    handler.close_connection = True
