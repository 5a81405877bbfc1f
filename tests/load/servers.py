"""The two that are compared: the viewer, and npm's `socket.io` on the same table."""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil
import requests

from storage.settings import StorageSettings
from tests.load.town import Dweller
from tests.node import NODE
from tests.web.served import ROOT, ServedViewer, free_port, wait_until

START_S = 60.0
STOP_S = 20.0
HTML_CHARACTERS = 5_000


class Server(Protocol):
    """What is put under load."""

    name: str
    url: str

    def start(self) -> None:
        """Start it; return when it answers."""

    def stop(self) -> None:
        """End it in good order."""

    def processes(self) -> list[psutil.Process]:
        """Return its living processes."""

    def cookies(self, dwellers: Sequence[Dweller]) -> list[str]:
        """Return by what it knows them."""

    @property
    def hints(self) -> list[int]:
        """UDP ports to be hinted besides the product's own way."""


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and those it has started."""
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


class Product:
    """`helpdesk web` as in production."""

    name = "viewer"
    hints: list[int] = []  # noqa: RUF012 - never changed

    def __init__(self, storage: StorageSettings, folder: Path, workers: int) -> None:
        self._viewer = ServedViewer(storage, folder, {"HELPDESK_WEB__WORKERS": str(workers)})
        self.url = self._viewer.url

    def start(self) -> None:
        """Start it."""
        self._viewer.start()

    def stop(self) -> None:
        """End it as systemd does."""
        self._viewer.stop()

    def processes(self) -> list[psutil.Process]:
        """Return master and workers."""
        assert self._viewer.process is not None
        return tree(self._viewer.process.pid)

    def cookies(self, dwellers: Sequence[Dweller]) -> list[str]:
        """Return the sessions' cookies."""
        return [one.cookie for one in dwellers]


@dataclass
class Peer:
    """npm's `socket.io` in a cluster of Node.js; it always reads SQLite."""

    file: Path
    workers: int
    name: str = "socket.io"
    hints: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._port = free_port()
        self.hints = [free_port() for _ in range(self.workers)]
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it."""
        order = {"port": self._port, "hints": self.hints, "file": str(self.file), "html": HTML_CHARACTERS}
        command: list[str | Path] = [NODE, "--no-warnings", ROOT / "tests/load/peer.cjs", json.dumps(order)]
        self._process = subprocess.Popen(command, start_new_session=True)
        wait_until(self._answers, START_S)

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(STOP_S)

    def kill(self) -> None:
        """End it, whatever happens."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def processes(self) -> list[psutil.Process]:
        """Return master and workers."""
        return tree(self._process.pid)

    def cookies(self, dwellers: Sequence[Dweller]) -> list[str]:
        """Return names of devices, which it looks up."""
        return [f"device={one.device}" for one in dwellers]

    def _answers(self) -> bool:
        try:
            return requests.get(self.url, timeout=5).status_code == 200
        except requests.ConnectionError:
            return False
