# mypy: allow-untyped-calls
"""Open pages of hosts learn that a host changed, or was asked again.

A page says that it shows hosts (`watch_hosts`); while one does, each round of the tail looks whether there
was a sweep. Everybody who is signed in may see all hosts, so one room holds them all.
"""

import threading
from collections.abc import Mapping

from flask import request

from storage import hosts
from storage.session import Database
from web.live import Live
from web.people import someone

ROOM = "hosts"
EVENT = "host_changed"


class WatchingHosts:
    """The pages of one viewer process that show hosts."""

    def __init__(self, live: Live, database: Database) -> None:
        self._live = live
        self._database = database
        self._lock = threading.Lock()
        self._present: set[str] = set()
        self._mark: tuple[object, ...] = ()
        self._states: dict[str, tuple[str, bool]] = {}
        live.socketio.on_event("watch_hosts", self._watch)
        live.rounds.append(self.look)
        live.leavings.append(self._leave)

    def _watch(self, _asked: object = None) -> Mapping[str, object]:
        """Follow all hosts from now on."""
        if someone() is None:
            return {"success": False}
        sid: str = request.sid  # type: ignore[attr-defined]
        with self._lock:
            is_first = not self._present
            self._present.add(sid)
        self._live.enter(sid, ROOM)
        if is_first:
            self._begin()
        return {"success": True}

    def _leave(self, sid: str) -> None:
        with self._lock:
            self._present.discard(sid)

    def _begin(self) -> None:
        with self._database.read() as session:
            self._mark, self._states = hosts.mark(session), hosts.states(session)

    def look(self) -> None:
        """Tell of a sweep, with the names of the hosts whose state changed. Raises StorageError."""
        if not self._present:
            return
        with self._database.read() as session:
            mark = hosts.mark(session)
            if mark == self._mark:
                return
            states = hosts.states(session)
        changed = [name for name, state in states.items() if self._states.get(name) != state]
        is_sweep = mark[:1] != self._mark[:1] and mark[1:] == self._mark[1:]
        self._mark, self._states = mark, states
        self._live.send(EVENT, {"hosts": sorted(changed), "is_only_fresh": is_sweep and not changed}, ROOM)
