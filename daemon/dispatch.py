"""Claims due deliveries, judges each anew, sends it by its channel and has the outcome written.

Every daemon does this: a delivery belongs to whoever has claimed it. What was claimed by one that was
killed is due again when its claim ends, so a message may come twice then, but none is lost.
"""

import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from daemon.channel import Channel, DeliveryFailed
from daemon.clients.errors import SourceError
from daemon.clients.notify import Pulse
from daemon.dispatch_edge import edge
from daemon.dispatch_judgement import PROOF_PAUSE, failed, held_up, is_doubtful, judged, needs_proof
from daemon.dispatch_lane import Lane, Shipment
from daemon.dispatch_loading import load
from daemon.dispatch_proof import Proof
from daemon.dispatch_recording import Recorder
from daemon.dispatch_values import Due, Outcome
from daemon.options import ChannelOptions
from daemon.outbox import Outbox
from storage import channels, deliveries, subscriptions, wakeup
from storage.columns import utc_now
from storage.deliveries import DIGEST, Claimant
from storage.session import Database, StorageError

log = structlog.get_logger()

LOOK_S = 1.0
# What was loaded longer ago is loaded again before it is sent: it may have been read meanwhile.
STALE_S = 2.0
PROVEN_S = 60.0
IDLE_S = 60.0
# So many are claimed for each that can be on its way, so that no thread waits for the next claim; and no
# more before half of them are through, as each claim costs the same however little it brings.
AHEAD = 16
PRUNE_S = 3600.0
UNSEEN = timedelta(days=270)  # as long as FCM keeps what nobody uses; Apple would take messages for ever


@dataclass(frozen=True, slots=True)
class Line:
    """A channel ready to send. `public_key` is the one by which browsers know us, "" without any."""

    name: str
    channel: Channel
    options: ChannelOptions
    public_key: str = ""


