"""Hosts pinged by us and by fping with the same settings, in turn: `python -m tests.bench.icmp [hosts]`."""

import os
import resource
import statistics
import sys
import time

from daemon.clients.icmp import Pace, Prober
from tests.hosts.netns import Network, why_not

ROUNDS = 3
PACE = Pace(echoes=5, interval_s=0.001, period_s=0.2, timeout_s=0.5)


def ours(network: Network, addresses: list[str]) -> tuple[float, float, float]:
    """Return wall time and CPU time of one sweep in s, and the median of its medians in ms."""
    began, cpu = time.perf_counter(), time.process_time()
    found = network.near(lambda: Prober(PACE).probe(addresses))
    took = time.perf_counter() - began, time.process_time() - cpu
    return *took, statistics.median(e.median_ms for e in found.values() if e.median_ms is not None)


def theirs(network: Network, addresses: list[str]) -> tuple[float, float, float]:
    """Return the same of fping."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = network.command(
        "fping", "-q", "-C", str(PACE.echoes), "-i", f"{PACE.interval_s * 1000:g}",
        "-p", f"{PACE.period_s * 1000:g}", "-t", f"{PACE.timeout_s * 1000:g}", *addresses,
    )  # fmt: skip
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rows = [line.partition(" : ")[2].split() for line in done.stderr.splitlines() if " : " in line]
    times = [[float(t) for t in row if t != "-"] for row in rows]
    return wall, cpu, statistics.median(statistics.median(row) for row in times if row)


def main() -> None:
    """Print the figures."""
    if reason := why_not():
        print(f"hosts: {reason}")
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    addresses = [f"10.78.{n // 250}.{n % 250 + 1}" for n in range(count)]
    with Network() as network:
        network.add("far", addresses)
        network.kill("far", *addresses[: count // 20])
        rounds = [(ours(network, addresses), theirs(network, addresses)) for _ in range(ROUNDS)]
    print(f"{count} hosts, a twentieth dead, {PACE.echoes} echoes each, load {os.getloadavg()[0]:.1f}")
    for name, place in (("ours", 0), ("fping", 1)):
        wall, cpu, median = (statistics.median(r[place][part] for r in rounds) for part in range(3))
        print(f"  {name:6} wall {wall:6.2f} s   CPU {cpu:5.2f} s   median round trip {median:.3f} ms")
    ratio = statistics.median(r[0][0] / r[1][0] for r in rounds)
    print(f"  wall time, ours by fping's: {ratio:.3f}")


if __name__ == "__main__":
    main()
