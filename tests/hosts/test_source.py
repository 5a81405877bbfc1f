"""The job: whom it asks and when, what it stores and whom it tells."""

from datetime import time, timedelta

import pytest

from daemon.clients.host_settings import MaintenanceSettings
from storage.session import Database
from tests.hosts.stage import FakeNames, FakeProber
from tests.hosts.watch import Watch, host, kill, revive


@pytest.fixture
def watch(database: Database) -> Watch:
    """Five hosts: `gw` with `web` and `db` behind it, and two more. Root is told, ann looks after the web."""
    made = Watch(
        database,
        [
            host("gw", 1, group="Office"),
            host("web", 2, parent="gw", told=("ann",)),
            host("db", 3, parent="gw"),
            host("x", 4),
            host("y", 5),
        ],
    )
    made.add_user("root", role="admin", language="ru")
    made.add_user("ann", language="en")
    made.add_user("bob", language="en")
    assert made.run() == []
    return made


def asked(watch: Watch) -> list[str]:
    assert isinstance(watch.prober, FakeProber)
    return watch.prober.asked[-1]


def test_a_first_run_stores_how_things_are_and_tells_nobody(watch: Watch) -> None:
    assert set(watch.states().values()) == {"up"}
    row = watch.row("gw")
    assert (row.sent, row.received, row.rtt_min_ms, row.rtt_ms, row.rtt_max_ms) == (5, 5, 1.0, 3.0, 9.0)
    assert (row.ip, row.group_name, row.position, row.has_answered) == ("10.0.0.1", "Office", 0, True)
    [check] = watch.checks("gw")
    assert (check.sent, check.received, check.span_s, check.rtt_median_ms) == (5, 5, 0, 3.0)
    assert watch.outages("gw") == []


def test_who_looks_after_a_host_is_told_once_when_it_goes_and_once_when_it_is_back(watch: Watch) -> None:
    kill(watch, "web")
    assert watch.runs(10) == ["ann: web is down: it does not answer"]
    revive(watch, "web")
    assert watch.runs(5) == ["ann: web is back after 11 min"]
    assert watch.outages("web") == [("down", True)]


def test_administrators_are_told_where_nobody_is_named_in_their_language(watch: Watch) -> None:
    kill(watch, "x")
    assert watch.runs(10) == ["root: x недоступен: нет ответа"]


def test_a_gateway_is_told_to_those_of_the_hosts_behind_it_too(watch: Watch) -> None:
    kill(watch, "gw", "web", "db")
    told = watch.runs(10)
    assert sorted(told) == [
        "ann: gw is down: it does not answer. Hosts behind it that cannot be reached either: 2",
        "root: gw недоступен: нет ответа. За ним также недоступны хосты: 2",
    ]
    assert watch.states() == {"gw": "down", "web": "unreachable", "db": "unreachable", "x": "up", "y": "up"}
    revive(watch, "gw", "web", "db")
    assert sorted(name.partition(":")[0] for name in watch.runs(5)) == ["ann", "root"]
    assert watch.outages("web") == [("unreachable", True)]


def test_our_own_network_is_told_once_to_everybody_who_looks_after_a_host(watch: Watch) -> None:
    everything = ("gw", "web", "db", "x", "y")
    kill(watch, *everything)
    told = watch.runs(10)
    assert [name.partition(":")[0] for name in told] == ["ann", "root"]
    assert told[0] == "ann: 3 of 3 hosts do not answer any more: probably it is our own network"
    assert set(watch.states().values()) == {"unknown"}
    revive(watch, *everything)
    told = watch.runs(5)
    assert [name.partition(":")[0] for name in told] == ["ann", "root"]
    assert told[0].startswith("ann: Hosts answer again after 1")


def test_only_those_that_are_due_are_asked_and_sooner_while_it_is_undecided(watch: Watch) -> None:
    watch.run(after_s=30)
    assert len(watch.checks("x")) == 1
    kill(watch, "x")
    watch.run(after_s=30)
    for _ in range(2):
        watch.run(after_s=9.8)  # runs are never quite on time
        assert asked(watch) == ["10.0.0.4"]
    assert watch.row("x").state == "down"
    watch.run(after_s=10)
    assert len(watch.checks("x")) == 4


def test_where_most_fail_the_others_are_asked_too_before_anybody_is_blamed(database: Database) -> None:
    """Three hosts are asked each minute and seven each hour: a lost network must not be three dead hosts."""
    hosts = [host(f"h{n}", n, interval_s=60 if n < 4 else 3600) for n in range(1, 11)]
    watch = Watch(database, hosts)
    watch.add_user("root", role="admin", language="en")
    watch.run()
    kill(watch, *(one.name for one in hosts))
    assert watch.runs(5) == ["root: 10 of 10 hosts do not answer any more: probably it is our own network"]


def test_the_way_to_a_host_that_fails_is_asked_even_if_it_is_not_due(database: Database) -> None:
    watch = Watch(database, [host("gw", 1, interval_s=3600), host("web", 2, parent="gw"), host("x", 3)])
    watch.add_user("root", role="admin", language="en")
    watch.run()
    kill(watch, "gw", "web")
    assert watch.runs(5) == [
        "root: gw is down: it does not answer. Hosts behind it that cannot be reached either: 1"
    ]


