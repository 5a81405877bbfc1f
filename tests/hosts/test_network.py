"""Hosts in network namespaces: what is dead is dead, what is lost is lost, and only what happened is told."""

import os
import re
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.clients import tcp_check
from daemon.clients.host_names import Names
from daemon.clients.icmp import Echoes, Pace, Prober
from daemon.sources.hosts import Options
from storage.session import Database
from tests.conftest import not_available
from tests.hosts.netns import Network, run, why_not
from tests.hosts.stage import FakeProber
from tests.hosts.watch import Watch, host

pytestmark = pytest.mark.real
QUICK = Options(echoes=3, interval_ms=0.2, period_ms=20, timeout_ms=250)
MANY = [f"10.78.{n // 250}.{n % 250 + 1}" for n in range(1000)]


@pytest.fixture(scope="module")
def usable() -> None:
    """Skip, or fail, where namespaces cannot be had."""
    if reason := why_not():
        not_available(reason)


@pytest.fixture
def network(usable: None) -> Iterator[Network]:
    """A fresh network."""
    with Network() as made:
        yield made


def fping(network: Network, addresses: list[str], pace: Pace) -> dict[str, list[float | None]]:
    """Ping the same addresses in the same way; return the times in ms, None for what was lost."""
    done = network.command(
        "fping", "-q", "-C", str(pace.echoes), "-i", f"{pace.interval_s * 1000:g}",
        "-p", f"{pace.period_s * 1000:g}", "-t", f"{pace.timeout_s * 1000:g}", *addresses,
    )  # fmt: skip
    lines = re.findall(r"^(\S+) +: (.+)$", done.stderr, re.MULTILINE)
    return {name: [None if t == "-" else float(t) for t in times.split()] for name, times in lines}


def test_of_a_thousand_hosts_every_state_loss_and_time_is_right(network: Network) -> None:
    network.add("far", MANY)
    dead, lossy = MANY[:50], MANY[50:70]
    network.kill("far", *dead)
    for place, address in enumerate(lossy):
        network.lose("far", address, 2 + place % 4)
    pace = Pace(echoes=5, interval_s=0.001, period_s=0.2, timeout_s=0.5)
    found = network.near(lambda: Prober(pace).probe(MANY))
    assert all(echoes.sent == 5 for echoes in found.values())
    assert {a for a in MANY if not found[a].received} == set(dead)
    lost = {a: found[a].sent - found[a].received for a in lossy}
    assert lost == network.dropped("far")
    assert sum(lost.values()) > 20
    assert all(found[a].received == 5 for a in MANY[70:])
    theirs = fping(network, MANY, pace)
    assert {a for a in MANY if all(time is None for time in theirs[a])} == set(dead)
    assert median_of(found) == pytest.approx(median_of_fping(theirs), abs=0.3)


def median_of(found: dict[str, Echoes]) -> float:
    return statistics.median(echoes.median_ms for echoes in found.values() if echoes.median_ms is not None)


def median_of_fping(found: dict[str, list[float | None]]) -> float:
    answered = [[time for time in times if time is not None] for times in found.values()]
    return statistics.median(statistics.median(times) for times in answered if times)


def test_both_families_in_one_sweep(network: Network) -> None:
    network.add("side", ["10.79.0.5"])
    network.kill("side", "fd79::2")
    wanted = ["10.79.0.5", "fd79::1", "fd79::2", "10.79.0.77"]
    pace = Pace(3, 0.001, 0.02, 0.3)
    found = network.near(lambda: Prober(pace).probe(wanted))
    assert {a: echoes.received for a, echoes in found.items()} == {
        "10.79.0.5": 3, "fd79::1": 3, "fd79::2": 0, "10.79.0.77": 0,
    }  # fmt: skip
    network.revive("side", "fd79::2")
    assert network.near(lambda: Prober(pace).probe(["fd79::2"]))["fd79::2"].received == 3


def test_a_router_that_says_no_is_named(network: Network) -> None:
    network.nft("gw", "add chain inet hosts on { type filter hook forward priority 0; }\n")
    network.nft("gw", "add rule inet hosts on ip daddr 10.78.0.9 reject with icmp type host-unreachable\n")
    found = network.near(lambda: Prober(Pace(2, 0.001, 0.01, 0.3)).probe(["10.78.0.9", "10.222.0.1"]))
    assert found["10.78.0.9"].problem == "refused 10.77.0.254"
    assert found["10.222.0.1"].problem == "not_sent Network is unreachable"


def test_two_at_once_do_not_take_each_others_answers(network: Network) -> None:
    """Another ping on the same machine gets and sends the same kinds of packets."""
    network.add("far", MANY[:200])
    network.kill("far", *MANY[:20])
    pace = Pace(4, 0.0005, 0.05, 0.4)

    def both() -> dict[str, Echoes]:
        command = ["fping", "-q", "-C", "10", "-i", "1", "-p", "50", *MANY[:200]]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            return dict(Prober(pace).probe(MANY[:200]))

    found = network.near(both)
    assert {a for a in MANY[:200] if not found[a].received} == set(MANY[:20])
    assert all(found[a].received == 4 for a in MANY[20:200])


def without_rights(network: Network, group_range: str) -> list[str]:
    """Say what a process without CAP_NET_RAW finds, where groups of this range may ping."""
    setting = Path("/proc/sys/net/ipv4/ping_group_range")
    network.near(lambda: setting.write_text(group_range))
    code = (
        "from daemon.clients.icmp import Pace, Prober; p = Prober(Pace(3, .001, .01, .3));"
        "print(p.refusal(4) or 'permitted'); print([e.received for e in p.probe(['10.79.0.254']).values()])"
    )
    done = network.command("setpriv", "--bounding-set=-net_raw", sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:2]


