"""The viewer under gunicorn, with clients over real WebSockets."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from storage import migrate, notifications, users
from storage.models import User
from storage.session import Database
from storage.settings import StorageSettings
from tests.web.crowd import Crowd, Member
from tests.web.house import cheap_hash, notification, password_of
from tests.web.served import ROOT, ServedViewer, wait_until

CLIENTS = 20
CHANGES = 1000
RATE_S = 100.0
DOWN_S = 1.5
NUMBERS = itertools.count(1)

Serve = Callable[..., ServedViewer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start viewers; they are stopped at the end."""
    started: list[ServedViewer] = []

    def _serve(storage: StorageSettings, **environ: str) -> ServedViewer:
        started.append(ServedViewer(storage, tmp_path, environ))
        return started[-1].start()

    yield _serve
    for viewer in started:
        if viewer.process is not None and viewer.process.poll() is None:
            viewer.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedViewer]:
    """A viewer of all the tests that neither end nor set it: each brings its own people."""
    folder = tmp_path_factory.mktemp("shared")
    storage = StorageSettings(directory=folder / "state")
    with opened(storage) as database:
        migrate.upgrade(database)
    viewer = ServedViewer(storage, folder).start()
    yield viewer
    viewer.kill()


@contextmanager
def opened(storage: StorageSettings) -> Iterator[Database]:
    """The database as another process has it."""
    database = Database(storage)
    yield database
    database.dispose()


def guests(viewer: ServedViewer, count: int) -> dict[str, int]:
    """Store users whom no other test of a shared viewer knows, and return {name: id}."""
    return add_users(viewer.storage, count, f"guest{next(NUMBERS)}-")


def add_users(storage: StorageSettings, count: int, prefix: str = "user") -> dict[str, int]:
    """Store users and return {name: id}."""
    names = [f"{prefix}{n}" for n in range(count)]
    with opened(storage) as database, database.write() as session:
        return {
            name: users.add(session, User(username=name, password_hash=cheap_hash(password_of(name)))).id
            for name in names
        }


