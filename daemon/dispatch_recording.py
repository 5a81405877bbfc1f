"""Writes what became of deliveries: as many in one transaction as have come together meanwhile."""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from daemon import render
from daemon.clients.notify import Pulse
from daemon.dispatch_edge import edge
from daemon.dispatch_values import Outcome
from daemon.measuring import tally
from daemon.outbox import Outbox
from storage import channels, deliveries, metrics, notifications, readers, subscriptions, users, wakeup
from storage.deliveries import Claimant
from storage.session import Database, StorageError

log = structlog.get_logger()

TOGETHER = 500
GATHER_S = 0.03  # each transaction costs the same however little it writes
RETRY_S = 1.0


class Recorder:
    """A thread that writes outcomes. While the database is away they wait, and nothing new is claimed."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        owner: str,
        now: Callable[[], datetime],
        written: Callable[[Sequence[Outcome]], None],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._owner = owner
        self._now = now
        self._written = written
        self._pulse = Pulse()
        self._is_writing = False
        self._queue: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="dispatch-record", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, outcome: Outcome) -> None:
        """Have an outcome written."""
        self._queue.put(outcome)

    def age_s(self) -> float:
        """Return for how long it has been writing without getting on; 0 while there is nothing to write."""
        return self._pulse.age_s() if self._is_writing else 0.0

    def stop(self, timeout_s: float) -> bool:
        """Write what has come so far, then end; False where time ran out."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        is_over = False
        while not is_over:
            outcomes, is_over = self._next()
            self._pulse.beat()
            self._is_writing = True
            while outcomes and not self._try(outcomes):
                time.sleep(RETRY_S)
                self._pulse.beat()
            self._written(outcomes)
            self._is_writing = False

    def _next(self) -> tuple[list[Outcome], bool]:
        """Wait for an outcome, and take those that have come with it."""
        found: list[Outcome] = []
        item = self._queue.get()
        time.sleep(GATHER_S)  # rather than be woken by each: its sender would wait for us meanwhile
        while item is not None:
            found.append(item)
            if len(found) == TOGETHER or self._queue.empty():
                return found, False
            item = self._queue.get()
        return found, True

    def _try(self, outcomes: Sequence[Outcome]) -> bool:
        now = self._now()
        told = 0
        try:
            # A fault of ours would come again. The claims run out, and what was sent is sent once more.
            with edge("outcomes_lost", count=len(outcomes)), self._database.write() as session:
                told = self._notify(session, outcomes, now)
                write(session, outcomes, Claimant(self._owner, now, now))
        except StorageError as e:
            log.warning("outcomes_not_written", error=str(e), waiting=len(outcomes))
            return False
        for outcome in outcomes:
            tally.add(metrics.DELIVERIES, outcome.due.channel, named(outcome))
        if told:
            wakeup.send(self._database)
        return True

    def _notify(self, session: Session, outcomes: Sequence[Outcome], now: datetime) -> int:
        """Change inboxes, first of all in the transaction: every writer takes their lock first."""
        hidden = {outcome.due.parcel.news.id for outcome in outcomes if outcome.withdraw}
        count = notifications.withdraw(session, hidden, now) if hidden else 0
        problems = {
            (outcome.due.channel, outcome.due.lane): outcome.error
            for outcome in outcomes
            if outcome.mark == "misconfigured"
        }
        for (channel, lane), error in problems.items():
            rows = problem_rows(session, lane, error, now)
            others = Outbox(self._outbox.channels - {channel}, self._outbox.urgent_priorities)
            count += others.record(session, rows, now)
            channels.has_problem(session, channel, lane, error, now)
        return count


def named(outcome: Outcome) -> str:
    """Name what became of a delivery for monitoring."""
    if outcome.state != "due":
        return outcome.state
    return "tried" if outcome.tries else "put_back"


def problem_rows(session: Session, lane: str, error: str, now: datetime) -> list[dict[str, Any]]:
    """Return what every administrator is told of a service that refuses us, once a day at most."""
    rows = []
    for reader in readers.readers(session, users.active_admins(session)).values():
        title, message = render.problem(lane, error, reader.language)
        rows.append(
            {
                "change_key": f"channel:{lane}:{now:%Y-%m-%d}"[:128],
                "user_id": reader.user_id,
                "type": "channel_problem",
                "reasons": [],
                "title": title,
                "message": message,
                "created_at": now,
                "thread": f"channel:{lane}"[:128],
                "issue_id": None,
                "project_id": None,
            }
        )
    return rows


def write(session: Session, outcomes: Sequence[Outcome], claimant: Claimant) -> None:
    """Write outcomes, and what they tell of channels and devices."""
    deliveries.sent(session, [o.due.delivery_id for o in outcomes if o.state == "sent"], claimant.now)
    for outcome in outcomes:
        if outcome.state == "due":
            _put_back(session, outcome, claimant)
        elif outcome.state != "sent":
            number = outcome.due.delivery_id
            deliveries.finish(session, number, claimant, outcome.state, outcome.error, outcome.tries)
    _mark_devices(session, outcomes, claimant.now)
    lanes: dict[str, set[str]] = defaultdict(set)
    for outcome in outcomes:
        if outcome.mark == "reached":
            lanes[outcome.due.channel].add(outcome.due.lane)
    for channel, reached in lanes.items():
        channels.succeeded(session, channel, reached, claimant.now)


def _put_back(session: Session, outcome: Outcome, claimant: Claimant) -> None:
    at = outcome.at or claimant.now
    columns: dict[str, Any] = {"error": outcome.error, "attempts": outcome.due.attempts + outcome.tries}
    if outcome.younger:
        columns["due_at"] = at
    if outcome.batch is not None:
        columns["batch"] = outcome.batch
    deliveries.put_back(session, outcome.due.delivery_id, claimant, at, **columns)


def _mark_devices(session: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    # Of one transaction all have the same time: what came last decides whether a device is failing.
    last = {
        outcome.due.parcel.device.id: outcome.mark
        for outcome in outcomes
        if outcome.due.parcel.device is not None and outcome.mark
    }
    channels.reached(session, [number for number, mark in last.items() if mark == "reached"], now)
    for outcome in outcomes:
        if outcome.due.parcel.device is not None and outcome.mark in {"trouble", "misconfigured"}:
            channels.in_trouble(session, outcome.due.parcel.device.id, outcome.error, now)
    gone = _devices(outcomes, "gone")
    if gone:
        subscriptions.forget(session, gone)


def _devices(outcomes: Iterable[Outcome], mark: str) -> set[int]:
    devices = (outcome.due.parcel.device for outcome in outcomes if outcome.mark == mark)
    return {device.id for device in devices if device is not None}
