"""The dispatcher is killed in the midst of its work: every device gets everything, and what comes twice was
on its way at a kill.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from daemon.outbox import Outbox
from storage import migrate, notifications, users
from storage.columns import utc_now
from storage.models import Delivery, PushSubscription, User
from storage.session import Database
from storage.settings import StorageSettings
from tests.channels.sink import Browser, Handler, Sink
from tests.daemon.outgoing import wait_for

FULL = (500, 20)  # notifications and kills
SIZES = {"sqlite": FULL, "postgres": FULL if os.environ.get("HELPDESK_FULL") == "1" else (60, 5)}
DEVICES = 3
LONG_S = 90.0  # for a process that starts while everything else is tested
TIMEOUT_S, CLAIM_S = 5.0, 8.0  # what a killed one held is offered again after so long


@dataclass
class Crash:
    """A database with an outbox, a push service that counts, and a dispatcher that can be killed."""

    database: Database
    sink: Sink
    notifications: int
    kills: int
    got: list[tuple[str, int]] = field(default_factory=list)  # browser and notification, as they came
    process: subprocess.Popen[bytes] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        settings = self.database.settings
        told = {
            "directory": str(settings.directory),
            "url": settings.url,
            "origin": self.sink.origin("127.0.0.1"),
            "claim_s": CLAIM_S,
            "timeout_s": TIMEOUT_S,
        }
        command = [sys.executable, "-m", "tests.daemon.dispatch_process", json.dumps(told)]
        self.process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def subscribe(self) -> int:
        """Make somebody with several browsers; each decrypts what it gets."""
        with self.database.write() as session:
            ann = users.add(session, User(username="ann")).id
        for number in range(DEVICES):
            browser = Browser(f"browser{number}", self.sink.origin("127.0.0.1"))
            device = browser.device
            with self.database.write() as session:
                keys = {"p256dh": device.p256dh, "auth": device.auth}
                session.add(PushSubscription(user_id=ann, endpoint=device.endpoint, **keys))
            self.sink.behaviours[f"/push/browser{number}"] = self._taking(browser)
        return ann

    def tell(self, user_id: int) -> None:
        now = utc_now()
        rows: list[dict[str, Any]] = [
            {
                "change_key": f"redmine:journal:{number}",
                "user_id": user_id,
                "type": "mention",
                "reasons": ["mentioned"],
                "title": "t",
                "message": "m",
                "created_at": now,
                "issue_id": number + 1,
                "project_id": 1,
            }
            for number in range(self.notifications)
        ]
        with self.database.write() as session:
            Outbox(frozenset({"webpush"})).record(session, rows, now)

    def _taking(self, browser: Browser) -> Callable[[Handler], None]:
        def take(handler: Handler) -> None:
            content = browser.decrypt(handler.body)
            with self.lock:
                self.got.append((browser.name, content["id"]))
            handler.answer(201)

        return take

    def unwritten(self) -> set[tuple[str, int]]:
        """Return what has arrived but is not written as sent: it was on its way."""
        with self.database.read() as session:
            rows = session.execute(
                sa.select(PushSubscription.endpoint, Delivery.notification_id).where(
                    Delivery.device == sa.cast(PushSubscription.id, sa.String), Delivery.state != "sent"
                )
            ).all()
        names = {(endpoint.rpartition("/")[2], number) for endpoint, number in rows}
        with self.lock:
            return names & set(self.got)

    def is_done(self) -> bool:
        with self.database.read() as session:
            query = sa.select(sa.func.count()).select_from(Delivery).where(Delivery.state != "sent")
            return session.scalar(query) == 0


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)])
def crash(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Crash]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    database = Database(StorageSettings(directory=tmp_path / "state", url=url))
    migrate.upgrade(database)
    crash = Crash(database, Sink(), *SIZES[request.param])
    yield crash
    if crash.process is not None and crash.process.poll() is None:
        crash.end(signal.SIGKILL)
    crash.sink.close()
    database.dispose()


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_whatever_is_killed_each_device_gets_all(crash: Crash) -> None:
    total = crash.notifications * DEVICES
    crash.tell(crash.subscribe())
    moments = sorted(random.Random(7).sample(range(5, total - 5), crash.kills + 1))
    stop_at = moments.pop(crash.kills // 2)  # at this one it is asked to end, not killed
    on_their_way: set[tuple[str, int]] = set()
    kills = 0
    for moment in sorted([*moments, stop_at]):
        crash.start()
        wait_for(lambda moment=moment: len(crash.got) >= moment, within_s=LONG_S)  # type: ignore[misc]
        if moment == stop_at:
            before = crash.unwritten() & on_their_way
            assert crash.end(signal.SIGTERM) == 0
            assert crash.unwritten() <= before, "a clean stop leaves nothing unwritten"
        else:
            crash.end(signal.SIGKILL)
            kills += 1
            on_their_way |= crash.unwritten()
    crash.start()
    wait_for(crash.is_done, within_s=LONG_S)
    assert crash.end(signal.SIGTERM) == 0

    times = Counter(crash.got)
    twice = {arrival for arrival, count in times.items() if count > 1}
    print(f"{total} messages, {kills} kills, {sum(times.values()) - total} doubles")
    assert len(times) == total, "each device got each at least once"
    assert twice <= on_their_way, "only what was on its way at a kill came twice"
    assert kills == crash.kills
    with crash.database.read() as session:
        assert notifications.newest_id(session) == crash.notifications
