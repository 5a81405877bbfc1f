"""A poll of the ERP's people: how long it takes and what memory it needs, for few people and for many.

`python -m tests.bench.erp`: ends with 1 where twice the people take more memory than MOST_GROWN_MB.
"""

import gc
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from daemon.clients.erp_settings import ErpSettings
from daemon.pipeline import Job, run_job
from daemon.sources.erp import Options, Source
from storage import jobs, logs, migrate, users
from storage.columns import utc_now
from storage.models import User
from storage.session import Database
from storage.settings import StorageSettings
from tests.erp.registry import PEOPLE, Registry

COUNTS = (50_000, 100_000)  # with fewer SQLite has not filled its caches yet (16 MiB a connection)
USERS = 1_000
# For 50,000 people more: what marks each as seen, never the rows, which would be 50 MB and more.
MOST_GROWN_MB = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """Polls of so many people: seconds of each, memory that the daemon took for them, and its reader's."""

    count: int
    spent_s: list[float]
    daemon_mb: float
    reader_mb: float

    def __str__(self) -> str:
        """Return the line that is printed."""
        first, later = self.spent_s[0], min(self.spent_s[1:])
        return (
            f"erp poll ({self.count:,} people, {USERS:,} users): first {first:.1f} s, then {later:.1f} s;"
            f" one query; memory of the daemon +{self.daemon_mb:.0f} MB,"
            f" of the process that asks {self.reader_mb:.0f} MB"
        )


def filled(folder: Path, count: int) -> Registry:
    """Return an ERP with so many people."""
    registry = Registry(f"sqlite:///{folder / 'erp.db'}", folder)
    rows = [
        {
            "name": f"USER{number}",
            "full_name": f"СОТРУДНИКОВ СОТРУДНИК {number}",
            "email": f"user{number}@example.test",
            "office": str(number % 500),
            "department_name": f"Отдел {number % 90}",
            "post_name": "Инженер",
            "phone_ext": str(number),
            "vpn": number % 2,
            "vpn_end_date": "31.12.2099",
        }
        for number in range(count)
    ]
    with registry.engine.begin() as connection:
        connection.execute(PEOPLE.insert(), rows)
    return registry


def measure(count: int) -> Measured:
    """Poll twice: the first time everybody is new, the second time nobody."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registry = filled(folder, count)
        database = Database(StorageSettings(directory=folder / "state"))
        migrate.upgrade(database)
        with database.write() as session:
            assert jobs.acquire_lease(session, "bench", utc_now(), 3600)
            for number in range(USERS):
                users.add(session, User(username=f"user{number}"))
        gc.collect()
        source = Source(ErpSettings.model_validate(registry.settings()), Options())
        job = Job("erp", source, 300.0, 600.0)
        before = psutil.Process().memory_info().rss
        spent = [polled(job, database) for _ in range(3)]
        (child,) = psutil.Process().children()
        grown = (psutil.Process().memory_info().rss - before) / 1e6
        reader = child.memory_info().rss / 1e6
        source.close()
        database.dispose()
        registry.close()
    return Measured(count, spent, grown, reader)


def polled(job: Job, database: Database) -> float:
    """Run the job once and return the seconds."""
    started = time.perf_counter()
    result = run_job(job, database, "bench")
    assert (result.status, result.requests) == ("ok", 1), result
    return time.perf_counter() - started


def main() -> int:
    """Print a line for few people and one for many, and the peak of all; 1 where memory is not flat."""
    logs.configure("error")
    few, many = (_shown(measure(count)) for count in COUNTS)
    daemon, reader = many.daemon_mb - few.daemon_mb, many.reader_mb - few.reader_mb
    print(growth(daemon, reader))
    print(f"peak of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB")
    return int(max(daemon, reader) > MOST_GROWN_MB)


def growth(daemon_mb: float, reader_mb: float) -> str:
    """Return the line that says what many people take more than few."""
    few, many = COUNTS
    return (
        f"erp memory: {many:,} people instead of {few:,}: daemon {daemon_mb:+.0f} MB,"
        f" process that asks {reader_mb:+.0f} MB (at most {MOST_GROWN_MB} each)"
    )


def _shown(measured: Measured) -> Measured:
    print(measured, flush=True)
    return measured


if __name__ == "__main__":
    sys.exit(main())
