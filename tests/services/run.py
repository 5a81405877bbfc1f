"""The servers of one test run: a folder of its own, each server started when first asked for."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from tests.services.layout import services_folder
from tests.services.postgres import OWNER, Cluster
from tests.services.processes import own, private_folder, remove_folder
from tests.services.redis_server import RedisServer
from tests.services.redmine import RedmineServer


class ServiceRun:
    """Private servers below one folder. Use from one thread that lives as long as the run, then `stop`."""

    def __init__(self) -> None:
        runs = services_folder() / "runs"
        with _alone(runs):
            _sweep(runs)
            self.folder = own(Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=runs)))
            self._lock = (self.folder / "lock").open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._databases = 0

    @cached_property
    def cluster(self) -> Cluster:
        """PostgreSQL, started from the pristine archive."""
        cluster = Cluster(private_folder(self.folder / "postgres"))
        cluster.restore()
        cluster.start()
        return cluster

    @cached_property
    def redmine(self) -> RedmineServer:
        """Redmine on this run's PostgreSQL."""
        server = RedmineServer(self.cluster, private_folder(self.folder / "redmine"))
        server.start()
        return server

    @cached_property
    def redis(self) -> RedisServer:
        """Redis."""
        return RedisServer(private_folder(self.folder / "redis"))

    def new_database(self) -> str:
        """Create an empty database of the role our tests connect as, and return its name."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.cluster.psql(f"create database {name} owner {OWNER} strategy file_copy")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database even while somebody is connected to it."""
        self.cluster.psql(f"drop database {name} with (force)")

    def stop(self) -> None:
        """End what was started, Redmine before its database, and remove the folder."""
        for name in ("redmine", "redis", "cluster"):
            if server := self.__dict__.get(name):  # cached_property keeps a made value here
                server.stop()
        self._lock.close()
        remove_folder(self.folder)


@contextmanager
def _alone(runs: Path) -> Iterator[None]:
    """Keep other test runs from making or sweeping folders: one not yet locked looks abandoned."""
    descriptor = os.open(runs, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sweep(runs: Path) -> None:
    """Remove the folders of runs that were killed; a living run holds the lock of its folder."""
    for lock in runs.glob("*/lock"):
        if _is_abandoned(lock):
            remove_folder(lock.parent)


def _is_abandoned(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
