# mypy: allow-untyped-calls
"""python-engineio's server with its WebSockets held by a hub instead of by three threads each."""

import io
import socket
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import engineio
from engineio import json, packet
from engineio.exceptions import EngineIOError
from engineio.packet import Packet
from engineio.socket import Socket
from pydantic_core import to_json
from socketio.packet import Packet as SocketIOPacket

from web.doorkeeper import ADMITTED
from web.hub import Hub, Job
from web.wire import Wire, accepts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CONNECT, DISCONNECT = "40", "41"
APP = "flask.app"  # where Flask-SocketIO looks for it
NO_BODY = {"wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.version": (1, 0)}


class Json:
    """How packets are written: sooner than by the standard library, and Russian in a third of its bytes."""

    loads = staticmethod(json.loads)

    @staticmethod
    def dumps(value: object, **_options: object) -> str:
        """Write a packet's content."""
        return to_json(value).decode()


class Message(SocketIOPacket):
    """A packet of Socket.IO. None of ours holds bytes, so none is searched for them."""

    uses_binary_events = False
    json = Json  # type: ignore[assignment]  # what it wants of a module


class Outgoing:
    """Stands where engineio has a queue that a thread of the connection's own reads from."""

    __slots__ = ("_early", "_hub", "_wire")

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._wire: Wire | None = None
        self._early: list[Packet | None] = []

    def lead_to(self, wire: Wire) -> None:
        """Send over this wire, first what came before it."""
        self._wire = wire
        for pending in self._early:
            self.put(pending)
        self._early.clear()

    def put(self, sent: Packet | None) -> None:
        """Send a packet; None closes."""
        if self._wire is None:
            self._early.append(sent)
        elif sent is None:
            self._hub.end(self._wire)
        else:
            self._wire.send(sent.encode())

    def cut(self) -> None:
        """Hang up."""
        if self._wire is not None:
            self._wire.cut()

    def join(self) -> None:
        """Wait for nothing: the hub sends what is left."""


class Held(Socket):
    """Engine.IO's end of one connection."""

    server: "Engine"
    queue: Outgoing

    def heard(self, text: str) -> Job | None:
        """Take a message: a pong at once, anything else as a job."""
        if text == "3":
            self.schedule_ping()
            return None
        return lambda: self._take(text)

    def is_short(self, text: str) -> bool:
        """Say whether it is about coming or going."""
        return text.startswith((CONNECT, DISCONNECT))

    def lost(self) -> None:
        """Tell Socket.IO that nobody is here any more."""
        self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
        self.server.sockets.pop(self.sid, None)

    def schedule_ping(self) -> None:
        """Ask after a while whether the client lives."""
        if self.last_ping:
            self.last_ping = 0.0
            self.server.hub.later(self.server.ping_interval, self._ask)

    def _ask(self) -> None:
        if not self.closing and not self.closed:
            self.last_ping = time.time()
            self.send(Packet(packet.PING))
            self.server.hub.later(self.server.ping_timeout, self._look_after)

    def _look_after(self) -> None:
        """Hang up on a client that has not answered; what follows is no work for the hub's thread."""
        if not self.closed and self.last_ping:
            self.queue.cut()

    def _take(self, text: str) -> None:
        try:
            self.receive(Packet(encoded_packet=text))
        except (ValueError, RecursionError, EngineIOError):
            self.close(wait=False, abort=True)  # nothing that our own client would say


class Engine(engineio.Server):
    """The server; only its way of holding connections is another."""

    hub: Hub

    @classmethod
    def take_over(cls, server: Any) -> Self:
        """Change what python-socketio has made: it offers no way to be given one."""
        server.__class__ = cls
        server.hub = Hub(server.max_http_buffer_size)
        return server  # type: ignore[no-any-return]

    def create_queue(self, *_args: object, **_options: object) -> Outgoing:
        """Return where packets of a new connection go."""
        return Outgoing(self.hub)

    def _handle_connect(
        self,
        environ: "WSGIEnvironment",
        _start_response: Callable[..., object],
        transport: str,
        _jsonp_index: int | None = None,
    ) -> object:
        if not environ.get("HTTP_SEC_WEBSOCKET_KEY") or "gunicorn.socket" not in environ:
            return self._bad_request("This is no WebSocket handshake")
        sid = self.generate_id()
        held = self.sockets[sid] = Held(self, sid)
        said = {
            "sid": sid,
            "upgrades": self._upgrades(sid, transport),
            "pingTimeout": int(self.ping_timeout * 1000),
            "pingInterval": int(self.ping_interval * 1000),
            "maxPayload": self.max_http_buffer_size,
        }
        held.send(Packet(packet.OPEN, said))
        wire = _wire_of(environ, self.hub)
        self._trigger_event("connect", sid, _kept(environ), run_async=False)
        held.connected = held.upgraded = True
        held.queue.lead_to(wire)
        self.hub.hold(wire, held)
        held.schedule_ping()
        raise StopIteration  # which tells gunicorn to leave the connection alone


def _wire_of(environ: "WSGIEnvironment", hub: Hub) -> Wire:
    """Take the connection away from gunicorn and answer the handshake."""
    theirs: socket.socket = environ.pop("gunicorn.socket")
    wire = Wire(socket.socket(fileno=theirs.detach()), hub.want_room)
    wire.write(accepts(environ["HTTP_SEC_WEBSOCKET_KEY"]))
    return wire


def _kept(environ: "WSGIEnvironment") -> "WSGIEnvironment":
    """Return what is remembered of the handshake while the page is open; to handlers it is their request."""
    texts = {name: value for name, value in environ.items() if isinstance(value, str)}
    kept = {name: value for name, value in texts.items() if not name.startswith("HTTP_SEC_")}
    return kept | NO_BODY | {name: environ[name] for name in (APP, ADMITTED) if name in environ}
