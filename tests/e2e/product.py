"""The whole product as its operator starts it: daemon and viewer in processes of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from storage import jobs, notifications, snapshots
from storage.session import Database
from storage.settings import StorageSettings
from tests.e2e.viewer import ROOT, Person, free_port, serves, wait_until

START_S = 90
KEY = "E2E_REDMINE_KEY"
CONFIG = """
[web]
port = {port}
threads = 64
[storage]
directory = "{directory}"
"""
REDMINE = """
[redmine]
url = "{url}"
api_key_env = "E2E_REDMINE_KEY"
[job.redmine]
source = "redmine"
every_s = 1
[job.reconcile]
source = "redmine_reconcile"
every_s = 5
"""


class Product:
    """`helpdesk run` on a free port; on the demo Redmine where no address is given."""

    def __init__(self, folder: Path, redmine_url: str = "", key: str = "") -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._environment = os.environ | {KEY: key}
        self.config = folder / "scheduler.toml"
        text = CONFIG.format(port=self._port, directory=folder / "data")
        self.config.write_text(text + (REDMINE.format(url=redmine_url) if redmine_url else ""))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Product":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def command(self, *words: str, timeout_s: float = 60) -> str:
        """Run a `helpdesk` command to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "daemon", "--config", str(self.config), *words],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Start daemon and viewer and wait until the viewer answers."""
        with (self._folder / "product.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "daemon", "--config", str(self.config), "run"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, f"the viewer answers at {self.url}", START_S)

    def stop(self) -> int | None:
        """Stop it as an operator does and return the exit code."""
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(30)
        self._process = None
        return code

    def database(self) -> Database:
        """Open the product's database."""
        return Database(StorageSettings(directory=self._folder / "data"))

    def has_begun(self) -> bool:
        """Whether the first run is over."""
        with self.database().read() as session:
            cursor = jobs.cursor(session, "redmine")
        return cursor is not None and cursor["next_id"] is None

    def knows(self, issue_id: int) -> bool:
        """Whether the daemon has seen an issue."""
        with self.database().read() as session:
            return bool(snapshots.load_issues(session, [issue_id]))

    def newest_notification(self) -> int:
        """Return the id of the newest notification."""
        with self.database().read() as session:
            return notifications.newest_id(session)

    def log(self) -> str:
        """Return the end of what both processes wrote."""
        file = self._folder / "product.log"
        return file.read_text()[-6000:] if file.exists() else ""

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        return serves(self._port)


def redmine_person(login: str) -> Person:
    """Somebody of tests/world.json who signs in with the password of their Redmine account."""
    return Person(0, login, f"password-{login}")