def test_without_permission_hosts_are_unknown_and_nobody_is_told(watch: Watch) -> None:
    watch.prober = FakeProber(refusals={4: "not_permitted", 6: "not_permitted"})
    assert watch.runs(5) == []
    row = watch.row("x")
    assert (row.state, row.reason, row.told) == ("unknown", "not_permitted", "up")
    assert len(watch.checks("x")) == 1


def test_a_name_that_cannot_be_resolved_is_its_own_state_and_keeps_its_last_address(
    database: Database,
) -> None:
    names = FakeNames({"web.example": "10.0.0.7"})
    watch = Watch(
        database,
        [host("web", 1, address="web.example"), host("typo", 2, address="tpyo_1.example"), host("x", 3)],
        names=names,
    )
    watch.add_user("root", role="admin", language="en")
    watch.run()
    typo = watch.row("typo")
    assert (typo.state, typo.reason) == ("unknown", "not_resolved Name or service not known")
    names.known.clear()
    assert watch.runs(3) == []
    assert watch.row("web").state == "up"
    kill_ip = watch.prober
    assert isinstance(kill_ip, FakeProber)
    kill_ip.dead.add("10.0.0.7")
    assert watch.runs(3) == ["root: web is down: it does not answer"]


def test_a_run_that_is_stopped_stores_nothing(watch: Watch) -> None:
    watch.stop = lambda: True
    assert watch.result().status == "ok"
    assert len(watch.checks("x")) == 1


def test_a_host_that_leaves_the_configuration_keeps_its_history_and_starts_anew(watch: Watch) -> None:
    kill(watch, "x")
    watch.runs(4)
    hosts = list(watch.hosts)
    watch.hosts = [one for one in hosts if one.name != "x"]
    watch.run()
    assert (watch.row("x").is_watched, watch.row("x").state) == (False, "unknown")
    assert watch.outages("x") == [("down", True)]
    number = watch.row("x").id
    watch.hosts = hosts
    revive(watch, "x")
    assert watch.runs(2) == []
    row = watch.row("x")
    assert (row.id, row.is_watched, row.state) == (number, True, "up")


def test_maintenance_of_a_group_and_of_the_configuration_silences(watch: Watch) -> None:
    until = watch.at + timedelta(hours=1)
    watch.write(
        "host_maintenance",
        group_name="Office", host_id=None, begins_at=watch.at, ends_at=until, note="", by_name="root",
    )  # fmt: skip
    begin = (watch.at - timedelta(minutes=1)).time()
    window = MaintenanceSettings(begin=begin, end=time(begin.hour + 1))
    watch.hosts[3] = host("x", 4, maintenance=(window,))
    kill(watch, "gw", "web", "db", "x")
    assert watch.runs(5) == []
    assert watch.row("gw").maintenance_until == until
    assert watch.states()["web"] == "unreachable"
    told = watch.runs(60)
    assert sorted(told) == [
        "ann: gw is down: it does not answer. Hosts behind it that cannot be reached either: 2",
        "root: gw недоступен: нет ответа. За ним также недоступны хосты: 2",
        "root: x недоступен: нет ответа",
    ]


@pytest.mark.parametrize("is_behind", [True, False])
def test_maintenance_with_everything_behind_silences_that_too(watch: Watch, is_behind: bool) -> None:
    watch.hosts = [host("far", 9, parent="web") if one.name == "x" else one for one in watch.hosts]
    watch.runs(2)
    until = watch.at + timedelta(hours=1)
    watch.write(
        "host_maintenance",
        group_name=None, host_id=watch.row("gw").id, begins_at=watch.at, ends_at=until, note="",
        by_name="root", with_behind=is_behind,
    )  # fmt: skip
    watch.run()
    silent = {name for name in ("gw", "web", "db", "far", "y") if watch.row(name).maintenance_until == until}
    assert silent == ({"gw", "web", "db", "far"} if is_behind else {"gw"})
    kill(watch, "web")  # and so what is behind it
    assert bool(watch.runs(6)) is not is_behind


def test_an_acknowledgement_that_runs_out_is_told(watch: Watch) -> None:
    kill(watch, "web")
    assert len(watch.runs(4)) == 1
    until = watch.at + timedelta(minutes=10)
    watch.write(
        "host_acknowledgements", host_id=watch.row("web").id, note="On it", by_name="ann",
        at=watch.at, until=until,
    )  # fmt: skip
    assert watch.runs(9) == []
    assert watch.runs(5) == ["ann: web is still down after 13 min: it does not answer"]


def test_a_crash_before_the_end_tells_nothing_twice(watch: Watch) -> None:
    """The same sweep, judged again by another daemon, has the same keys."""
    kill(watch, "web")
    watch.runs(4)
    with watch.database.write() as session:
        row = session.merge(watch.row("web"))
        row.told = "up"
    assert watch.runs(2) == []


def test_of_a_thousand_hosts_those_are_told_that_died(database: Database) -> None:
    hosts = [host(f"h{n}", n, address=f"10.1.{n // 250}.{n % 250}") for n in range(1000)]
    watch = Watch(database, hosts)
    watch.add_user("root", role="admin", language="en")
    watch.run()
    kill(watch, "h1", "h2")
    assert sorted(watch.runs(3)) == [f"root: h{n} is down: it does not answer" for n in (1, 2)]
    assert [n for n, state in watch.states().items() if state != "up"] == ["h1", "h2"]
