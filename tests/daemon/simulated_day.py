"""A daemon that lives through a day in minutes: what else it does every few minutes it does at once.

Run as a process of its own, so that memory and open files are the daemon's alone. It writes what it measured,
once for each simulated quarter of an hour, as JSON.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from daemon.config import Config, load
from daemon.pipeline import Job
from daemon.schedule_plan import PlannedJob
from daemon.scheduler import Engine
from daemon.service import Senders, plan
from storage import host_history, logs, sizes
from storage.columns import utc_now
from storage.host_history import Level
from storage.models import JobRun, Notification
from storage.retention import RetentionSettings
from storage.session import Database

HOURS, MEASURED_PER_HOUR = 24, 4
MOST_DAYS = 4  # of a machine that is busy with other things
SECONDS_OF_A_DAY = 86_400


def hurried(job: PlannedJob, every_s: float) -> PlannedJob:
    """Return a job that runs as often as that, less than the file allows."""

    def build(_: float, options: Mapping[str, Any]) -> Job:
        return replace(job.build(job.every_s, options), every_s=every_s)

    return replace(job, every_s=every_s, build=build)


def kept(hour_s: float) -> tuple[RetentionSettings, float]:
    """Return retention for a day of so short hours: what is kept for days is kept for two hours."""
    days = 2 * hour_s / SECONDS_OF_A_DAY
    settings = RetentionSettings(
        unread_days=days,
        withdrawn_days=days,
        deliveries_days=days,
        runs_days=days,
        idle_runs_days=days / 2,
        gaps_days=days,
        audit_days=days,
        hosts_days=days,
    )
    return settings, days


def thin_hosts_sooner(hour_s: float) -> None:
    """Thin the history of hosts by the same measure."""
    hour = timedelta(seconds=hour_s)
    host_history.LEVELS = (Level(0, 1, hour, hour), Level(1, 2, 2 * hour, hour))
    host_history.KEPT = 3 * hour


def measured(database: Database, process: psutil.Process) -> dict[str, float]:
    """Measure the process and its database."""
    found = sizes.size(database)
    with database.read() as session:
        runs = session.scalar(sa.select(sa.func.max(JobRun.id))) or 0
        rows = sum(sizes.rows(session).values())
    return {
        "runs": runs,
        "rows": rows,
        "rss": process.memory_info().rss,
        "files": process.num_fds(),
        "threads": process.num_threads(),
        "database": found.total,
        "log": found.log,
    }


def read_everything(database: Database) -> None:
    """Read all news, as people do."""
    with database.write() as session:
        session.execute(
            sa.update(Notification).where(Notification.read_at.is_(None)).values(read_at=utc_now())
        )


@dataclass
class Seen:
    """What was seen of the runs: when those of each job began, and what went wrong in how many."""

    begun: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    ids: set[int] = field(default_factory=set)

    def look(self, database: Database) -> None:
        """Take note of the runs that are over since the last look."""
        columns = JobRun.id, JobRun.job, JobRun.started_at, JobRun.error
        newest = max(self.ids, default=0)
        query = sa.select(*columns).where(JobRun.id > newest - 500, JobRun.status != "running")
        with database.read() as session:
            for number, job, started_at, error in session.execute(query.order_by(JobRun.id)):
                if number not in self.ids:
                    self.ids.add(number)
                    self.begun.setdefault(job, []).append(started_at.timestamp())
                    self.errors.update([error] if error else [])


def live_through(config: Config, every_s: float, day_s: float, least_runs: int) -> dict[str, Any]:
    """Run the daemon for a day, longer where it had fewer runs; return figures and when each run began."""
    hour_s = day_s / HOURS
    thin_hosts_sooner(hour_s)
    database = Database(config.storage)
    engine = Engine(database, [hurried(job, every_s) for job in plan(config)], 30)
    engine.keep(*kept(hour_s))
    sender = Senders(config, database)
    engine.start()
    sender.start()
    process, waiting = psutil.Process(os.getpid()), threading.Event()
    samples, seen = [], Seen()
    begin = time.monotonic()
    day = HOURS * MEASURED_PER_HOUR
    for quarter in range(1, MOST_DAYS * day + 1):
        waiting.wait(max(0.0, begin + quarter * hour_s / MEASURED_PER_HOUR - time.monotonic()))
        read_everything(database)
        seen.look(database)
        if quarter % MEASURED_PER_HOUR == 0:
            engine._tidy()  # once an hour, as it does by itself
        samples.append(measured(database, process))
        if quarter >= day and samples[-1]["runs"] >= least_runs:
            break
    assert engine.stop(30)
    sender.stop(10)
    return {"samples": samples, "begun": seen.begun, "errors": seen.errors}


if __name__ == "__main__":
    configuration = load(Path(sys.argv[1]))
    logs.configure("warning", "json")
    result = live_through(configuration, float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
    Path(sys.argv[5]).write_text(json.dumps(result))
