"""Hosts in the viewer: the contract's list, pages, acknowledgement and maintenance, and what pages hear."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storage.columns import utc_now
from storage.host_history import Bucket
from storage.models import Host, HostAcknowledgement, HostCheck, HostMaintenance, HostOutage, User
from tests.web.house import House
from web.hosts.graph import BASE, LEFT, TOP, WIDTH, availability, graph, loss_of
from web.viewer import EXTENSION

NOON = datetime(2024, 1, 16, 14, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEB = "/netmonitor/hosts/web%201"


@pytest.fixture
def network(house: House) -> House:
    """A gateway, a web server behind it that is down, and one host that is not watched any more."""
    house.add_user("root", role="admin", full_name="Roman Root", language="en")
    house.add_user("ann", language="en")
    now = utc_now()
    with house.database.write() as session:
        session.add(
            Host(
                name="gw", address="gw.example", ip="10.0.0.1", state="up", told="up", sent=5, received=4,
                rtt_min_ms=1.0, rtt_ms=44.6, rtt_max_ms=60.0, checked_at=NOON, group_name="Office",
            )
        )  # fmt: skip
        web = Host(
            name="web 1", address="10.0.0.2", state="down", reason="refused 10.0.0.1", parent="gw",
            group_name="Office", position=1, state_since=now - HOUR, checked_at=now,
        )  # fmt: skip
        session.add(web)
        session.add(Host(name="new", address="10.0.0.3", position=2))
        session.add(Host(name="gone", address="10.0.0.4", is_watched=False))
        session.flush()
        for n in range(90):
            session.add(
                HostCheck(
                    host_id=web.id, checked_at=now - timedelta(minutes=150 - n), sent=5, received=4,
                    rtt_min_ms=1.0, rtt_median_ms=2.0, rtt_max_ms=3.5,
                )
            )  # fmt: skip
        session.add(HostOutage(host_id=web.id, started_at=now - HOUR, state="down", reason="no_answer"))
    return house


def stored(house: House, model: type[Any]) -> list[Any]:
    with house.database.read() as session:
        return list(session.scalars(sa.select(model)))


def test_hosts_are_what_the_contract_says(network: House) -> None:
    hosts = network.browser("ann").api("/netmonitor/status").get_json()["hosts"]
    assert hosts[0] == {
        "name": "gw",
        "ip": "10.0.0.1",
        "status": "online",
        "response_time": 45,
        "last_check": "2024-01-16T14:20:00Z",
    }
    assert [(host["name"], host["status"]) for host in hosts[1:]] == [
        ("web 1", "offline"),
        ("new", "unknown"),
    ]
    assert hosts[2]["response_time"] is hosts[2]["last_check"] is None


def test_the_page_shows_groups_and_only_problems_where_asked(network: House) -> None:
    page = network.browser("ann").get("/netmonitor").text
    assert page.index("Office") < page.index('data-host="gw"') < page.index('data-host="web 1"')
    assert 'data-host="gone"' not in page
    assert "10.0.0.1 says that it cannot be reached" in page
    assert "loss 20 %" in page
    problems = network.browser("ann").get("/netmonitor?show=problems").text
    assert 'data-host="web 1"' in problems
    assert 'data-host="gw"' not in problems


def test_without_hosts_the_page_says_how_to_get_them(house: House) -> None:
    house.add_user("ann")
    page = house.browser("ann").get("/netmonitor").text
    assert "[[host]]" in page
    assert house.browser("ann").api("/netmonitor/status").get_json()["code"] == "hosts_not_configured"


@pytest.mark.parametrize("has_hosts", [True, False])
def test_the_navigation_offers_it_where_hosts_are_configured(house: House, has_hosts: bool) -> None:
    house.add_user("ann")
    parts = house.viewer
    house.app.extensions[EXTENSION] = replace(parts, settings=replace(parts.settings, has_hosts=has_hosts))
    assert ('href="/netmonitor"' in house.browser("ann").get("/notifications").text) == has_hosts


def test_a_host_has_its_history_and_its_outages(network: House) -> None:
    found = network.browser("ann").api(WEB).get_json()
    assert (found["name"], found["parent"], found["status"]) == ("web 1", "gw", "offline")
    assert sum(point["sent"] for point in found["history"]) == 450
    assert [outage["ended_at"] for outage in found["outages"]] == [None]
    assert found["availability"] == pytest.approx(0.6, abs=0.01)
    month = network.browser("ann").api(f"{WEB}?span=30d").get_json()
    assert sum(point["sent"] for point in month["history"]) == 450
    assert network.browser("ann").api(f"{WEB}?span=1y").status_code == 422


def test_its_page_draws_them_and_says_the_same_in_a_table(network: House) -> None:
    page = network.browser("ann").get(WEB).text
    assert "<polygon" in page
    assert 'class="loss-some"' in page
    assert 'class="bar-down"' in page
    assert "3.50 ms" in page
    assert "60.0 %" in page
    assert "/acknowledge" not in page
    for name in ("gone", "a%00b", "%0A"):
        assert network.browser("ann").get(f"/netmonitor/hosts/{name}").status_code == 404
    assert "Nothing was measured" in network.browser("ann").get("/netmonitor/hosts/new").text


def test_outages_are_listed(network: House) -> None:
    browser = network.browser("ann")
    assert [row["host"] for row in browser.api("/netmonitor/outages").get_json()["outages"]] == ["web 1"]
    assert "No answer" in browser.get("/netmonitor/outages").text


def test_an_administrator_acknowledges_and_takes_it_back(network: House) -> None:
    root = network.browser("root")
    path = f"{WEB}/acknowledgement"
    assert root.api(path, "PUT", json={"note": "Cable", "hours": 4}).status_code == 200
    [row] = stored(network, HostAcknowledgement)
    assert (row.note, row.by_name, row.until - row.at) == ("Cable", "Roman Root", 4 * HOUR)
    shown = network.browser("ann").api(WEB).get_json()["acknowledgement"]
    assert (shown["note"], shown["by"]) == ("Cable", "Roman Root")
    assert root.api(path, "DELETE").status_code == 200
    assert root.api(path, "DELETE").status_code == 404
    assert stored(network, HostAcknowledgement) == []


def test_an_acknowledgement_is_shown_as_long_as_its_outage_lasts(network: House) -> None:
    root, now = network.browser("root"), utc_now()
    assert root.api(f"{WEB}/acknowledgement", "PUT", json={"note": "Cable", "hours": 4}).status_code == 200
    assert "Roman Root looks after this outage" in root.get(WEB).text
    back = {"state": "up", "state_since": now + timedelta(minutes=1)}
    again = {"state": "down", "state_since": now + 2 * HOUR, "outage_at": now + 2 * HOUR}
    for columns in (back, again):
        with network.database.write() as session:
            session.execute(sa.update(Host).where(Host.name == "web 1").values(**columns))
        assert root.api(WEB).get_json()["acknowledgement"] is None
        assert "looks after this outage" not in root.get(WEB).text
    assert "I look after it" in root.get(WEB).text


def test_what_is_up_is_not_acknowledged(network: House) -> None:
    answer = network.browser("root").api("/netmonitor/hosts/gw/acknowledgement", "PUT", json={"hours": 1})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "host_is_up")


def test_maintenance_of_a_host_or_of_its_group(network: House) -> None:
    root = network.browser("root")
    path = f"{WEB}/maintenance"
    assert root.api(path, "POST", json={"hours": 2, "note": "Disks"}).status_code == 201
    later = {"hours": 1, "begins_at": (utc_now() + HOUR).isoformat(), "whole_group": True}
    assert root.api(path, "POST", json=later).status_code == 201
    own, group = stored(network, HostMaintenance)
    assert (own.host_id, own.group_name, own.note, own.ends_at - own.begins_at) == (
        2,
        None,
        "Disks",
        2 * HOUR,
    )
    assert (group.host_id, group.group_name) == (None, "Office")
    windows = root.api("/netmonitor/hosts/gw").get_json()["maintenance"]
    assert [window["group"] for window in windows] == ["Office"]
    assert root.api(f"/netmonitor/maintenance/{own.id}", "DELETE").status_code == 200
    assert root.api(f"/netmonitor/maintenance/{own.id}", "DELETE").status_code == 404


def test_maintenance_with_everything_behind_is_shown_there(network: House) -> None:
    root = network.browser("root")
    assert 'name="with_behind"' in root.get("/netmonitor/hosts/gw").text
    assert 'name="with_behind"' not in root.get(WEB).text  # nothing is behind it
    for behind in ({}, {"with_behind": True}):
        answer = root.api("/netmonitor/hosts/gw/maintenance", "POST", json={"hours": 1} | behind)
        assert answer.status_code == 201
    [window] = root.api(WEB).get_json()["maintenance"]
    assert (window["with_behind"], window["group"]) == (True, None)
    assert "With everything behind it" in root.get(WEB).text
    assert len(root.api("/netmonitor/hosts/gw").get_json()["maintenance"]) == 2
    assert root.api("/netmonitor/hosts/new").get_json()["maintenance"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "hours"),
        ({"hours": 0}, "hours"),
        ({"hours": 100_000}, "hours"),
        ({"hours": 1, "note": "x" * 501}, "note"),
        ({"hours": 1, "note": "a\x00b"}, "note"),
        ({"hours": float("nan")}, "hours"),
        ({"hours": 1, "begins_at": "tomorrow"}, "begins_at"),
        ({"hours": 1, "begins_at": "9999-12-31T23:59:59"}, "begins_at"),
        ({"hours": 1, "begins_at": "0001-01-01T00:00:00"}, "begins_at"),
    ],
)
def test_nonsense_is_refused_by_field(network: House, body: dict[str, Any], field: str) -> None:
    answer = network.browser("root").api(f"{WEB}/maintenance", "POST", json=body)
    assert answer.status_code == 422
    assert any(name.startswith(field) for name in answer.get_json()["errors"])


def test_forms_do_the_same(network: House) -> None:
    root = network.browser("root")
    assert root.submit(f"{WEB}/acknowledge", note="Cable", hours="4").headers["Location"] == WEB
    page = root.get(WEB).text
    assert "Roman Root looks after this outage" in page
    assert root.submit(f"{WEB}/unacknowledge").status_code == 303
    begins_at = (utc_now() + HOUR).strftime("%Y-%m-%dT%H:%M")
    assert (
        root.submit(f"{WEB}/maintenance/new", hours="1", begins_at=begins_at, note="Disks").status_code == 303
    )
    [window] = stored(network, HostMaintenance)
    assert "Disks" in root.get(WEB).text
    assert root.submit(f"{WEB}/maintenance/{window.id}/end").status_code == 303
    assert stored(network, HostMaintenance) == []
    wrong = root.submit(f"{WEB}/maintenance/new", hours="0")
    assert wrong.status_code == 422
    assert "must be at least" in wrong.text


def test_a_time_without_a_zone_is_the_readers(network: House) -> None:
    network.add_user("moscow", role="admin", time_zone="Europe/Moscow")
    tomorrow = (utc_now() + timedelta(days=1)).date()
    network.browser("moscow").submit(f"{WEB}/maintenance/new", hours="1", begins_at=f"{tomorrow}T12:00")
    [window] = stored(network, HostMaintenance)
    assert window.begins_at == datetime(tomorrow.year, tomorrow.month, tomorrow.day, 9, tzinfo=UTC)


def test_only_administrators_may(network: House) -> None:
    ann = network.browser("ann")
    assert ann.api(f"{WEB}/acknowledgement", "PUT", json={"hours": 1}).status_code == 403
    assert ann.api(f"{WEB}/maintenance", "POST", json={"hours": 1}).status_code == 403
    assert ann.api("/netmonitor/maintenance/1", "DELETE").status_code == 403
    assert ann.submit(f"{WEB}/acknowledge", hours="1").status_code == 403


def change(house: House, **columns: Any) -> None:
    with house.database.write() as session:
        session.execute(sa.update(Host).where(Host.name == "web 1").values(**columns))


@pytest.mark.parametrize(
    ("act", "event"),
    [
        (lambda h: change(h, checked_at=utc_now()), {"hosts": [], "is_only_fresh": True}),
        (
            lambda h: change(h, checked_at=utc_now(), state="up"),
            {"hosts": ["web 1"], "is_only_fresh": False},
        ),
        (
            lambda h: h.browser("root").api(f"{WEB}/acknowledgement", "PUT", json={"hours": 1}),
            {"hosts": [], "is_only_fresh": False},
        ),
    ],
    ids=["sweep", "state", "acknowledgement"],
)
def test_pages_hear_what_changed(network: House, act: Callable[[House], None], event: dict[str, Any]) -> None:
    socket = network.socket(network.browser("ann"))
    elsewhere = network.socket(network.browser("ann"))
    assert socket.call("watch_hosts", {}) == {"success": True}
    network.live.look()
    assert socket.events("host_changed") == []
    act(network)
    network.live.look()
    network.live.look()
    assert socket.events("host_changed") == [event]
    assert elsewhere.events("host_changed") == []


def part(received: int, **times: float) -> Bucket:
    return Bucket(NOON, 5, received, times.get("low"), times.get("mid"), times.get("high"))


@pytest.mark.parametrize(
    ("received", "loss"),
    [(100, "none"), (96, "little"), (80, "some"), (60, "much"), (1, "most"), (0, "all")],
)
def test_the_colour_says_how_much_was_lost(received: int, loss: str) -> None:
    assert loss_of(Bucket(NOON, 100, received)) == loss


def test_a_graph_has_a_band_for_each_run_of_answers() -> None:
    drawn = graph(
        [
            part(5, low=1, mid=2, high=4),
            part(4, low=1, mid=2, high=4),
            part(0),
            part(5, low=1, mid=1, high=1),
        ],
        2,
    )
    assert len(drawn.bands) == 2
    assert [stroke.loss for stroke in drawn.strokes] == ["none", "some", "all", "none"]
    assert [line.value for line in drawn.lines] == [0, 1, 2, 3, 4]
    assert drawn.bands[0].split()[0] == f"{LEFT:g},{TOP:.1f}"
    assert drawn.lines[0].at == BASE


def test_one_peak_does_not_flatten_the_rest() -> None:
    drawn = graph([part(5, low=1, mid=2, high=3)] * 40 + [part(5, low=1, mid=2, high=900)], 2)
    assert drawn.lines[-1].value == 4


def test_a_graph_of_nothing_is_empty() -> None:
    drawn = graph([Bucket(NOON)] * 10, 2)
    assert (drawn.bands, drawn.strokes) == ((), ())


def outage(begin_h: float, end_h: float | None, state: str = "down") -> HostOutage:
    end = None if end_h is None else NOON + end_h * HOUR
    return HostOutage(host_id=1, started_at=NOON + begin_h * HOUR, ended_at=end, state=state)


@pytest.mark.parametrize(
    ("outages", "known_h", "states", "ratio"),
    [
        ([], 0, ["up"], 1.0),
        ([], None, ["none"], None),
        ([], 6, ["none", "up"], 1.0),
        ([outage(0, 6)], 0, ["down", "up"], 0.5),
        ([outage(-5, 3)], -9, ["down", "up"], 0.75),
        ([outage(9, None)], 0, ["up", "down"], 0.75),
        ([outage(3, 6, "unknown")], 0, ["up", "unknown", "up"], 1.0),
        ([outage(3, 6, "unreachable"), outage(6, 9)], 0, ["up", "unreachable", "down", "up"], 0.5),
        ([outage(3, 6), outage(4, 9)], 0, ["up", "down", "down", "up"], 0.5),
    ],
    ids=["up", "nothing", "new", "half", "from-before", "lasting", "unknown", "two", "overlapping"],
)
def test_availability(
    outages: list[HostOutage], known_h: float | None, states: list[str], ratio: float | None
) -> None:
    known = None if known_h is None else NOON + known_h * HOUR
    segments, found = availability(outages, known, NOON, NOON + 12 * HOUR)
    assert [segment.state for segment in segments] == states
    assert found == ratio
    assert sum(segment.width for segment in segments) == pytest.approx(WIDTH - LEFT, abs=1)


def test_news_of_a_host_lead_to_its_page(network: House) -> None:
    ann = network.browser("ann")
    with network.database.read() as session:
        number = session.scalars(sa.select(User.id).where(User.username == "ann")).one()
    network.notify(
        number, type="host_down", thread="host:web 1", issue_id=None, journal_id=None, subject="web 1",
        message="web 1 is down: it does not answer", reasons=["looks_after"], project_id=None, actor_id=None,
        actor_name="", details=[{"field": "host_reason", "label": "", "old": None, "new": "no_answer"}],
    )  # fmt: skip
    page = ann.get("/notifications").text
    assert f'href="{WEB}"' in page
    assert "web 1 is down: it does not answer" in page
    assert "You look after it" in page
    assert "host_reason" not in page
