"""APScheduler wiring only: one job for each table, one thread for each, a lease so that one daemon polls.

Once a second it looks at the file and at what administrators asked for, and brings the schedule in line.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from daemon import measuring
from daemon import schedule_control as control
from daemon.chores import WAKE_EVERY_S, Chores
from daemon.clients.notify import Pulse
from daemon.overdue import Overdue
from daemon.pipeline import run_job
from daemon.retention import Retention
from daemon.schedule_plan import PlannedJob, Steady
from daemon.schedule_slots import Slot, Slots, effective
from storage import job_control
from storage.columns import utc_now
from storage.configuration import ConfigError
from storage.jobs import LeaseLost
from storage.lease import lease_of
from storage.retention import RetentionSettings
from storage.session import Database, StorageError

log = structlog.get_logger()

LOOK_EVERY_S = 1


class Engine:
    """Runs the jobs of one daemon while it holds the lease."""

    def __init__(
        self,
        database: Database,
        planned: Sequence[PlannedJob],
        lease_s: float,
        give_up_s: float = 60.0,
    ) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"
        # Looks at the file, and says what is known of it; set by whoever started us.
        self.look_at_file: Callable[[], Mapping[str, Any] | None] = lambda: None
        self._database = database
        self._planned: Sequence[PlannedJob] = ()
        self._slots = Slots()
        self._paused: frozenset[str] = frozenset()
        self._chores = Chores(database)
        self._retention = Retention(database)
        self._lease_s = lease_s
        self._lease = lease_of(database, self.owner, lease_s)
        self._leads_until = 0.0  # by the monotonic clock
        self._stopping = threading.Event()
        self._leads = threading.Event()
        self.overdue = Overdue(give_up_s)
        self.pulse, self.database_pulse = Pulse(), Pulse()  # what the watchdog looks at
        self._executors: set[str] = set()
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self.replace(planned)

    def replace(self, planned: Sequence[PlannedJob]) -> None:
        """Take another plan; the schedule follows in a second. Raises ConfigError, then nothing changed."""
        known = {job.name: job.mark for job in self._planned}
        for job in planned:
            if known.get(job.name) != job.mark:
                job.build(job.every_s, {}).source.close()
        self._planned = tuple(planned)

    @property
    def planned(self) -> Sequence[PlannedJob]:
        """The plan that is followed."""
        return self._planned

    def keep(self, kept: RetentionSettings, keep_read_days: float) -> None:
        """Tidy by these rules from now on."""
        self._retention = Retention(self._database, kept, keep_read_days)

    def start(self) -> None:
        """Take the lease if it is free, and begin to schedule."""
        self._renew()
        self._every("@lease", self._renew, self._lease_s / 3)
        self._every("@tidy", self._tidy, 3600.0)
        self._every("@wake", self._wake, WAKE_EVERY_S)
        self._every("@look", self._look, LOOK_EVERY_S)
        self._every("@measure", self._measure, measuring.EVERY_S)
        self._scheduler.start()
        log.info("daemon_started", owner=self.owner, jobs=[job.name for job in self._planned])

    def stop(self, timeout_s: float) -> bool:
        """Finish the steps under way, begin none, give the lease back; False where time ran out."""
        self._stopping.set()
        self._scheduler.pause()
        stopper = threading.Thread(target=self._scheduler.shutdown, daemon=True)
        stopper.start()
        stopper.join(timeout_s)
        if not stopper.is_alive():
            self._slots.close()
            self._release()
        log.info("daemon_stopped", in_time=not stopper.is_alive())
        return not stopper.is_alive()

    def _every(self, name: str, act: Callable[[], None], every_s: float) -> None:
        self._add_executor(name)
        self._scheduler.add_job(
            act, "interval", seconds=every_s, id=name, executor=name, next_run_time=utc_now()
        )

    def _add_executor(self, name: str) -> None:
        """Give a job a thread of its own: a source that hangs must not starve the others."""
        if name not in self._executors:
            self._scheduler.add_executor(ThreadPoolExecutor(1), name)
            self._executors.add(name)

    # --- once a second -------------------------------------------------------------------------

    def _look(self) -> None:
        """Bring the schedule in line with the file and with what administrators asked for."""
        if self._stopping.is_set():
            return
        self.pulse.beat()
        self.overdue.look()
        status = self.look_at_file()
        self._slots.close_retired()
        if not self._leads.is_set():
            return
        try:
            states = control.load(self._database)
            if control.judge(self._database, self.owner, self._planned, states, utc_now()):
                states = control.load(self._database)
            self._follow(states)
            control.publish(self._database, self.owner, self._planned, self._next_runs(states), status)
        except LeaseLost:
            self._leads.clear()
        except StorageError as e:
            log.warning("look_failed", error=str(e))

    def _follow(self, states: Mapping[str, Any]) -> None:
        now = utc_now()
        self._paused = frozenset(name for name, row in states.items() if job_control.is_paused(row, now))
        for job in self._planned:
            self._install(job, states.get(job.name))
        for name in set(self._slots.in_force) - {job.name for job in self._planned}:
            self._scheduler.remove_job(name)
            self._slots.remove(name)
            log.info("job_removed", job=name)
        for name, row in states.items():
            if row.requested_at is not None and name in self._slots.in_force and name not in self._paused:
                self._scheduler.modify_job(name, next_run_time=now)

    def _install(self, job: PlannedJob, state: Any) -> None:
        """Put a job in force as it is now; one that is in force already stays untouched."""
        every_s, options = effective(state, job.every_s)
        mark = (job.mark, every_s, repr(sorted(options.items())))
        before = self._slots.in_force.get(job.name)
        if before is not None and before.mark == mark:
            return
        try:
            slot = Slot(job.build(every_s, options), mark)
        except ConfigError as e:
            # The file changed under an override: what is not in the file cannot be in force.
            control.drop_override(self._database, self.owner, job.name, str(e))
            return
        self._slots.put(job.name, slot)
        if before is None or before.mark[1] != every_s:
            self._schedule(job.name, every_s)
        log.info("job_scheduled", job=job.name, every_s=every_s, options=options)

    def _schedule(self, name: str, every_s: float) -> None:
        self._add_executor(name)
        now = utc_now()
        self._scheduler.add_job(
            self._run,
            Steady(every_s, now),
            args=[name],
            id=name,
            executor=name,
            next_run_time=now,
            replace_existing=True,
        )

    def _next_runs(self, states: Mapping[str, Any]) -> dict[str, datetime | None]:
        """Return when each job runs next: none while it is paused, not before the end of its back-off."""
        found: dict[str, datetime | None] = {}
        for name in self._slots.in_force:
            scheduled = self._scheduler.get_job(name)
            row, at = states.get(name), scheduled.next_run_time if scheduled else None
            if name in self._paused:
                at = None
            elif at is not None and row is not None and row.retry_at is not None:
                at = max(at, row.retry_at)
            found[name] = at
        return found

    # --- a run ---------------------------------------------------------------------------------

    def _run(self, name: str) -> None:
        if not self._may_begin(name):
            return
        slot = self._slots.begin(name)
        if slot is None:
            return
        try:
            with self.overdue.timing(name, slot.job.timeout_s) as began:
                stop = partial(self._must_end, name)
                result = run_job(slot.job, self._database, self.owner, stop=stop, began=began)
        finally:
            slot.lock.release()
        if result.status == "standby":
            self._leads.clear()

    def _may_begin(self, name: str) -> bool:
        """Ask the table itself: a job that was paused a moment ago does not run."""
        if self._must_stop():
            return False
        try:
            with self._database.read() as session:
                if not job_control.may_run(session, name, utc_now()):
                    return False
                is_asked_for = job_control.is_requested(session, name)
            if is_asked_for:
                with self._database.write() as session:
                    job_control.take_request(session, name)
        except StorageError as e:
            log.warning("run_not_begun", job=name, error=str(e))
            return False
        return True

    def _must_end(self, name: str) -> bool:
        """Say whether a run is to end between two steps: paused or removed jobs do not go on."""
        return self._must_stop() or name in self._paused or name not in self._slots.in_force

    def _must_stop(self) -> bool:
        """Say whether nothing may be polled. One that was frozen may lead no more without knowing it."""
        return self._stopping.is_set() or not self._leads.is_set() or time.monotonic() > self._leads_until

    def _renew(self) -> None:
        """Renew the lease, or try to take it. A daemon that cannot reach the database does not lead."""
        if self._stopping.is_set():
            return
        started = time.monotonic()
        try:
            leads = self._lease.hold()
            self.database_pulse.beat()
        except StorageError as e:
            leads = False
            log.warning("lease_unavailable", error=str(e), waited_s=round(time.monotonic() - started, 1))
        if leads != self._leads.is_set():
            log.info("lease_taken" if leads else "lease_waiting", owner=self.owner)
        if leads:
            self._leads_until = started + self._lease_s
            self._leads.set()
        else:
            self._leads.clear()

    def _release(self) -> None:
        try:
            self._lease.release()
        except StorageError as e:
            log.warning("lease_not_released", error=str(e))

    def _wake(self) -> None:
        if not self._must_stop():
            self._chores.wake()

    def _measure(self) -> None:
        """Have written what monitoring shows, and, as the one that leads, how our parts get on."""
        if self._stopping.is_set():
            return
        ages_s = {"scheduler": self.pulse.age_s(), "database": self.database_pulse.age_s()}
        measuring.tally.write(self._database, ages_s if self._leads.is_set() else None)

    def _tidy(self) -> None:
        """Forget what nobody will ask for any more."""
        if not self._leads.is_set():
            return
        self._retention.run(lambda took_s: self._stopping.wait(took_s) or self._must_stop())
