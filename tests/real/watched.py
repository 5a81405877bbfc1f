"""A daemon that believes it was started by systemd; the test is what systemd would be."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.daemon.listening import Ear
from tests.real.daemon_process import KEY, Installation
from tests.redmines import RedmineUnderTest
from tests.services.layout import PROJECT

STUCK_SOURCES = Path(__file__).parent / "stuck_sources"
COMMAND = (
    "import sys, daemon.sources as s; s.__path__.append(sys.argv.pop(1)); from daemon.cli import main; main()"
)


class WatchedDaemon:
    """`helpdesk daemon` with $NOTIFY_SOCKET and a watchdog, and one source more than shipped."""

    def __init__(self, place: Installation, redmine: RedmineUnderTest, ear: Ear, watchdog_s: float) -> None:
        self._log = place.folder / "daemon.log"
        environ = {
            KEY: redmine.admin_key,
            "NOTIFY_SOCKET": ear.address,
            "WATCHDOG_USEC": str(round(watchdog_s * 1_000_000)),
        }
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, str(STUCK_SOURCES), "--config", str(place.config), "daemon"],
                cwd=PROJECT,
                env=os.environ | environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def abort(self) -> int:
        """End it as systemd's watchdog does; return the exit code."""
        self.process.send_signal(signal.SIGABRT)
        return self.process.wait(10)

    def log(self) -> str:
        """Return all that was logged."""
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """End it in any case."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process and all that it started, as on a machine that hangs; let them go on afterwards."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(family):
            process.resume()


def seconds_until(ear: Ear, word: str, within_s: float) -> float:
    """Return how long it took until something was said."""
    began = time.monotonic()
    ear.wait_for(word, within_s)
    return time.monotonic() - began
