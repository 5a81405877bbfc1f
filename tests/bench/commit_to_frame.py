"""From a transaction's commit to the frame in a connected client, beside the bare way in the same run.

`python -m tests.bench.commit_to_frame [POSTGRES_URL]` prints one line for SQLite, and one for PostgreSQL
where the address of an empty database is given. Target: median under 20 ms, p99 under 100 ms at 50
notifications a second to 200 connected clients.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from storage import migrate, users
from storage.models import User
from storage.session import Database
from storage.settings import StorageSettings
from tests.web.crowd import Crowd, Member
from tests.web.house import cheap_hash, password_of
from tests.web.served import ROOT, ServedViewer, free_port, wait_until

CLIENTS = int(os.environ.get("BENCH_CLIENTS", "200"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "20"))
RATE_S = 50.0
MEDIAN_MS, P99_MS = 20.0, 100.0


def main(postgres_url: str = "") -> int:
    """Measure and print; 1 where the target is missed."""
    is_good = True
    for url in ("", postgres_url) if postgres_url else ("",):
        with tempfile.TemporaryDirectory(prefix="bench") as folder:
            product = measure_product(Path(folder), url)
            bare = measure_bare(Path(folder), url)
        median, p99 = figures(product)
        bare_median, bare_p99 = figures(bare)
        is_good &= median < MEDIAN_MS and p99 < P99_MS
        print(
            f"commit_to_frame {'postgresql' if url else 'sqlite'}: {len(product)} notifications,"
            f" {CLIENTS} clients, {RATE_S:g}/s: median {median:.1f} ms, p99 {p99:.1f} ms;"
            f" bare: median {bare_median:.1f} ms, p99 {bare_p99:.1f} ms;"
            f" {median / bare_median:.1f} times the bare median"
        )
    return 0 if is_good else 1


def figures(waits: list[float]) -> tuple[float, float]:
    """Return median and p99 in ms."""
    return statistics.median(waits) * 1000, statistics.quantiles(waits, n=100)[98] * 1000


def measure_product(folder: Path, url: str) -> list[float]:
    """Measure the viewer."""
    storage = StorageSettings(directory=folder / "state", url=url)
    database = Database(storage)
    migrate.upgrade(database)
    with database.write() as session:
        people = {name: add_user(session, name) for name in (f"user{n}" for n in range(CLIENTS))}
    database.dispose()
    viewer = ServedViewer(storage, folder).start()
    try:
        members = [Member(viewer.url, viewer.cookie_of(name), last=0) for name in people]
        order = {"directory": str(storage.directory), "url": url, "first": 1, "hint": True}
        order |= {"user_ids": list(people.values())}
        return measure(members, [sys.executable, "-m", "tests.web.inserter"], order)
    finally:
        viewer.stop()


def add_user(session: Any, name: str) -> int:
    """Store a user."""
    return users.add(session, User(username=name, password_hash=cheap_hash(password_of(name)))).id


def measure_bare(folder: Path, url: str) -> list[float]:
    """Measure the bare way."""
    module = [sys.executable, "-m", "tests.bench.bare_viewer"]
    order = {"folder": str(folder), "url": url, "port": free_port()}
    order["user_ids"] = list(range(1, CLIENTS + 1))
    subprocess.run([*module, "make", json.dumps(order)], cwd=ROOT, check=True)
    address = f"http://127.0.0.1:{order['port']}"
    with served([*module, "serve", json.dumps(order)], address):
        members = [Member(address, "", last=0, user_id=user_id) for user_id in order["user_ids"]]
        return measure(members, [*module, "insert"], order)


@contextmanager
def served(command: list[str], address: str) -> Iterator[None]:
    """A server while the block runs."""
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until(lambda: answers(address), 60)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def answers(address: str) -> bool:
    """Say whether a server is there."""
    try:
        return requests.get(f"{address}/healthz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def measure(members: list[Member], inserter: list[str], order: dict[str, Any]) -> list[float]:
    """Insert beside the connected members; return the seconds from each commit to its frame."""
    order = order | {"total": int(RATE_S * SECONDS), "rate_s": RATE_S}
    with Crowd(members) as crowd:
        ended = subprocess.run(
            [*inserter, json.dumps(order)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        committed = {int(line.split()[0]): float(line.split()[2]) for line in ended.stdout.splitlines()}
        crowd.wait(lambda: sum(len(member.times) for member in members) == len(committed))
    return [came - committed[row_id] for member in members for row_id, came in member.times]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
