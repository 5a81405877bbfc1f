"""One process of the product: killed, frozen and started again at will, on its own terms each time."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.services.layout import PROJECT
from tests.services.processes import ServerFailed, wait_until


class Process:
    """`python -m ...` as leader of a process group; it ends with the thread that started it."""

    def __init__(self, name: str, module: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._argv = ["setpriv", "--pdeathsig=KILL", "--", sys.executable, "-m", *module]
        self._environ: dict[str, str] = os.environ | dict(environ)
        self._process: subprocess.Popen[bytes] | None = None

    def set_environment(self, more: Mapping[str, str]) -> None:
        """Give it further variables from its next start on."""
        self._environ |= more

    def start(self) -> None:
        """Start it; its log is added to that of the one before."""
        assert not self.is_running(), f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                cwd=PROJECT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id, 0 where it has not been started."""
        return self._process.pid if self._process else 0

    def is_running(self) -> bool:
        """Whether it runs, frozen or not."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL to it and its workers. One that has ended by itself stays as it is."""
        if self._process is not None and self.is_running():
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(10)

    def freeze(self) -> None:
        """Stop it where it is, as a machine that hangs does: nothing of it ends."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if no time had passed."""
        os.killpg(self.pid, signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM, as an operator does, and return the exit code; one that does not end is killed."""
        if self._process is None:
            return 0
        if self.is_running():
            self.thaw()
            self._process.terminate()
        try:
            return self._process.wait(15)
        finally:
            if self.is_running():
                self.kill()

    def wait_ready(self, is_ready: Callable[[], object], within_s: float = 60) -> None:
        """Wait until `is_ready()`. Raises ServerFailed where it ends or stays silent."""
        if not wait_until(lambda: not self.is_running() or is_ready(), within_s=within_s):
            raise ServerFailed(f"{self.name} is not ready:\n{self.log_tail()}")
        if not self.is_running():
            raise ServerFailed(f"{self.name} ended:\n{self.log_tail()}")

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return what it has logged under this name, oldest first."""
        return [line for line in self._lines() if line.get("event") == name]

    def _lines(self) -> Iterator[dict[str, Any]]:
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("{"):
                yield json.loads(line)

    def log_tail(self) -> str:
        """Return the end of its log."""
        return self.log.read_text(errors="replace")[-4000:]
