# mypy: allow-untyped-calls
"""Open pages learn that a task of theirs changed, and who else looks at one.

A page says what it shows (`watch_tasks`), and what it has open (`viewing`). In each round of the tail the
watched rows of the snapshot are compared with what they were; a page gets the news that there is news, and
asks for the task itself, as its reader.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from flask import request

from storage import snapshots, viewings
from storage.columns import utc_now
from storage.session import Database
from storage.snapshots import Mark
from storage.viewings import Viewer
from web.answers import Problem, iso
from web.edges import edge
from web.language import gettext
from web.live import Live
from web.people import Person, someone
from web.task.reader import LARGEST_ID, reader_of

MOST = 500
# Pages ask again from time to time: a right that was lost ends with the next asking after so long.
VERDICT_S = 300.0
WATCH_S = 900.0
# A page says every 20 s that it is still looked at; one that was cut off is believed for a while.
PRESENT_S = 50
FORGOTTEN_S = 300
Answer = Mapping[str, object]


def room_of(task_id: int) -> str:
    """Return the name of the room of those who watch a task."""
    return f"task:{task_id}"


class Watching:
    """What the pages of one viewer process watch."""

    def __init__(self, live: Live, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = live
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._watched: dict[str, tuple[float, frozenset[int]]] = {}
        self._present: dict[str, int] = {}
        self._marks: dict[int, Mark] = {}
        self._shown: dict[int, tuple[Viewer, ...]] = {}
        self._verdicts: dict[int, dict[int, float]] = {}
        live.socketio.on_event("watch_tasks", self._watch)
        live.socketio.on_event("viewing", self._view)
        live.rounds.append(self.look)
        live.sweeps.append(self.sweep)
        live.leavings.append(self.leave)

    # What pages say

    def _watch(self, asked: object = None) -> Answer:
        """Follow these tasks, as far as Redmine shows them to this person, and no others any more.

        The answer says how they are now: a page that was made before then sees what it has missed.
        """
        who, ids = someone(), _ids(asked)
        if who is None or ids is None:
            return _refused()
        try:
            seen = self._visible(who, ids)
        except Problem as e:
            return {"success": False, "message": e.text, "ids": []}
        self._follow(request.sid, seen)  # type: ignore[attr-defined]
        now = {str(number): iso(mark.updated_on) for number, mark in self._begin(seen).items()}
        return {"success": True, "message": "", "ids": sorted(seen), "updated_on": now}

    def _view(self, asked: object = None) -> Answer:
        """Note that this person has a task open, or with null that they look away."""
        who, sid = someone(), request.sid  # type: ignore[attr-defined]
        task_id = asked.get("task_id") if isinstance(asked, Mapping) else None
        if task_id is None:
            self.leave(sid, is_gone=False)
            return {"success": True, "message": ""}
        if who is None or not _is_id(task_id):
            return _refused()
        try:
            if not self._visible(who, [task_id]):
                return _refused()
        except Problem as e:
            return {"success": False, "message": e.text}
        with self._database.write() as session:
            viewings.look_at(session, sid, task_id, who.id, utc_now())
        with self._lock:
            self._present[sid] = task_id
            shown = self._shown.get(task_id, ())
        self._live.enter(sid, room_of(task_id))
        self._live.send("viewers", _viewers(task_id, shown), sid)
        return {"success": True, "message": ""}

    def _visible(self, who: Person, ids: Collection[int]) -> frozenset[int]:
        """Ask Redmine which of these this person sees, once in a while for each. Raises Problem."""
        now = self._clock()
        known = self._verdicts.get(who.id, {})
        unknown = [number for number in ids if known.get(number, float("-inf")) <= now - VERDICT_S]
        if unknown:
            fresh = {number: at for number, at in known.items() if at > now - VERDICT_S}
            fresh |= dict.fromkeys(reader_of(who).visible(unknown), now)
            self._verdicts[who.id] = known = fresh
        return frozenset(number for number in ids if known.get(number, float("-inf")) > now - VERDICT_S)

    def _follow(self, sid: str, ids: frozenset[int]) -> None:
        with self._lock:
            _, before = self._watched.get(sid, (0.0, frozenset()))
            self._watched[sid] = (self._clock() + WATCH_S, ids)
            kept = {self._present.get(sid)}
        for number in ids - before:
            self._live.enter(sid, room_of(number))
        for number in before - ids - kept:
            self._live.leave(sid, room_of(number))

    def _begin(self, ids: frozenset[int]) -> Mapping[int, Mark]:
        """Return how these tasks are at this moment: every change from here on is told."""
        with self._database.read() as session:
            marks = snapshots.marks(session, ids)
        with self._lock:
            self._marks = marks | self._marks
        return marks

    # What each round finds

    def look(self) -> None:
        """Tell of tasks that changed and of people who came and went. Raises StorageError."""
        with self._lock:
            now = self._clock()
            ids = {number for until, numbers in self._watched.values() if until > now for number in numbers}
            ids |= set(self._present.values())
            present = set(self._present.values())
        if ids:
            self._tell_changes(ids)
        if present:
            self._tell_presence(present)

    def _tell_changes(self, ids: set[int]) -> None:
        with self._database.read() as session:
            marks = snapshots.marks(session, ids)
        with self._lock:
            before, self._marks = self._marks, self._marks | marks
        for number, mark in marks.items():
            if number in before and before[number] != mark:
                self._live.send("task_changed", _changed(number, before[number], mark), room_of(number))

    def _tell_presence(self, present: set[int]) -> None:
        with self._database.read() as session:
            since = utc_now() - timedelta(seconds=PRESENT_S)
            found = viewings.viewers(session, present, since)
        with self._lock:
            before, self._shown = self._shown, found
        for number, people in found.items():
            if before.get(number, ()) != people:
                self._live.send("viewers", _viewers(number, people), room_of(number))

    def sweep(self) -> None:
        """Forget pages whose processes died, tasks that nobody watches, and verdicts of long ago."""
        if self._present:
            self._prune()
        with self._lock:
            watched = {number for _, numbers in self._watched.values() for number in numbers}
            watched |= set(self._present.values())
            self._marks = {number: mark for number, mark in self._marks.items() if number in watched}
        oldest = self._clock() - VERDICT_S
        for user_id, verdicts in list(self._verdicts.items()):
            if all(at <= oldest for at in verdicts.values()):
                self._verdicts.pop(user_id, None)

    def _prune(self) -> None:
        with self._database.write() as session:
            viewings.prune(session, utc_now() - timedelta(seconds=FORGOTTEN_S))

    def leave(self, sid: str, *, is_gone: bool = True) -> None:
        """Forget a socket that closed, or only what it had open."""
        with self._lock:
            was_present = self._present.pop(sid, None)
            if is_gone:
                self._watched.pop(sid, None)
        if was_present is None:
            return
        with edge("viewing_not_ended", task_id=was_present), self._database.write() as session:
            viewings.look_away(session, sid)


def _ids(asked: object) -> list[int] | None:
    """Return the ids that a page wants to watch, None for nonsense."""
    ids = asked.get("ids") if isinstance(asked, Mapping) else None
    if not isinstance(ids, list) or len(ids) > MOST or not all(map(_is_id, ids)):
        return None
    return ids


def _is_id(value: object) -> bool:
    return type(value) is int and 0 < value <= LARGEST_ID


def _refused() -> Answer:
    return {"success": False, "message": gettext("These are not your tasks."), "ids": []}


def _changed(task_id: int, before: Mark, mark: Mark) -> dict[str, Any]:
    """Return the news. What the viewer wrote itself has Redmine's time only after the next poll."""
    moment = mark.updated_on if mark.updated_on != before.updated_on else utc_now()
    return {
        "task_id": task_id,
        "updated_on": iso(moment),
        "status_id": mark.status_id,
        "priority_id": mark.priority_id,
        "assigned_to_id": mark.assigned_to_id,
    }


def _viewers(task_id: int, people: Iterable[Viewer]) -> dict[str, Any]:
    return {"task_id": task_id, "people": [{"id": one.id, "name": one.name} for one in people]}
