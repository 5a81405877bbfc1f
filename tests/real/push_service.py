"""A push service such as Mozilla's, on loopback: a WebSocket for the browser, HTTP for senders."""

import base64
import json
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simple_websocket import ConnectionClosed, Server
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from tests.e2e.viewer import wait_until

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DELIVERED = 100  # the code by which Firefox says that its service worker had the message


@dataclass
class Sent:
    """A message as its sender posted it, and what the browser said of it."""

    channel: str
    headers: dict[str, str]
    size: int
    code: int | None = None


class _Silent(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class PushService:
    """Gives out endpoints and passes messages on; `gone` answers 410 for what was unregistered."""

    sent: dict[str, Sent] = field(default_factory=dict)
    _channels: dict[str, str] = field(default_factory=dict)  # token -> channel
    _waiting: list[dict[str, Any]] = field(default_factory=list)
    _browser: Server | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Silent)
        self.port = self._server.server_port
        self.origin = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "PushService":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def expect_delivered(self, *, more_than: int = 0) -> Sent:
        """Wait until the browser has decrypted more than so many messages; return the last."""

        def delivered() -> list[Sent]:
            return [sent for sent in list(self.sent.values()) if sent.code == DELIVERED]

        wait_until(lambda: len(delivered()) > more_than, f"Firefox took it: {self.sent}", 30)
        return delivered()[-1]

    def delivered(self) -> int:
        """Count what the browser has decrypted."""
        return sum(sent.code == DELIVERED for sent in list(self.sent.values()))

    def endpoints(self) -> int:
        """Count the endpoints that are alive."""
        return len(self._channels)

    def forget_all(self) -> None:
        """Answer 410 for every endpoint that was given out so far."""
        with self._lock:
            self._channels = {}

    def _answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            self._talk(Server.accept(environ))
            raise ConnectionError  # how werkzeug is told that the connection has been taken over
        return self._post(Request(environ))(environ, start_response)

    def _post(self, request: Request) -> Response:
        token = request.path.rpartition("/")[2]
        with self._lock:
            channel = self._channels.get(token)
            if channel is None:
                return Response(status=410)
            version = secrets.token_hex(8)
            body = request.get_data()
            self.sent[version] = Sent(channel, dict(request.headers), len(body))
            self._pass_on(
                {
                    "messageType": "notification",
                    "channelID": channel,
                    "version": version,
                    "data": base64.urlsafe_b64encode(body).decode().rstrip("="),
                    "headers": {"encoding": request.headers["Content-Encoding"]},
                }
            )
        return Response(status=201, headers={"Location": f"{self.origin}/m/{version}"})

    def _pass_on(self, message: dict[str, Any]) -> None:
        if self._browser is None:
            self._waiting.append(message)
        else:
            self._browser.send(json.dumps(message))

    def _talk(self, browser: Server) -> None:
        """Speak with the browser until it goes."""
        try:
            while True:
                self._hear(browser, json.loads(browser.receive()))
        except ConnectionClosed:
            with self._lock:
                self._browser = None if self._browser is browser else self._browser

    def _hear(self, browser: Server, said: dict[str, Any]) -> None:
        replies: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
            "hello": self._hello,
            "register": self._register,
            "unregister": self._unregister,
            "ack": self._ack,
            "nack": self._nack,
        }
        kind = said.get("messageType", "ping")
        with self._lock:
            reply = replies[kind](said) if kind in replies else ({} if kind == "ping" else None)
            if reply is not None:
                browser.send(json.dumps({"messageType": kind, **reply} if kind != "ping" else {}))
            if kind == "hello":
                self._browser = browser
                while self._waiting:
                    self._pass_on(self._waiting.pop(0))

    def _hello(self, said: dict[str, Any]) -> dict[str, Any]:
        uaid = said.get("uaid") or secrets.token_hex(16)
        return {"uaid": uaid, "status": 200, "use_webpush": True, "broadcasts": {}}

    def _register(self, said: dict[str, Any]) -> dict[str, Any]:
        token = secrets.token_urlsafe(24)
        self._channels[token] = said["channelID"]
        endpoint = f"{self.origin}/wpush/v2/{token}"
        return {"channelID": said["channelID"], "status": 200, "pushEndpoint": endpoint}

    def _unregister(self, said: dict[str, Any]) -> dict[str, Any]:
        left = {token: channel for token, channel in self._channels.items() if channel != said["channelID"]}
        self._channels = left
        return {"channelID": said["channelID"], "status": 200}

    def _ack(self, said: dict[str, Any]) -> None:
        for update in said["updates"]:
            if update["version"] in self.sent:
                self.sent[update["version"]].code = update["code"]

    def _nack(self, said: dict[str, Any]) -> None:
        if said.get("version") in self.sent:
            self.sent[said["version"]].code = said.get("code")