def insert(storage: StorageSettings, user_ids: list[int], **order: Any) -> "subprocess.Popen[str]":
    """Begin to record notifications in another process."""
    order = {
        "directory": str(storage.directory),
        "url": storage.url,
        "user_ids": user_ids,
        "total": CHANGES,
        "rate_s": RATE_S,
        "first": 1,
        "hint": True,
    } | order
    return subprocess.Popen(
        [sys.executable, "-m", "tests.web.inserter", json.dumps(order)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def inserted(process: subprocess.Popen[str]) -> dict[int, list[int]]:
    """Wait for the inserter and return {user id: ids of the rows, in order}."""
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    rows: dict[int, list[int]] = {}
    for line in output.splitlines():
        row_id, user_id, _ = line.split()
        rows.setdefault(int(user_id), []).append(int(row_id))
    return rows


def everybody_has(crowd: Crowd, people: dict[str, int], expected: dict[int, list[int]]) -> None:
    """Wait until each member has his last notification, and compare all: none missed, doubled or early."""
    members = dict(zip(people.values(), crowd.members, strict=True))
    crowd.wait(lambda: all(members[user_id].last == ids[-1] for user_id, ids in expected.items()))
    assert {user_id: member.ids() for user_id, member in members.items()} == expected


def lose_connections(crowd: Crowd) -> None:
    """Drop every member and wait until all are back."""
    before = [member.connects for member in crowd.members]
    for member in crowd.members:
        crowd.run(member.drop())
    crowd.wait(lambda: all(m.connects > n for m, n in zip(crowd.members, before, strict=True)))


@pytest.mark.long
def test_a_killed_viewer_loses_doubles_and_disorders_nothing(
    any_storage: StorageSettings, serve: Serve
) -> None:
    people = add_users(any_storage, CLIENTS)
    viewer = serve(any_storage)
    members = [Member(viewer.url, viewer.cookie_of(name), last=0) for name in people]
    with Crowd(members) as crowd:
        process = insert(any_storage, list(people.values()), total=CHANGES)
        crowd.wait(lambda: sum(len(member.times) for member in members) > CHANGES // 5)
        for member in members[::2]:
            crowd.run(member.drop())
        viewer.kill()
        time.sleep(DOWN_S)  # how long it is down is what is tested, not something to wait for
        viewer.start()
        expected = inserted(process)
        everybody_has(crowd, people, expected)
    assert all(member.connects >= 2 for member in members)
    assert sum(map(len, expected.values())) == CHANGES


def test_pages_that_lose_their_connection_again_and_again_miss_nothing(shared: ServedViewer) -> None:
    people = guests(shared, 4)
    members = [Member(shared.url, shared.cookie_of(name), last=0) for name in people]
    with Crowd(members) as crowd:
        process = insert(shared.storage, list(people.values()), total=200)
        while process.poll() is None:
            lose_connections(crowd)
        expected = inserted(process)
        everybody_has(crowd, people, expected)


def test_a_lost_hint_costs_a_second_at_most(any_storage: StorageSettings, serve: Serve) -> None:
    people = add_users(any_storage, 1)
    viewer = serve(any_storage)
    member = Member(viewer.url, viewer.cookie_of("user0"), last=0)
    with Crowd([member]) as crowd:
        process = insert(any_storage, list(people.values()), total=5, rate_s=3.0, hint=False)
        output, _ = process.communicate(timeout=60)
        crowd.wait(lambda: len(member.times) == 5)
    committed = [float(line.split()[2]) for line in output.splitlines()]
    waits = [came - went for (_, came), went in zip(member.times, committed, strict=True)]
    assert max(waits) < 3.0, waits


def test_a_hint_comes_at_once(any_storage: StorageSettings, serve: Serve) -> None:
    people = add_users(any_storage, 1)
    viewer = serve(any_storage)
    member = Member(viewer.url, viewer.cookie_of("user0"), last=0)
    with Crowd([member]) as crowd:
        process = insert(any_storage, list(people.values()), total=20, rate_s=10.0)
        output, _ = process.communicate(timeout=60)
        crowd.wait(lambda: len(member.times) == 20)
    committed = [float(line.split()[2]) for line in output.splitlines()]
    waits = sorted(came - went for (_, came), went in zip(member.times, committed, strict=True))
    assert waits[10] < 0.5, waits  # the poll alone would take half a second in the middle


def test_a_write_in_the_viewer_reaches_the_other_pages(shared: ServedViewer) -> None:
    ((name, user_id),) = guests(shared, 1).items()
    session = shared.log_in(name)
    member = Member(shared.url, shared.cookie_of(name), last=0)
    with opened(shared.storage) as database, database.write() as writing:
        notifications.record(writing, [notification(user_id, 1)])
    with Crowd([member]) as crowd:
        crowd.wait(lambda: len(member.times) == 1)
        path = f"{shared.url}/tasks/api/notifications/{member.last}/read"
        assert session.put(path, timeout=30).status_code == 200
        crowd.wait(lambda: bool(member.named("notifications_read")))
    assert member.named("notifications_read") == [{"ids": [member.last], "unread": 0}]


def test_logging_out_ends_the_connection_and_it_does_not_come_back(shared: ServedViewer) -> None:
    (name,) = guests(shared, 1)
    session = shared.log_in(name)
    cookie = "; ".join(f"{c.name}={c.value}" for c in session.cookies)
    member = Member(shared.url, cookie, last=0)
    with Crowd([member]) as crowd:
        crowd.wait(lambda: bool(member.named("replayed")))
        session.get(f"{shared.url}/users/logout", timeout=30)
        crowd.wait(lambda: not member.client.connected, deadline_s=5)
        assert member.named("session_ended") == [{}]


@pytest.mark.long  # the viewer looks every quarter of a minute
def test_a_deactivated_user_loses_his_connection_soon(storage: StorageSettings, serve: Serve) -> None:
    (user_id,) = add_users(storage, 1).values()
    viewer = serve(storage)
    member = Member(viewer.url, viewer.cookie_of("user0"), last=0)
    with Crowd([member]) as crowd:
        with opened(storage) as database, database.write() as writing:
            user = users.find(writing, user_id)
            assert user is not None
            user.is_active = False
        crowd.wait(lambda: bool(member.named("session_ended")), deadline_s=30)
        crowd.wait(lambda: not member.client.connected, deadline_s=5)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Cookie": "helpdesk=nonsense"}, 401),
        ({"Origin": "https://evil.test", "Cookie": "own"}, 400),
        ({"Origin": "own", "Cookie": "own"}, 101),
        ({"Cookie": "own", "Sec-WebSocket-Extensions": "permessage-deflate"}, 101),
    ],
    ids=["visitor", "nonsense", "another-site", "own-site", "compression"],
)
def test_the_handshake_is_refused_before_the_upgrade(
    shared: ServedViewer, headers: dict[str, str], status: int
) -> None:
    (name,) = guests(shared, 1)
    own = {"Cookie": shared.cookie_of(name), "Origin": shared.url}
    sent = {name: own[name] if value == "own" else value for name, value in headers.items()}
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    path = f"{shared.url}/socket.io/?EIO=4&transport=websocket"
    with requests.get(path, headers=upgrade | sent, timeout=30, stream=True) as answer:
        assert answer.status_code == status
        assert "Sec-WebSocket-Extensions" not in answer.headers
        if status != 101:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_answer_when_all_places_for_sockets_are_taken(storage: StorageSettings, serve: Serve) -> None:
    people = add_users(storage, 1)
    viewer = serve(storage, HELPDESK_WEB__TABS="8")
    cookie = viewer.cookie_of(next(iter(people)))
    members = [Member(viewer.url, cookie, last=0) for _ in range(8)]
    with Crowd(members):
        path = f"{viewer.url}/socket.io/?EIO=4&transport=websocket"
        refused = requests.get(path, headers={"Cookie": cookie}, timeout=30)
        assert refused.status_code == 503
        page = requests.get(f"{viewer.url}/tasks/api/notifications", headers={"Cookie": cookie}, timeout=30)
        assert page.status_code == 200


def test_a_stop_is_quick_its_log_is_json_and_clients_come_back(
    storage: StorageSettings, serve: Serve
) -> None:
    people = add_users(storage, 5)
    viewer = serve(storage)
    members = [Member(viewer.url, viewer.cookie_of(name), last=0) for name in people]
    with Crowd(members) as crowd:
        began_at = time.monotonic()
        assert viewer.stop() == 0
        assert time.monotonic() - began_at < 10  # gunicorn alone would wait 30 for open sockets
        assert "SIGKILL" not in viewer.log.read_text()
        assert_for_machines(viewer.log.read_text().splitlines())
        viewer.start()
        crowd.wait(lambda: all(member.connects == 2 for member in members))


def test_it_survives_its_database_being_away(postgres_url: str, tmp_path: Path, serve: Serve) -> None:
    storage = StorageSettings(directory=tmp_path / "state", url=postgres_url)
    with opened(storage) as database:
        migrate.upgrade(database)
    people = add_users(storage, 1)
    viewer = serve(storage)
    member = Member(viewer.url, viewer.cookie_of("user0"), last=0)
    name = postgres_url.rpartition("/")[2].partition("?")[0]
    import psycopg

    other = postgres_url.replace("postgresql+psycopg", "postgresql").replace(f"/{name}", "/postgres", 1)
    with Crowd([member]) as crowd:
        with psycopg.connect(other, autocommit=True) as admin:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            admin.execute(cut, (name,))
            wait_until(lambda: "tail_lost_database" in viewer.log.read_text(), 30)
            assert not is_healthy(viewer)
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        wait_until(lambda: is_healthy(viewer), 30)
        expected = inserted(insert(storage, list(people.values()), total=10))
        crowd.wait(lambda: member.ids() == expected[people["user0"]])
    events = [json.loads(line)["event"] for line in viewer.log.read_text().splitlines() if line[0] == "{"]
    assert events.count("tail_lost_database") == 1
    assert events.count("tail_found_database") == 1


def is_healthy(viewer: ServedViewer) -> bool:
    """Say whether /healthz says so."""
    return requests.get(f"{viewer.url}/healthz", timeout=30).status_code == 200


def test_idle_it_costs_next_to_nothing(storage: StorageSettings, serve: Serve) -> None:
    people = add_users(storage, 5)
    viewer = serve(storage)
    assert viewer.process is not None
    (worker,) = psutil.Process(viewer.process.pid).children()
    with Crowd([Member(viewer.url, viewer.cookie_of(name), last=0) for name in people]):
        before = worker.cpu_times()
        time.sleep(5)  # the span over which the cost is taken
        after = worker.cpu_times()
    spent_s = after.user + after.system - before.user - before.system
    assert spent_s < 0.25, f"{spent_s / 5:.1%} of a core while idle"


def test_two_workers_need_no_sticky_sessions(storage: StorageSettings, serve: Serve) -> None:
    people = add_users(storage, 6)
    viewer = serve(storage, HELPDESK_WEB__WORKERS="2")
    members = [Member(viewer.url, viewer.cookie_of(name), last=0) for name in people]
    with Crowd(members) as crowd:
        expected = inserted(insert(storage, list(people.values()), total=120))
        everybody_has(crowd, people, expected)


def assert_for_machines(log: list[str]) -> None:
    """Each line is JSON with what every line has."""
    lines = [json.loads(line) for line in log]
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    assert any("Listening at" in line["event"] for line in lines)


def test_it_ends_with_its_master(storage: StorageSettings, serve: Serve) -> None:
    viewer = serve(storage)
    assert viewer.process is not None
    (worker,) = psutil.Process(viewer.process.pid).children()
    os.kill(viewer.process.pid, signal.SIGKILL)
    viewer.process.wait(5)
    worker.wait(10)
