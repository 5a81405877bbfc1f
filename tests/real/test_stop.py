"""SIGTERM under work: both services end in good order within the 10 s that operators are promised."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from daemon.demo.faults import Aim
from daemon.outbox import Outbox
from storage import migrate, users
from storage.columns import utc_now
from storage.models import Delivery, PushSubscription, User
from storage.session import Database
from storage.settings import StorageSettings
from tests.channels.sink import Browser, Sink, stalls
from tests.daemon.listening import Ear, listening
from tests.real.daemon_process import Installation
from tests.real.watched import WatchedDaemon
from tests.redmines import RedmineUnderTest
from tests.services.processes import wait_until
from tests.web.crowd import Crowd, Member
from tests.web.house import cheap_hash, password_of
from tests.web.served import ServedViewer

pytestmark = pytest.mark.long
PROMISED_S = 10.0
CLIENTS = 50
PUSH = '[channel.webpush]\ncontact = "mailto:it@example.com"\nextra_origins = ["{origin}"]\ntimeout_s = 30\n'


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    with listening(tmp_path) as ear:
        yield ear


@pytest.fixture
def place(tmp_path: Path, demo_redmine: RedmineUnderTest, stack: ExitStack) -> Installation:
    """The shipped patience with calls under way; Redmine may take a minute over a call."""
    place = Installation(tmp_path, demo_redmine)
    stack.callback(place.close)
    text = place.config.read_text().replace("stop_timeout_s = 5.0", "stop_timeout_s = 8.0")
    place.config.write_text(text)
    return place


def deliver_to(place: Installation, origin: str) -> None:
    """Have something on its way to a browser of ann."""
    device = Browser("one", origin).device
    now = utc_now()
    row = {
        "change_key": "redmine:journal:1",
        "type": "mention",
        "reasons": ["mentioned"],
        "title": "t",
        "message": "m",
        "created_at": now,
        "issue_id": 1,
        "project_id": 1,
    }
    with place.database.write() as session:
        ann = users.by_username(session, "ann")
        assert ann is not None
        keys = {"p256dh": device.p256dh, "auth": device.auth}
        session.add(PushSubscription(user_id=ann.id, endpoint=device.endpoint, **keys))
        session.flush()
        Outbox(frozenset({"webpush"})).record(session, [row | {"user_id": ann.id}], now)


def deliveries(place: Installation) -> list[str]:
    with place.database.read() as session:
        return list(session.scalars(sa.select(Delivery.state)))


def test_a_daemon_whose_poll_and_delivery_stall_ends_in_time_and_loses_nothing(
    place: Installation, demo_redmine: RedmineUnderTest, ear: Ear, stack: ExitStack
) -> None:
    sink = Sink()
    stack.callback(sink.close)
    sink.behaviours["/push/one"] = stalls
    place.config.write_text(place.config.read_text() + PUSH.format(origin=sink.origin("127.0.0.1")))
    daemon = WatchedDaemon(place, demo_redmine, ear, 60)
    stack.callback(daemon.kill)
    ear.wait_for("READY=1", 60)
    assert wait_until(lambda: place.runs("redmine", "ok") > 0, within_s=60), daemon.log()
    seen = len(demo_redmine.demo.requests)
    demo_redmine.demo.faults.stall(60, Aim(r"/issues\.json", times=None))
    deliver_to(place, sink.origin("127.0.0.1"))
    assert sink.arrived["/push/one"].wait(30), daemon.log()
    assert wait_until(lambda: len(demo_redmine.demo.requests) > seen, within_s=30)  # the poll stalls

    began = time.monotonic()
    daemon.process.terminate()
    assert daemon.process.wait(30) == 0
    assert time.monotonic() - began < PROMISED_S
    assert any("STOPPING=1" in message for message in ear.listen())

    demo_redmine.demo.faults.clear()
    sink.behaviours.clear()
    with place.database.write() as session:  # its claim runs out in a minute: that is not waited for here
        session.execute(sa.update(Delivery).values(claimed_until=utc_now()))
    again = WatchedDaemon(place, demo_redmine, ear, 60)
    stack.callback(again.kill)
    assert wait_until(lambda: deliveries(place) == ["sent"], within_s=60), again.log()


def test_a_viewer_with_fifty_open_pages_and_news_coming_in_ends_in_time(
    tmp_path: Path, ear: Ear, stack: ExitStack
) -> None:
    storage = StorageSettings(directory=tmp_path / "state")
    database = Database(storage)
    stack.callback(database.dispose)
    migrate.upgrade(database)
    with database.write() as session:
        ann = users.add(session, User(username="ann", password_hash=cheap_hash(password_of("ann")))).id
    viewer = ServedViewer(storage, tmp_path, {"NOTIFY_SOCKET": ear.address})
    viewer.start()
    cookie = viewer.cookie_of("ann")
    order = (
        f'{{"directory": "{storage.directory}", "url": "", "user_ids": [{ann}], "total": 5000,'
        ' "rate_s": 50.0, "first": 1, "hint": true}'
    )
    argv = [sys.executable, "-m", "tests.web.inserter", order]
    inserter = subprocess.Popen(argv, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL)
    stack.callback(lambda: (inserter.kill(), inserter.wait(10)))
    with Crowd([Member(viewer.url, cookie, last=0) for _ in range(CLIENTS)]) as crowd:
        crowd.wait(lambda: all(len(member.times) > 5 for member in crowd.members))
        began = time.monotonic()
        assert viewer.stop() == 0
        assert time.monotonic() - began < PROMISED_S
    assert any("STOPPING=1" in message for message in ear.listen())