class Dispatcher:
    """Sends what is due, in threads of its own, from `start` to `stop`."""

    def __init__(
        self,
        database: Database,
        lines: Sequence[Line],
        proof: Proof | None = None,
        *,
        outbox: Outbox | None = None,
        claim_s: float = 60.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"[-128:]
        self._database = database
        self._lines = {line.name: line for line in lines}
        self._keys = {line.name: line.public_key for line in lines}
        self._proof = proof
        self._claim_s = claim_s
        self._now = now
        self._open: dict[int, tuple[str, str]] = {}  # what we hold: its lane and device
        self._lock = threading.Lock()
        self._alone = threading.Lock()
        self._lanes: dict[str, Lane] = {}
        self._proven: dict[int, float] = {}
        self._prover = ThreadPoolExecutor(1, thread_name_prefix="dispatch-proof")
        self._pulse = Pulse()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._recorder = Recorder(database, outbox or Outbox(), self.owner, now, self._written)
        self._threads = [
            threading.Thread(target=target, name=f"dispatch-{target.__name__.strip('_')}", daemon=True)
            for target in (self._look, self._listen)
        ]
        self._pruned_at = -PRUNE_S

    def start(self) -> None:
        """Tell the viewer our keys, and begin."""
        with self._database.write() as session:
            for line in self._lines.values():
                before = channels.announce(session, line.name, line.public_key)
                if before not in {"", line.public_key}:
                    log.warning("public_key_changed", channel=line.name)
        self._recorder.start()
        for thread in self._threads:
            thread.start()
        log.info("dispatcher_started", owner=self.owner, channels=sorted(self._lines))

    def age_s(self) -> float:
        """Return for how long it has not got on: neither looked at the outbox nor written what came of it."""
        return max(self._pulse.age_s(), self._recorder.age_s())

    def stop(self, timeout_s: float) -> bool:
        """Claim nothing more, finish what is on its way, give the rest back; False where time ran out."""
        until = time.monotonic() + timeout_s
        self._stopping.set()
        self._wake.set()
        wakeup.send(self._database)  # for our own listener
        ending = threading.Thread(target=self._end, daemon=True)
        ending.start()
        ending.join(timeout_s)
        # What has come through by then is written in any case: it must not be sent again.
        is_written = self._recorder.stop(max(0.5, until - time.monotonic()))
        in_time = is_written and not ending.is_alive()
        if in_time:
            for line in self._lines.values():
                line.channel.close()
            if self._proof is not None:
                self._proof.close()
        log.info("dispatcher_stopped", in_time=in_time)
        return in_time

    def _end(self) -> None:
        for thread in self._threads:
            thread.join()
        self._prover.shutdown(wait=True)
        for lane in self._lanes.values():
            lane.close()

    # --- claiming --------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Pass on hints of whoever has put something into the outbox."""
        listener = wakeup.listen(self._database)
        try:
            while not self._stopping.is_set():
                if listener.wait(LOOK_S):
                    self._wake.set()
        finally:
            listener.close()

    def _look(self) -> None:
        """Claim what is due until there is no more, then wait for a hint or a second."""
        while not self._stopping.is_set():
            self._pulse.beat()
            self._wake.clear()
            claimed = 0
            try:
                with edge("dispatch_crashed"):
                    claimed = self._round()
            except StorageError as e:
                log.warning("outbox_unavailable", error=str(e))
            if not claimed:
                self._wake.wait(LOOK_S)

    def _round(self) -> int:
        """Claim in each lane as much as it can take; return how much that was."""
        with self._database.read() as session:
            lanes = deliveries.due_lanes(session, self._now())
        count = sum(self._claim(lane) for lane in lanes if lane.partition(":")[0] in self._lines)
        if not count:
            self._tidy()
        return count

    def _claim(self, lane: str) -> int:
        options = self._lines[lane.partition(":")[0]].options
        with self._lock:
            held = [device for of_lane, device in self._open.values() if of_lane == lane]
        most = options.parallel * AHEAD
        room = most - len(held)
        if room < most / 2 or self._stopping.is_set():
            return 0
        began, now = time.monotonic(), self._now()
        claimant = Claimant(self.owner, now, now + timedelta(seconds=self._claim_s))
        with self._database.write() as session:
            ids = deliveries.claim(session, lane, claimant, room, {device for device in held if device})
            ids += deliveries.claim_digests(session, lane, claimant, options.parallel)
        if ids:
            self._ship(lane, ids, began + self._claim_s - options.timeout_s)
        return len(ids)

    def _ship(self, lane: str, ids: Sequence[int], until: float) -> None:
        """Load what was claimed and hand it on; what Redmine must be asked about goes there first."""
        loaded = self._load(ids)
        with self._lock:
            self._open.update({due.delivery_id: (lane, due.device) for due in loaded})
        shipments = _shipments(loaded, until)
        now = self._now()
        doubtful = [s for s in shipments if any(self._lacks_proof(due, now) for due in s.dues)]
        self._lane(lane).add([s for s in shipments if s not in doubtful])
        if doubtful:
            self._prover.submit(self._prove, lane, doubtful)

    def _load(self, ids: Sequence[int]) -> list[Due]:
        with self._database.read() as session:
            return load(session, ids, self._keys)

    def _lane(self, name: str) -> Lane:
        with self._lock:
            lane = self._lanes.get(name)
            if lane is None:
                parallel = self._lines[name.partition(":")[0]].options.parallel
                lane = self._lanes[name] = Lane(name, parallel, self._deliver)
            return lane

    def _tidy(self) -> None:
        """Let go of lanes that nothing goes through, and of deliveries nobody will ask for any more."""
        at = time.monotonic()
        with self._lock:
            used = {lane for lane, _ in self._open.values()}
            idle = [n for n, lane in self._lanes.items() if n not in used and at - lane.used_at > IDLE_S]
            closing = [self._lanes.pop(name) for name in idle]
            self._proven = {number: until for number, until in self._proven.items() if until > at}
        for lane in closing:
            lane.close()
        if at - self._pruned_at > PRUNE_S:
            self._pruned_at = at
            with self._database.write() as session:
                unseen = channels.unseen(session, self._now() - UNSEEN)
                subscriptions.forget(session, unseen, "none of our pages was opened in it for months")

    # --- proof -----------------------------------------------------------------------------------

    def _lacks_proof(self, due: Due, now: datetime) -> bool:
        proven = self._proven.get(due.parcel.news.id, 0.0) > time.monotonic()
        return self._proof is not None and not proven and needs_proof(due, now)

    def _prove(self, lane: str, shipments: Sequence[Shipment]) -> None:
        """Ask Redmine about these, then send on what it shows."""
        if self._proof is None or self._stopping.is_set():
            return self._release(shipments)
        now = self._now()
        asked = [due for shipment in shipments for due in shipment.dues if self._lacks_proof(due, now)]
        try:
            with edge("proof_crashed") as step:
                shown = self._proof.shown(asked)
        except SourceError as e:
            return self._wait_for_redmine(shipments, str(e))
        if step.crash:
            return self._wait_for_redmine(shipments, step.crash)
        hidden = [due for due in asked if due.parcel.news.id not in shown]
        for due in hidden:
            error = "Redmine does not show it to its reader any more"
            self._recorder.put(Outcome(due, "skipped", error, withdraw=due.member is not None))
        with self._lock:
            self._proven.update(dict.fromkeys(shown, time.monotonic() + PROVEN_S))
        ids = {due.delivery_id for due in hidden}
        left = (tuple(due for due in s.dues if due.delivery_id not in ids) for s in shipments)
        kept = [Shipment(d, s.loaded_at, s.until) for s, d in zip(shipments, left, strict=True) if d]
        return self._lane(lane).add(kept)

    def _wait_for_redmine(self, shipments: Sequence[Shipment], error: str) -> None:
        log.warning("proof_unavailable", error=error, waiting=len(shipments))
        at = self._now() + PROOF_PAUSE
        for due in (due for shipment in shipments for due in shipment.dues):
            self._recorder.put(Outcome(due, "due", f"Redmine cannot be asked: {error}", at=at))

    # --- sending ---------------------------------------------------------------------------------

    def _deliver(self, shipment: Shipment, before: Outcome | None) -> Outcome | None:
        """Send a shipment, unless it is not to be sent any more. Never raises: the edge of one step."""
        first = shipment.dues[0]
        with structlog.contextvars.bound_contextvars(channel=first.channel, delivery_id=first.delivery_id):
            try:
                with edge("delivery_crashed") as step:
                    outcome = self._step(shipment, before)
            except StorageError as e:
                log.warning("delivery_put_back", error=str(e))
                self._release([shipment])
                return None
            if not step.crash:
                return outcome
            error = DeliveryFailed(f"internal error ({step.crash}): see the log", "retry")
            return self._fail(shipment.dues, error)

    def _step(self, shipment: Shipment, before: Outcome | None) -> Outcome | None:
        if before is not None:
            for due in shipment.dues:
                self._recorder.put(held_up(due, before))
            return before
        if self._stopping.is_set() or time.monotonic() > shipment.until:
            self._release([shipment])
            return None
        dues = self._wanted(self._fresh(shipment))
        if not dues:
            return None
        began = time.monotonic()
        try:
            if not self._send(dues, shipment.until):
                self._release([shipment])
                return None
        except DeliveryFailed as e:
            return self._fail(dues, e)
        for due in dues:
            self._recorder.put(Outcome(due, "sent", tries=1, mark="reached"))
        duration_ms = round((time.monotonic() - began) * 1000)
        log.debug("delivery_sent", lane=dues[0].lane, count=len(dues), duration_ms=duration_ms)
        return None

    def _send(self, dues: Sequence[Due], until: float) -> bool:
        """Send these as one message; False where their turn did not come in time. Raises DeliveryFailed."""
        channel, parcels = self._lines[dues[0].channel].channel, [due.parcel for due in dues]
        doubtful = [due.delivery_id for due in dues if is_doubtful(due)]
        if not doubtful:
            channel.send(parcels)
            return True
        if not self._alone.acquire(timeout=max(0.0, until - time.monotonic())):
            return False
        try:
            with self._database.write() as session:
                deliveries.begin(session, doubtful, self.owner)
            channel.send(parcels)
        finally:
            self._alone.release()
        return True

    def _fresh(self, shipment: Shipment) -> Sequence[Due]:
        """Return what decides about a shipment, not older than some seconds."""
        if time.monotonic() - shipment.loaded_at <= STALE_S:
            return shipment.dues
        ids = {due.delivery_id for due in shipment.dues}
        dues = self._load(sorted(ids))
        self._let_go(ids - {due.delivery_id for due in dues})  # their notifications are gone
        return dues

    def _wanted(self, dues: Sequence[Due]) -> tuple[Due, ...]:
        """Return those to be sent now; of the others, have written what becomes of them."""
        now, kept = self._now(), []
        for due in dues:
            outcome = judged(due, self._lines[due.channel].options, now)
            if outcome is None:
                kept.append(due)
            else:
                self._recorder.put(outcome)
        return tuple(kept)

    def _fail(self, dues: Sequence[Due], error: DeliveryFailed) -> Outcome | None:
        """Have a failure written; return it where it holds up what comes after it."""
        now = self._now()
        outcomes = [failed(due, error, self._lines[due.channel].options, now) for due in dues]
        for outcome in outcomes:
            self._recorder.put(outcome)
        first = outcomes[0]
        log.warning(
            "delivery_failed",
            lane=first.due.lane,
            error=first.error,
            outcome=error.outcome,
            attempt=first.due.attempts + 1,
            is_last=first.state == "failed",
        )
        return first if first.state == "due" or first.mark == "gone" else None

    def _release(self, shipments: Sequence[Shipment]) -> None:
        """Give back what was claimed and not tried."""
        for due in (due for shipment in shipments for due in shipment.dues):
            self._recorder.put(Outcome(due, "due", at=self._now()))

    def _written(self, outcomes: Sequence[Outcome]) -> None:
        self._let_go({outcome.due.delivery_id for outcome in outcomes})

    def _let_go(self, ids: Iterable[int]) -> None:
        """Make room: these are not ours any more."""
        with self._lock:
            for number in ids:
                self._open.pop(number, None)
        self._wake.set()


def _shipments(dues: Sequence[Due], until: float) -> list[Shipment]:
    """Put what goes out as one message together: the digest of a person."""
    loaded_at = time.monotonic()
    digests: defaultdict[int, list[Due]] = defaultdict(list)
    found = []
    for due in dues:
        if due.batch == DIGEST:
            digests[due.reader.user_id].append(due)
        else:
            found.append(Shipment((due,), loaded_at, until))
    return found + [Shipment(tuple(parts), loaded_at, until) for parts in digests.values()]
