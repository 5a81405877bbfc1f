"""Debian's Redmine under puma, on a private cluster; brought back to its pristine state at once.

Standard library only: the installer uses this too.
"""

import hashlib
import re
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

from tests.services.layout import HERE, INSTANCE, TIME_ZONE
from tests.services.postgres import Cluster
from tests.services.processes import (
    Server,
    ServerCommand,
    ServerFailed,
    clean_environment,
    private_folder,
    remove_folder,
    wait_until,
)

APPLICATION = Path("/usr/share/redmine")
WORKERS = 2
THREADS = 3
MIB = 1024 * 1024

KEEP = HERE / "keep.sql"
RENEW = """
drop database if exists redmine with (force);
create database redmine template pristine owner redmine strategy file_copy;
"""
PUT_BACK = """
begin;
select kept.put_back();
-- Each worker keeps the settings in memory until settings.updated_on passes the moment it read them. Two
-- seconds ahead, so that a request of the last test still under way cannot make a worker keep the old ones.
update settings set updated_on = now() + interval '2 seconds';
commit;
select pg_database_size(current_database());
"""
# Rows that were deleted leave their room behind: after a bulk load a new database is better.
LARGEST_BYTES = 50_000_000


def api_key(login: str) -> str:
    """Return the API key of everybody in world.json, and of `admin`."""
    return hashlib.sha1(login.encode(), usedforsecurity=False).hexdigest()


def environment(cluster: Cluster, folder: Path) -> dict[str, str]:
    """Return the environment of Redmine's processes; `folder` is where its files and its home are."""
    own_names = {
        "REDMINE_INSTANCE": INSTANCE,
        "RAILS_ENV": "production",
        "RAILS_LOG_TO_STDOUT": "1",
        "RUBYOPT": "--yjit",  # a quarter less time for each answer
        # Room for what a request makes, as operators of Ruby servers give them: less collecting of garbage.
        "RUBY_GC_HEAP_INIT_SLOTS": "1000000",
        "RUBY_GC_HEAP_FREE_SLOTS": "300000",
        "RUBY_GC_MALLOC_LIMIT": str(64 * MIB),
        "RUBY_GC_MALLOC_LIMIT_MAX": str(128 * MIB),
        "RUBY_GC_OLDMALLOC_LIMIT": str(128 * MIB),
        "RUBY_GC_OLDMALLOC_LIMIT_MAX": str(256 * MIB),
        "SCHEMA": "/dev/null",  # db:migrate would write db/schema.rb below /usr
        "TZ": TIME_ZONE,
        "HELPDESK_FILES": str(folder / "files"),
    }
    return clean_environment({**cluster.environment(), **own_names}, folder)


class RedmineServer:
    """One puma with two workers of three threads each, and the database `redmine` behind it."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._server: Server | None = None
        self.url = ""

    @property
    def log(self) -> Path:
        """Redmine's and puma's log of this run."""
        return self._folder / "redmine.log"

    def start(self) -> None:
        """Make a pristine database and start puma on a port it picks itself."""
        self._renew()
        self._server = Server(self._command()).wait_ready(self._listens, within_s=60)
        self.url = self._address()
        self._wait_for_answer(within_s=60)

    def _command(self) -> ServerCommand:
        listen = ["-b", "tcp://127.0.0.1:0", "-w", str(WORKERS), "-t", f"{THREADS}:{THREADS}"]
        return ServerCommand(
            name="Redmine",
            # Not under `bundle exec`: Debian's puma is not in Redmine's Gemfile.
            argv=("puma", "-C", "-", "-e", "production", *listen, "--preload", "config.ru"),
            log=self.log,
            env=environment(self._cluster, self._folder),
            cwd=APPLICATION,
        )

    def _address(self) -> str:
        listening = re.search(r"Listening on (http://127\.0\.0\.1:\d+)", self.log.read_text(errors="replace"))
        return listening.group(1) if listening else ""

    def _listens(self) -> bool:
        return bool(self._address())

    def reset(self) -> None:
        """Bring rows and files back to the pristine state; puma keeps running and reconnects.

        Tests must leave the tables themselves as they are.
        """
        if self._put_back() > LARGEST_BYTES:
            self._renew()
        self._wait_for_answer(within_s=30)

    def _renew(self) -> None:
        self._cluster.psql(RENEW)
        self._cluster.psql(KEEP.read_text(), database="redmine")
        self._put_back()

    def _put_back(self) -> int:
        """Return the size of the database in bytes."""
        size = self._cluster.psql(PUT_BACK, database="redmine")
        remove_folder(self._folder / "files")
        private_folder(self._folder / "files")
        return int(size)

    def _wait_for_answer(self, *, within_s: float) -> None:
        if not wait_until(self._answers, within_s=within_s):
            raise ServerFailed(f"Redmine does not answer:\n{self.log.read_text(errors='replace')[-4000:]}")

    def _answers(self) -> bool:
        request = urllib.request.Request(f"{self.url}/users/current.json")
        request.add_header("X-Redmine-API-Key", api_key("admin"))
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """End puma with its workers."""
        if self._server:
            self._server.stop()
        self._server = None
