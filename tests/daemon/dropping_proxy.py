"""A proxy before a Redmine that does what bad ones do: drops a header, changes an answer."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import requests

Change = Callable[[Any], Any]


@contextmanager
def dropping(target: str, *, header: str = "", change: Change = lambda answer: answer) -> Iterator[str]:
    """Pass requests on to `target` without a header, and change the JSON of each answer; give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = {k: v for k, v in self.headers.items() if k.lower() not in {header.lower(), "host"}}
            answer = requests.get(target + self.path, headers=sent, allow_redirects=False, timeout=30)
            body = answer.content
            if answer.headers.get("Content-Type", "").startswith("application/json") and answer.ok:
                body = json.dumps(change(answer.json())).encode()
            self.send_response_only(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(Handler) as url:
        yield url


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on a port of its own; give the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(5)


def answering(status: int, body: bytes = b"", **headers: str) -> type[BaseHTTPRequestHandler]:
    """Return what always answers the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
