# mypy: allow-untyped-calls
"""The live channel: each open page hears of its user's news over one WebSocket.

The table is the truth. A client says the last id it has and is sent the rest; from then on it gets what
the tail finds. Both happen under the tail's lock, so nothing falls between them and nothing comes twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask
from flask_socketio import SocketIO
from socketio.exceptions import ConnectionRefusedError as Refused

from storage import addressed, arrivals, live, notifications, sign_ins, users, wakeup
from storage.addressed import Addressed
from storage.models import LiveEvent, Notification
from storage.session import Database, StorageError
from web.doorkeeper import ADMITTED
from web.edges import edge
from web.engine import Engine, Message
from web.items import item_of, status_change
from web.language import gettext, reading_as
from web.people import Admitted, Person, admitted, person_of, someone
from web.rights import Rights
from web.security import is_foreign
from web.sockets import Socket, Sockets, room_of
from web.tail import Tail
from web.warming import warm

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

REPLAY_CAP = 200
LARGEST_MESSAGE = 16_384
ENDED_EVENT = "session_ended"
log = structlog.get_logger(__name__)


class Live:
    """Sockets of one viewer process and the tail that feeds them."""

    def __init__(self, app: Flask, database: Database, rights: Rights, public_url: str) -> None:
        self._app = app
        self._database = database
        self._rights = rights
        self.sockets = Sockets()
        # Under the tail's lock: who was told of news but not of their count, and what was sent masked.
        self._uncounted: set[int] = set()
        self._doubtful: dict[int, list[Notification]] = {}
        # What else is looked at in each round or swept; and who is told of closed sockets.
        self.rounds: list[Callable[[], None]] = []
        self.sweeps: list[Callable[[], None]] = []
        self.leavings: list[Callable[[str], None]] = []
        self.tail = Tail(database, self)
        self.socketio = SocketIO(
            app,
            async_mode="threading",  # autodetection would take eventlet or gevent where merely installed
            transports=["websocket"],
            cors_allowed_origins=lambda _origin, environ: not is_foreign(environ, public_url),
            max_http_buffer_size=LARGEST_MESSAGE,
            serializer=Message,
            async_handlers=False,  # a client that floods us with events must not get a thread for each
        )
        self._engine = Engine.take_over(self._server().eio)
        # Not by way of Flask-SocketIO, which opens a request for each: after a restart all come at once.
        self._server().on("connect", self._connect)
        self._server().on("disconnect", self._disconnect)
        self.socketio.on_event("join_notifications", self._join)
        self.socketio.on_error_default(_failed)

    def start(self) -> None:
        """Begin to follow the tables. Call it in the process that serves, after any fork."""
        try:
            warm(self._app, self._database)
        except StorageError as e:
            log.warning("not_warmed", error=str(e))  # the tail says when it is back
        self._engine.hub.start()
        self.tail.start()

    def stop(self) -> None:
        """End the tail and close every connection, so that clients come back to the next process."""
        self.tail.stop()
        for connection in list(self._server().eio.sockets.values()):
            _cut(connection)

    def is_fresh(self) -> bool:
        """Say whether the tail does its work."""
        return self.tail.is_fresh()

    def connections(self) -> int:
        """Count the open WebSockets, also those that have not said who they are yet."""
        return len(self._engine.hub)

    def admit(self, environ: "WSGIEnvironment") -> Admitted | None:
        """Return whom this handshake would open a WebSocket for. Raises StorageError."""
        return admitted(self._app, self._database, environ)

    def end_session(self, user_id: int, device: str) -> None:
        """Close what was opened in a session that has ended: here at once, elsewhere through the table."""
        self._drop(self.sockets.of_device(device))
        try:
            with self._database.write() as writing:
                live.publish(writing, user_id, ENDED_EVENT, {"device": device})
        except StorageError as e:
            log.error("session_end_not_published", error=str(e))  # noqa: TRY400 - the text says all
        wakeup.send(self._database)

    # What clients do

    def _connect(self, sid: str, environ: "WSGIEnvironment", auth: object = None) -> bool:
        """Let a page in; False refuses it."""
        has_failed = True
        with edge("socket_not_let_in", Refused):
            self._let_in(sid, environ, auth)
            has_failed = False
        return not has_failed

    def _let_in(self, sid: str, environ: "WSGIEnvironment", auth: object) -> None:
        try:
            # A page that left and comes back over the same connection is looked up anew.
            found: Admitted | None = environ.pop(ADMITTED, None) or self.admit(environ)
            if found is None:
                raise _unauthorized()
            socket = Socket(sid, found.who.id, found.device, found.who.session_epoch)
            self._welcome(socket, found.who, auth)
        except StorageError as e:
            raise Refused("unavailable", {"code": "unavailable"}) from e

    def _disconnect(self, sid: str, *_reason: object) -> None:
        self.sockets.remove(sid)
        for leave in self.leavings:
            leave(sid)

    def _join(self, asked: object = None) -> Mapping[str, object]:
        """Answer the contract's `join_notifications`; whoever is connected is in his own room already."""
        who = someone()
        wanted = asked.get("user_id") if isinstance(asked, Mapping) else None
        if who is None or str(wanted) != str(who.id):
            return {"success": False, "message": gettext("These are not your notifications."), "last_id": 0}
        message = gettext("You are connected to your notifications")
        return {"success": True, "message": message, "last_id": self.tail.last_id or 0}

    def _welcome(self, socket: Socket, who: Person, auth: object) -> None:
        """Replay what the client has missed and let it join. Short, as after a restart all come at once."""
        last_id = _last_of(auth)
        with self.tail.lock:
            upto = self.tail.reach(last_id or 0)
            since = upto if last_id is None else min(last_id, upto)
            with self._database.read() as reading:
                unread = arrivals.unread(reading, who.id, socket.device, who.session_epoch)
                if unread is None:
                    raise _unauthorized()
                missed = notifications.of_user_between(reading, who.id, since, upto, limit=REPLAY_CAP + 1)
            rows, has_more = missed[:REPLAY_CAP], len(missed) > REPLAY_CAP
            for row in rows:
                self._announce(Addressed(row, who.language, who.time_zone), socket.sid)
            self.send("replayed", {"last": rows[-1].id if has_more else upto, "more": has_more}, socket.sid)
            self.send("unread_count", {"unread": unread}, socket.sid)
            self._server().enter_room(socket.sid, socket.room)
            self.sockets.add(socket)
        self._verify(who, rows)

    # What the tail finds

    def tell(self, news: Sequence[Addressed]) -> None:
        """Send notifications to those who have something open here; nothing is rendered for others."""
        present = self.sockets.present(told.row.user_id for told in news)
        for told in news:
            row = told.row
            if row.user_id in present and row.withdrawn_at is None:
                self._announce(told, room_of(row.user_id))
                self._uncounted.add(row.user_id)
                if row.verify_at_show:
                    self._doubtful.setdefault(row.user_id, []).append(row)

    def gather(self, events: Sequence[LiveEvent]) -> Callable[[], None]:
        """Read what events are about, and how much those who were just told of news have not read."""
        present = self.sockets.present(event.user_id for event in events)
        heard = [event for event in events if event.user_id in present]
        if not heard and not self._uncounted:
            return lambda: None
        with self._database.look() as connection:
            updated = addressed.with_ids(connection, _updated_ids(heard))
            unread = notifications.unread_counts(connection, self._uncounted)
        doubters = self._doubters()

        def tell() -> None:
            doubtful = dict(self._doubtful)
            self._uncounted.clear()
            self._doubtful.clear()
            for user_id, count in unread.items():
                self.send("unread_count", {"unread": count}, room_of(user_id))
            for told in updated:
                self._update(told)
            for event in heard:
                self._pass_on(event)
            for who in doubters:
                self._verify(who, doubtful[who.id])

        return tell

    def _doubters(self) -> list[Person]:
        if not self._doubtful:
            return []
        with self._database.read() as reading:
            return [person_of(user) for user in users.with_ids(reading, self._doubtful).values()]

    def look(self) -> None:
        """Look at what the pages watch besides news."""
        for look in self.rounds:
            look()

    def sweep(self) -> None:
        """Drop the sockets of users who were deactivated or signed out everywhere, and forget dead ones."""
        for sweep in self.sweeps:
            sweep()
        present = self.sockets.all()  # who connects meanwhile is none of this round's
        if not present:
            return
        with self._database.read() as reading:
            standing = sign_ins.standing(reading, (socket.device for socket in present))
        self._drop(
            socket
            for socket in present
            if (socket.device, socket.user_id, socket.session_epoch) not in standing
            or self._transport(socket) is None
        )

    def _announce(self, told: Addressed, to: str) -> None:
        """Send one notification; a row that cannot be rendered must not keep the others back."""
        with self._rendering(told):
            self.send("new_notification", item_of(told.row, html=True), to)
            if (change := status_change(told.row)) is not None:
                self.send("task_status_changed", change, to)

    def _update(self, told: Addressed) -> None:
        with self._rendering(told):
            self.send("notification_updated", item_of(told.row, html=True), room_of(told.row.user_id))

    @contextmanager
    def _rendering(self, told: Addressed) -> Iterator[None]:
        with (
            edge("notification_not_rendered", notification_id=told.row.id),
            reading_as(self._app, told.language, told.time_zone),
        ):
            yield

    def _pass_on(self, event: LiveEvent) -> None:
        if event.event == ENDED_EVENT:
            device = str(event.payload.get("device"))
            self._drop(self.sockets.of_device(device))
        elif event.event != notifications.UPDATED_EVENT:
            self.send(event.event, event.payload, room_of(event.user_id))

    def send(self, event: str, content: Mapping[str, Any], to: str) -> None:
        """Queue a frame; it never waits for the client, and one broken client does not matter."""
        with edge("frame_not_sent", frame=event, to=to):
            self.socketio.emit(event, content, to=to)

    def _drop(self, sockets: Iterable[Socket]) -> None:
        """Say why and close; the transport too, as a client need not obey."""
        for socket in sockets:
            self.sockets.remove(socket.sid)
            with edge("socket_not_dropped", sid=socket.sid):
                transport = self._transport(socket)
                self.send(ENDED_EVENT, {}, socket.sid)
                self._server().disconnect(socket.sid)
                if transport is not None:
                    _cut(transport)

    def _server(self) -> Any:
        """Return python-socketio's server, which Flask-SocketIO types as absent."""
        return self.socketio.server

    def enter(self, sid: str, room: str) -> None:
        """Let a socket hear what is sent to a room."""
        self._server().enter_room(sid, room)

    def leave(self, sid: str, room: str) -> None:
        """End that."""
        self._server().leave_room(sid, room)

    def _transport(self, socket: Socket) -> Any:
        """Return Engine.IO's end of the connection, None where it is gone."""
        rooms = self._server().manager.rooms.get("/", {})
        transport_id = rooms[socket.sid].get(socket.sid) if socket.sid in rooms else None
        return self._server().eio.sockets.get(transport_id)

    def _verify(self, who: Person, rows: Iterable[Notification]) -> None:
        """Have Redmine asked, apart from here, about rows that were sent masked."""
        doubtful = [row for row in rows if row.verify_at_show]
        if doubtful:
            self.socketio.start_background_task(self._rights.verify, who, doubtful)


def _cut(transport: Any) -> None:
    """Close a connection after what is queued for it, without waiting for the client.

    `abort` leaves Engine.IO's own closing packet out, after which some clients do not come back.
    """
    transport.close(wait=False, abort=True)


def _unauthorized() -> Refused:
    return Refused("unauthorized", {"code": "unauthorized"})


def _last_of(auth: object) -> int | None:
    """Return the id up to which the client has everything, None where it does not say."""
    last = auth.get("last") if isinstance(auth, Mapping) else None
    return last if type(last) is int and 0 <= last < 2**63 else None


def _updated_ids(events: Iterable[LiveEvent]) -> list[int]:
    payloads = [event.payload for event in events if event.event == notifications.UPDATED_EVENT]
    return [row_id for payload in payloads for row_id in payload.get("ids", [])]


def _failed(error: BaseException) -> bool:
    """Log what a handler raised. False refuses a connection; without it a failed one would be let in."""
    log.error("socket_event_failed", exc_info=error)
    return False
