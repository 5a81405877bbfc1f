"""Hosts pinged by us and by fping with the same settings, in turn: `python -m tests.bench.icmp [hosts]`.

A twentieth of them is dead, a fiftieth loses a part of its echoes. It ends with 1 where a target is missed:
states and losses as they are made, round trips and wall time as fping's.
"""

import os
import re
import resource
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daemon.clients.icmp import Pace, Prober
from tests.hosts.netns import Network, why_not

ROUNDS = 3
PACE = Pace(echoes=5, interval_s=0.001, period_s=0.2, timeout_s=0.5)
MOST_OF_FPING = 1.1  # wall time, as a part of fping's
MOST_APART_MS = 0.3  # of fping's median round trip


@dataclass(frozen=True, slots=True)
class Round:
    """One sweep: wall and CPU time in s, the median of the hosts' medians in ms, answers by address."""

    wall_s: float
    cpu_s: float
    median_ms: float
    received: dict[str, int]


def ours(network: Network, addresses: list[str]) -> Round:
    """Sweep once ourselves."""
    began, cpu = time.perf_counter(), time.process_time()
    found = network.near(lambda: Prober(PACE).probe(addresses))
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    median = statistics.median(e.median_ms for e in found.values() if e.median_ms is not None)
    return Round(wall_s, cpu_s, median, {address: e.received for address, e in found.items()})


def theirs(network: Network, addresses: list[str]) -> Round:
    """Have fping do so."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = network.command(
        "fping", "-q", "-C", str(PACE.echoes), "-i", f"{PACE.interval_s * 1000:g}",
        "-p", f"{PACE.period_s * 1000:g}", "-t", f"{PACE.timeout_s * 1000:g}", *addresses,
    )  # fmt: skip
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lines = re.findall(r"^(\S+) +: (.+)$", done.stderr, re.MULTILINE)
    times = {name: [float(t) for t in row.split() if t != "-"] for name, row in lines}
    median = statistics.median(statistics.median(row) for row in times.values() if row)
    return Round(wall_s, cpu_s, median, {name: len(row) for name, row in times.items()})


def lost_of(network: Network, sweep: Round, before: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Return what a sweep says that each host that lives lost, and what was dropped since `before`."""
    dropped = {address: count - before.get(address, 0) for address, count in network.dropped("far").items()}
    lost = {address: PACE.echoes - received for address, received in sweep.received.items() if received}
    return {address: count for address, count in lost.items() if count}, dropped


def missed(
    dead: Sequence[str],
    rounds: Sequence[tuple[Round, Round]],
    wrong_losses: int,
    ratio: float,
    apart_ms: float,
) -> Iterator[str]:
    """Say which targets are missed."""
    found = [{address for address, count in one.received.items() if not count} for one, _ in rounds]
    if any(silent != set(dead) for silent in found):
        yield "not exactly the dead hosts are dead"
    if wrong_losses:
        yield f"the loss of {wrong_losses} hosts is not what was dropped"
    if ratio > MOST_OF_FPING:
        yield f"wall time is more than {MOST_OF_FPING} of fping's"
    if apart_ms > MOST_APART_MS:
        yield f"the median round trip is more than {MOST_APART_MS} ms from fping's"


def main() -> int:
    """Print the figures; return 1 where a target is missed."""
    if reason := why_not():
        print(f"hosts: {reason}")
        return 0
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    addresses = [f"10.78.{n // 250}.{n % 250 + 1}" for n in range(count)]
    dead, lossy = addresses[: count // 20], addresses[count // 20 : count // 20 + count // 50]
    rounds, said, dropped, wrong = [], 0, 0, 0
    with Network() as network:
        network.add("far", addresses)
        network.kill("far", *dead)
        for place, address in enumerate(lossy):
            network.lose("far", address, 2 + place % 4)
        for _ in range(ROUNDS):
            before = network.dropped("far")
            mine = ours(network, addresses)
            lost, made = lost_of(network, mine, before)
            wrong += sum(lost.get(a, 0) != made.get(a, 0) for a in lost.keys() | made.keys())
            said, dropped = said + sum(lost.values()), dropped + sum(made.values())
            rounds.append((mine, theirs(network, addresses)))
    print(
        f"{count} hosts, {len(dead)} dead, {len(lossy)} lossy, {PACE.echoes} echoes each,"
        f" load {os.getloadavg()[0]:.1f}"
    )
    medians = [_print(name, [pair[place] for pair in rounds]) for place, name in enumerate(("ours", "fping"))]
    ratio = statistics.median(mine.wall_s / fpings.wall_s for mine, fpings in rounds)
    print(f"  loss said {said} of {dropped} echoes dropped, wrong for {wrong} hosts")
    print(f"  wall time, ours by fping's: {ratio:.3f}")
    problems = list(missed(dead, rounds, wrong, ratio, abs(medians[0] - medians[1])))
    for problem in problems:
        print(f"  MISSED: {problem}")
    return 1 if problems else 0


def _print(name: str, rounds: Sequence[Round]) -> float:
    """Print the medians of some sweeps; return that of the round trips."""
    wall_s, cpu_s = (
        statistics.median(values) for values in zip(*((r.wall_s, r.cpu_s) for r in rounds), strict=True)
    )
    median_ms = statistics.median(one.median_ms for one in rounds)
    print(line(name, wall_s, cpu_s, median_ms))
    return median_ms


def line(name: str, wall_s: float, cpu_s: float, median_ms: float) -> str:
    """Return the line of one prober."""
    return f"  {name:6} wall {wall_s:6.2f} s   CPU {cpu_s:5.2f} s   median round trip {median_ms:.3f} ms"


if __name__ == "__main__":
    sys.exit(main())
