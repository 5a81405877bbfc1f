"""The demo's people at work: a thread that keeps changing issues as different people.

All goes through the same endpoints as a request would, with the same rights. A demo may be on for days:
issues, journals, files and relations stay within bounds, the oldest make room.
"""

import random
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from daemon.demo import changes
from daemon.demo.changes import Change
from daemon.demo.desk import Desk
from daemon.demo.server import DemoRedmine

MAX_ISSUES: Final = 90
MAX_JOURNALS: Final = 30
MIN_OPEN: Final = 35
_TRIES: Final = 50

_CHANGES: Final[Sequence[tuple[int, Change]]] = (
    (24, changes.note),
    (20, changes.status),
    (12, changes.assign),
    (8, changes.priority),
    (8, changes.due_date),
    (5, changes.progress),
    (7, changes.file),
    (4, changes.private_note),
    (3, changes.relation),
    (6, changes.new_issue),
    (2, changes.watcher),
    (1, changes.rewrite),
)
"""How often each kind happens, of a hundred."""


class DemoLife:
    """Changes something every few seconds between `start` and `stop`. Also a context manager.

    The same seed on the same world makes the same story; `interval_s` is the shortest and longest pause.
    """

    def __init__(
        self, server: DemoRedmine, *, seed: int = 1, interval_s: tuple[float, float] = (2.0, 5.0)
    ) -> None:
        self._desk = Desk(server, random.Random(seed))  # noqa: S311 - a story, not a secret
        self._pauses = random.Random(seed)  # noqa: S311
        self._interval_s = interval_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="demo-life", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a change in work is finished. Without a start nothing happens."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.wait(self._pauses.uniform(*self._interval_s)):
            self.step()

    def step(self) -> str:
        """Make one change and return its name. RuntimeError when the world leaves nothing to do."""
        with self._desk.server.app.lock:
            for _ in range(_TRIES):
                change = self._choose()
                if change(self._desk):
                    self._make_room()
                    return change.__name__
        raise RuntimeError(f"no change was possible in {_TRIES} tries")

    def _choose(self) -> Change:
        if len(self._desk.open_issues()) < MIN_OPEN:
            return changes.new_issue
        kinds = [change for _, change in _CHANGES]
        return self._desk.rng.choices(kinds, [weight for weight, _ in _CHANGES])[0]

    def _make_room(self) -> None:
        """Delete the issue untouched for longest when there are too many; forget the oldest journals."""
        store = self._desk.store
        if len(store.issues) > MAX_ISSUES:
            leaves = [i for i in store.issues.values() if not store.children_of.of(i.id)]
            oldest = min(leaves, key=lambda i: i.updated_on)
            self._desk.act("admin", "DELETE", f"/issues/{oldest.id}.json")
        for issue_id in store.issues:
            for journal in store.issue_journals(issue_id)[:-MAX_JOURNALS]:
                store.drop_journal(journal)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
