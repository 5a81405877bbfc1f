"""APScheduler wiring only: one job for each table, one thread for each, a lease so that one daemon polls."""

import os
import socket
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from daemon.chores import WAKE_EVERY_S, Chores
from daemon.pipeline import Job, run_job
from storage import jobs, live
from storage.columns import utc_now
from storage.session import Database, StorageError

log = structlog.get_logger()

EVENTS_KEPT = timedelta(hours=1)
RUNS_KEPT = timedelta(days=14)
IDLE_RUNS_KEPT = timedelta(hours=6)


class Engine:
    """Runs the jobs of one daemon while it holds the lease."""

    def __init__(
        self, database: Database, work: Sequence[Job], lease_s: float, keep_read_days: int = 0
    ) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"
        self._database = database
        self._work = work
        self._chores = Chores(database, keep_read_days)
        self._lease_s = lease_s
        self._stopping = threading.Event()
        self._leads = threading.Event()
        # One executor for each job: a source that hangs must not starve the others.
        executors = {job.name: ThreadPoolExecutor(1) for job in work}
        self._scheduler = BackgroundScheduler(
            executors={**executors, **{name: ThreadPoolExecutor(1) for name in ("@lease", "@tidy", "@wake")}},
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Take the lease if it is free, and begin to schedule."""
        self._renew()
        self._scheduler.add_job(
            self._renew, "interval", seconds=self._lease_s / 3, id="@lease", executor="@lease"
        )
        self._scheduler.add_job(
            self._tidy, "interval", hours=1, id="@tidy", executor="@tidy", next_run_time=utc_now()
        )
        self._scheduler.add_job(
            self._wake,
            "interval",
            seconds=WAKE_EVERY_S,
            id="@wake",
            executor="@wake",
            next_run_time=utc_now(),
        )
        for job in self._work:
            self._scheduler.add_job(
                self._run,
                "interval",
                args=[job],
                seconds=job.every_s,
                id=job.name,
                executor=job.name,
                next_run_time=utc_now(),
            )
        self._scheduler.start()
        log.info("daemon_started", owner=self.owner, jobs=[job.name for job in self._work])

    def stop(self, timeout_s: float) -> bool:
        """Finish the steps under way, begin none, give the lease back; False where time ran out."""
        self._stopping.set()
        self._scheduler.pause()
        stopper = threading.Thread(target=self._scheduler.shutdown, daemon=True)
        stopper.start()
        stopper.join(timeout_s)
        if not stopper.is_alive():
            for job in self._work:
                job.source.close()
            self._release()
        log.info("daemon_stopped", in_time=not stopper.is_alive())
        return not stopper.is_alive()

    def _run(self, job: Job) -> None:
        if self._leads.is_set() and not self._stopping.is_set():
            result = run_job(job, self._database, self.owner, stop=self._must_stop)
            if result.status == "standby":
                self._leads.clear()

    def _must_stop(self) -> bool:
        return self._stopping.is_set() or not self._leads.is_set()

    def _renew(self) -> None:
        """Renew the lease, or try to take it. A daemon that cannot reach the database does not lead."""
        if self._stopping.is_set():
            return
        started = time.monotonic()
        try:
            with self._database.write() as session:
                leads = jobs.acquire_lease(session, self.owner, utc_now(), self._lease_s)
        except StorageError as e:
            leads = False
            log.warning("lease_unavailable", error=str(e), waited_s=round(time.monotonic() - started, 1))
        if leads != self._leads.is_set():
            log.info("lease_taken" if leads else "lease_waiting", owner=self.owner)
        if leads:
            self._leads.set()
        else:
            self._leads.clear()

    def _release(self) -> None:
        try:
            with self._database.write() as session:
                jobs.release_lease(session, self.owner)
        except StorageError as e:
            log.warning("lease_not_released", error=str(e))

    def _wake(self) -> None:
        if not self._must_stop():
            self._chores.wake()

    def _tidy(self) -> None:
        """Forget what nobody will ask for any more."""
        if not self._leads.is_set():
            return
        now = utc_now()
        try:
            with self._database.write() as session:
                live.prune(session, now - EVENTS_KEPT)
                jobs.prune_runs(session, now - RUNS_KEPT, now - IDLE_RUNS_KEPT)
        except StorageError as e:
            log.warning("tidy_failed", error=str(e))
        self._chores.forget()