def test_without_raw_sockets_the_unprivileged_kind_is_used_or_it_says_so(network: Network) -> None:
    assert without_rights(network, "0 0") == ["permitted", "[3]"]
    assert without_rights(network, "1 0") == ["not_permitted", "[]"]


def test_tcp_says_whether_a_host_is_there(network: Network) -> None:
    """A port that is open, one that is closed and one that is silent."""
    network.add("side", ["10.79.0.5", "10.79.0.6"])
    network.kill("side", "10.79.0.6")
    listener = network.inside("side", lambda: socket.create_server(("10.79.0.5", 8080)))
    targets = [("10.79.0.5", 8080), ("10.79.0.5", 9), ("10.79.0.6", 8080), ("10.222.0.1", 80)]
    found = network.near(lambda: tcp_check.check(targets, 0.5))
    listener.close()
    assert [found[target].rtt_ms is not None for target in targets] == [True, True, False, False]
    assert found[targets[2]].problem == "no_answer"
    assert found[targets[3]].problem == "not_sent Network is unreachable"


def test_what_may_not_be_pinged_is_asked_at_its_port_or_unknown(network: Network, sqlite: Database) -> None:
    """Connected and refused are up, silence is down; where no port is named nobody can say."""
    network.add("side", ["10.79.0.5", "10.79.0.6"])
    network.kill("side", "10.79.0.6")
    listener = network.inside("side", lambda: socket.create_server(("10.79.0.5", 8080)))
    ports = {"open": ("10.79.0.5", 8080), "closed": ("10.79.0.5", 9), "silent": ("10.79.0.6", 8080)}
    hosts = [host(name, 0, address=ip, tcp_port=port) for name, (ip, port) in ports.items()]
    prober = FakeProber(refusals={4: "not_permitted", 6: "not_permitted"})
    options = QUICK.model_copy(update={"tcp_timeout_s": 0.5})
    watch = Watch(sqlite, [*hosts, host("mute", 0, address="10.79.0.5")], prober, options=options)
    watch.add_user("root", role="admin", language="en")
    assert runs(network, watch, 3) == []
    listener.close()
    rows = [watch.row(name) for name in ("open", "closed", "silent", "mute")]
    assert [(row.state, row.method, row.reason, row.received) for row in rows] == [
        ("up", "tcp", "", 1),
        ("up", "tcp", "", 1),
        ("down", "tcp", "no_answer", 0),
        ("unknown", "icmp", "not_permitted", 0),
    ]
    assert prober.asked == []
    network.kill("side", "10.79.0.5")
    assert sorted(runs(network, watch, 3)) == [
        f"root: {name} is down: it does not answer" for name in ("closed", "open")
    ]


@pytest.fixture
def watch(network: Network, sqlite: Database) -> Watch:
    """The job on the network: the gateway, two hosts behind it and three beside it, all up."""
    network.add("far", ["10.78.0.1", "10.78.0.2"])
    network.add("side", ["10.79.0.3", "10.79.0.4", "10.79.0.5"])
    hosts = [
        host("gw", 0, address="10.77.0.254"),
        host("web", 0, address="10.78.0.1", parent="gw"),
        host("db", 0, address="10.78.0.2", parent="gw"),
        *(host(f"s{n}", 0, address=f"10.79.0.{n}") for n in (3, 4, 5)),
    ]
    watch = Watch(sqlite, hosts, Prober(QUICK.pace()), Names(timeout_s=1), QUICK)
    watch.add_user("root", role="admin", language="en")
    assert runs(network, watch, 1) == []
    assert set(watch.states().values()) == {"up"}
    return watch


def runs(network: Network, watch: Watch, count: int) -> list[str]:
    return network.near(lambda: watch.runs(count))


def test_kill_and_revive(network: Network, watch: Watch) -> None:
    network.kill("side", "10.79.0.3")
    assert runs(network, watch, 6) == ["root: s3 is down: it does not answer"]
    network.revive("side", "10.79.0.3")
    assert runs(network, watch, 4) == ["root: s3 is back after 7 min"]


def test_flapping(network: Network, watch: Watch) -> None:
    told = []
    for _ in range(8):
        network.kill("side", "10.79.0.3")
        told += runs(network, watch, 1)
        network.revive("side", "10.79.0.3")
        told += runs(network, watch, 1)
    told += runs(network, watch, 25)
    assert told == [
        "root: s3 goes up and down again and again; more is told when it is stable",
        "root: s3 is up and stable again",
    ]


def test_a_gateway_that_dies_and_comes_back(network: Network, watch: Watch) -> None:
    network.cut("gw", "tonear")
    told = runs(network, watch, 6)
    assert len(told) == 1
    assert re.match(r"root: gw is down: .*\. Hosts behind it that cannot be reached either: 2", told[0])
    assert watch.states() == {
        "gw": "down", "web": "unreachable", "db": "unreachable", "s3": "up", "s4": "up", "s5": "up",
    }  # fmt: skip
    network.join("gw", "tonear")
    assert [text.split(" after")[0] for text in runs(network, watch, 5)] == ["root: gw is back"]
    assert set(watch.states().values()) == {"up"}


def test_everything_down(network: Network, watch: Watch) -> None:
    for device in ("togw", "toside"):
        network.cut("near", device)
    told = runs(network, watch, 6)
    assert told == ["root: 4 of 4 hosts do not answer any more: probably it is our own network"]
    for device in ("togw", "toside"):
        network.join("near", device)
    assert [text.split(" after")[0] for text in runs(network, watch, 4)] == ["root: Hosts answer again"]
    assert set(watch.states().values()) == {"up"}


def test_nothing_of_the_network_is_left_behind(usable: None) -> None:
    with Network():
        pass
    assert f"hd{os.getpid()}" not in run("ip", "netns")
