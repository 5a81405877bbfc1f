"""Thousands of signed-in pages on two workers, beside npm's `socket.io` doing the same in the same run.

`python -m tests.bench.load [POSTGRES_URL]`; LOAD_CLIENTS (2000) pages get 100 personal notifications a second
for LOAD_SECONDS (20), then the server is restarted while as many more come. Both take turns, LOAD_ROUNDS (3)
each, and the medians are compared. Targets: p99 at most twice the peer's, memory a page at most five times,
all back within 10 s, nothing lost or doubled.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from storage.settings import StorageSettings
from tests.load.phases import RATE_S, Figures, measure
from tests.load.servers import Peer, Product
from tests.load.town import settle

CLIENTS = int(os.environ.get("LOAD_CLIENTS", "2000"))
SECONDS = int(os.environ.get("LOAD_SECONDS", "20"))
ROUNDS = int(os.environ.get("LOAD_ROUNDS", "3"))
WORKERS = 2
P99_TIMES, MEMORY_TIMES, BACK_S = 2.0, 5.0, 10.0


def main(postgres_url: str = "") -> int:
    """Measure and print; 1 where a target is missed."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="load") as folder:
            ours.append(measure_product(Path(folder), postgres_url))
            theirs.append(measure_peer(Path(folder)))
    product, peer = middle(ours), middle(theirs)
    print(line(f"viewer ({'postgresql' if postgres_url else 'sqlite'})", product))
    print(line("npm socket.io", peer))
    p99, memory = product.p99_ms / peer.p99_ms, product.kib_a_client / peer.kib_a_client
    print(f"load: p99 {p99:.1f} times the peer's, memory a client {memory:.1f} times")
    is_good = p99 <= P99_TIMES and memory <= MEMORY_TIMES and product.back_s <= BACK_S
    return 0 if is_good and not product.wrong else 1


def middle(found: Sequence[Figures]) -> Figures:
    """Return the median of each figure; pages with other news than the table's are added up."""
    names = asdict(found[0])
    medians = {name: statistics.median(getattr(one, name) for one in found) for name in names}
    return Figures(**medians | {"wrong": sum(one.wrong for one in found)})


def measure_product(folder: Path, url: str) -> Figures:
    """Measure the viewer."""
    storage = StorageSettings(directory=folder / "viewer", url=url)
    dwellers = settle(storage, CLIENTS)
    return measure(Product(storage, folder, WORKERS), storage, dwellers, SECONDS)


def measure_peer(folder: Path) -> Figures:
    """Measure npm's `socket.io`."""
    storage = StorageSettings(directory=folder / "peer")
    dwellers = settle(storage, CLIENTS)
    file = Path(str(storage.engine_url().database))
    return measure(Peer(file, WORKERS), storage, dwellers, SECONDS)


def line(name: str, figures: Figures) -> str:
    """Return what is printed of one server."""
    return (
        f"load {name}: {CLIENTS} clients, {WORKERS} processes, {RATE_S:g}/s:"
        f" median {figures.p50_ms:.1f} ms, p99 {figures.p99_ms:.1f} ms,"
        f" {figures.kib_a_client:.0f} KiB a client, CPU {figures.cpu_percent:.0f} %,"
        f" {figures.connects_s:.0f} connects/s, all back after {figures.back_s:.1f} s,"
        f" {figures.wrong} with other news than the table's"
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
