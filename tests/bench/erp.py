"""A poll of the ERP's people: how long it takes and what memory it needs, for few people and for many.

`python -m tests.bench.erp`
"""

import gc
import resource
import tempfile
import time
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

COUNTS = (10_000, 100_000)
USERS = 1_000


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


def measure(count: int) -> str:
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
    return (
        f"erp poll ({count:,} people, {USERS:,} users): first {spent[0]:.1f} s, then {min(spent[1:]):.1f} s; "
        f"memory of the daemon +{grown:.0f} MB, of the process that asks {reader:.0f} MB"
    )


def polled(job: Job, database: Database) -> float:
    """Run the job once and return the seconds."""
    started = time.perf_counter()
    result = run_job(job, database, "bench")
    assert (result.status, result.requests) == ("ok", 1), result
    return time.perf_counter() - started


def main() -> None:
    """Print a line for few people and one for many, and the peak of all."""
    logs.configure("error")
    for count in COUNTS:
        print(measure(count))
    print(f"peak of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB")


if __name__ == "__main__":
    main()
