"""The viewer as a process of its own: started, killed and started again on the same port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import requests

from storage.session import Database
from storage.settings import StorageSettings
from tests.web.house import password_of

START_S = 60.0
ROOT = Path(__file__).parents[2]


@dataclass
class ServedViewer:
    """`python -m web` on a port that stays its own; `environ` lays settings over its configuration."""

    storage: StorageSettings
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.folder / "viewer.log"
        self.config = self.folder / "scheduler.toml"
        self.config.write_text(
            f'[storage]\ndirectory = "{self.storage.directory}"\nurl = "{self.storage.url}"\n'
            f'[web]\nport = {self.port}\n[auth]\nfailures_per_address = "1000 per minute"\n'
        )

    def start(self) -> "ServedViewer":
        """Start it and wait until it serves and follows the table."""
        self.spawn()
        wait_until(self.is_well, START_S, lambda: f"the viewer does not start: {self.log.read_text()}")
        return self

    def spawn(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "web", "--config", str(self.config)],
                env=os.environ | dict(self.environ),
                cwd=ROOT,
                stderr=log,
                stdout=log,
                start_new_session=True,
            )

    def is_well(self) -> bool:
        """Say whether it answers that all is well."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False

    def kill(self) -> None:
        """End it with SIGKILL, workers included."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to end; return the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(20)

    def log_in(self, username: str) -> requests.Session:
        """Return a session of this user, with the token for writes in its headers."""
        session = requests.Session()
        session.trust_env = False
        form = {"username": username, "password": password_of(username)}
        answer = session.post(f"{self.url}/users/login", json=form, timeout=30)
        assert answer.status_code == 200, answer.text
        session.headers["X-CSRFToken"] = answer.json()["csrf_token"]
        return session

    def cookie_of(self, username: str) -> str:
        """Return a Cookie header that is this user's session."""
        session = self.log_in(username)
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    is_so: Callable[[], bool], deadline_s: float, otherwise: Callable[[], str] = lambda: "in vain"
) -> None:
    """Wait for a condition; AssertionError with `otherwise` when it does not come about."""
    until = time.monotonic() + deadline_s
    while not is_so():
        assert time.monotonic() < until, otherwise()
        time.sleep(0.02)


def open_database(storage: StorageSettings) -> Database:
    """Return another process's view of the database."""
    return Database(storage)
