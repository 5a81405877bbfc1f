"""What is done to a server under load, and what is read off."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from storage.settings import StorageSettings
from tests.load.pages import Pages
from tests.load.servers import Server
from tests.load.town import Dweller
from tests.web.served import ROOT

WARM = 100
RATE_S = 100.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of one server."""

    connects_s: float
    kib_a_client: float
    p50_ms: float
    p99_ms: float
    cpu_percent: float  # of one core, all processes together
    back_s: float  # from the order to stop until the last page was back
    wrong: int  # pages whose notifications are not exactly those of the table


@dataclass
class Recorder:
    """Records notifications in a process of its own, each for the next person in turn."""

    storage: StorageSettings
    user_ids: Sequence[int]
    hints: Sequence[int]
    recorded: int = 0

    def begin(self, total: int) -> "subprocess.Popen[str]":
        """Begin to record so many at 100 a second."""
        order = {
            "directory": str(self.storage.directory),
            "url": self.storage.url,
            "user_ids": list(self.user_ids),
            "total": total,
            "rate_s": RATE_S,
            "first": self.recorded + 1,
            "hint": True,
            "ports": list(self.hints),
        }
        self.recorded += total
        command = [sys.executable, "-m", "tests.web.inserter", json.dumps(order)]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def end(recording: "subprocess.Popen[str]") -> list[tuple[int, int, float]]:
    """Return (row id, user id, when committed) of each."""
    output, _ = recording.communicate(timeout=600)
    assert recording.returncode == 0
    lines = [line.split() for line in output.splitlines()]
    return [(int(row), int(user), float(at)) for row, user, at in lines]


def memory_kib(server: Server) -> float:
    """Return what all processes hold; pages they share counted once."""
    return sum(process.memory_full_info().pss for process in server.processes()) / 1024


def cpu_s(server: Server) -> float:
    """Return the processor time that all have used."""
    return sum(sum(process.cpu_times()[:2]) for process in server.processes())


@contextmanager
def running(server: Server) -> Iterator[None]:
    """A server while the block runs."""
    server.start()
    try:
        yield
    finally:
        server.stop()


def measure(server: Server, storage: StorageSettings, dwellers: Sequence[Dweller], seconds: int) -> Figures:
    """Open all pages, tell them something for so long, restart the server while more comes."""
    recorder = Recorder(storage, [one.user_id for one in dwellers], server.hints)
    total = int(RATE_S * seconds)
    with running(server), Pages(server.url, server.cookies(dwellers)) as pages:
        pages.open(WARM)
        before = memory_kib(server)
        began = time.monotonic()
        pages.open(len(dwellers) - WARM)
        connects_s = (len(dwellers) - WARM) / (time.monotonic() - began)
        kib = (memory_kib(server) - before) / (len(dwellers) - WARM)

        used, began = cpu_s(server), time.monotonic()
        rows = end(recorder.begin(total))
        pages.wait_for_news(total)
        cpu = 100 * (cpu_s(server) - used) / (time.monotonic() - began)
        waits = _waits(pages, dwellers, rows)

        recording = recorder.begin(total)
        back_s = restart(server, pages)
        rows += end(recording)
        pages.wait_for_news(2 * total)
        wrong = _wrong(pages, dwellers, rows)
    p99 = statistics.quantiles(waits, n=100)[98]
    return Figures(connects_s, kib, statistics.median(waits) * 1e3, p99 * 1e3, cpu, back_s, wrong)


def restart(server: Server, pages: Pages) -> float:
    """Stop and start it; return the seconds until all are back."""
    began = time.monotonic()
    server.stop()
    server.start()
    pages.wait_for_all()
    return time.monotonic() - began


def _waits(pages: Pages, dwellers: Sequence[Dweller], rows: list[tuple[int, int, float]]) -> list[float]:
    committed = {row_id: at for row_id, _, at in rows}
    taken = pages.taken(dwellers).values()
    return [came - committed[row_id] for one in taken for row_id, came in one]


def _wrong(pages: Pages, dwellers: Sequence[Dweller], rows: list[tuple[int, int, float]]) -> int:
    expected: dict[int, list[int]] = {one.user_id: [] for one in dwellers}
    for row_id, user_id, _ in rows:
        expected[user_id].append(row_id)
    taken = pages.taken(dwellers)
    return sum([row_id for row_id, _ in taken[user_id]] != ids for user_id, ids in expected.items())
