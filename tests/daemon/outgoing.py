"""A dispatcher whose channel does as the test says, and what is in its outbox."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from daemon.channel import DeliveryFailed, Parcel
from daemon.dispatch import Dispatcher, Line
from daemon.dispatch_values import Due
from daemon.options import ChannelOptions
from daemon.outbox import Outbox
from storage import deliveries, notifications, users, wakeup
from storage.columns import utc_now
from storage.models import ChannelState, Delivery, Notification, PushSubscription, User
from storage.session import Database

WAIT_S = 30.0


class FakeChannel:
    """Remembers what it is given; `on_send` may raise or wait."""

    def __init__(self, on_send: Callable[[Sequence[Parcel]], None] | None = None) -> None:
        self.sent: list[tuple[Parcel, ...]] = []
        self.tried: list[tuple[Parcel, ...]] = []
        self.on_send = on_send or (lambda _parcels: None)
        self.is_closed = False
        self._lock = threading.Lock()

    def send(self, parcels: Sequence[Parcel]) -> None:
        with self._lock:
            self.tried.append(tuple(parcels))
        self.on_send(parcels)
        with self._lock:
            self.sent.append(tuple(parcels))

    def close(self) -> None:
        self.is_closed = True


class FakeProof:
    """Redmine's word on who may see what; `error` where it cannot be asked."""

    def __init__(self) -> None:
        self.hidden: set[int] = set()
        self.error: Exception | None = None
        self.asked: list[int] = []

    def shown(self, asked: Sequence[Due]) -> frozenset[int]:
        ids = [due.parcel.news.id for due in asked]
        self.asked += ids
        if self.error is not None:
            raise self.error
        return frozenset(ids) - self.hidden

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Office:
    """A database, people in it, and dispatchers on it. Its clock moves only when it is told to."""

    database: Database
    at: datetime = field(default_factory=utc_now)
    channel: FakeChannel = field(default_factory=FakeChannel)
    mail: FakeChannel = field(default_factory=FakeChannel)
    proof: FakeProof = field(default_factory=FakeProof)
    options: ChannelOptions = field(default_factory=lambda: ChannelOptions(timeout_s=5.0))
    running: list[Dispatcher] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def later(self, **how_long: float) -> None:
        """Let time pass, and have everybody look."""
        self.at += timedelta(**how_long)
        wakeup.send(self.database)

    def start(self, **how: Any) -> Dispatcher:
        lines = [
            Line("webpush", self.channel, self.options, "our key"),
            Line("email", self.mail, self.options),
        ]
        outbox = Outbox(frozenset({"webpush", "email"}))
        dispatcher = Dispatcher(self.database, lines, self.proof, outbox=outbox, now=self.now, **how)
        dispatcher.start()
        self.running.append(dispatcher)
        return dispatcher

    def stop(self) -> None:
        for dispatcher in self.running:
            assert dispatcher.stop(WAIT_S)
        self.running.clear()

    # --- what there is -----------------------------------------------------------------------

    def user(self, name: str = "ann", **columns: Any) -> int:
        with self.database.write() as session:
            return users.add(session, User(username=name, email=f"{name}@example.com", **columns)).id

    def browser(self, user_id: int, name: str = "one", **columns: Any) -> int:
        with self.database.write() as session:
            row = PushSubscription(
                user_id=user_id,
                endpoint=f"https://push.example.com/{user_id}/{name}",
                p256dh="p",
                auth="a",
                **{"application_server_key": "our key", **columns},
            )
            session.add(row)
            session.flush()
            return row.id

    def tell(self, user_id: int, count: int = 1, **columns: Any) -> list[int]:
        """Record notifications with their deliveries, as the pipeline does; return the deliveries' ids."""
        with self.database.write() as session:
            before = notifications.newest_id(session)
            rows = [
                {
                    "change_key": f"redmine:journal:{before + n}",
                    "user_id": user_id,
                    "type": "status_change",
                    "reasons": ["assignee"],
                    "title": "t",
                    "message": f"m{n}",
                    "created_at": self.at,
                    "recorded_at": self.at,
                    "issue_id": 7,
                    "project_id": 1,
                    **columns,
                }
                for n in range(count)
            ]
            Outbox(frozenset({"webpush", "email"})).record(session, rows, self.at)
            query = sa.select(Delivery.id).where(Delivery.notification_id > before).order_by(Delivery.id)
            ids = list(session.scalars(query))
        wakeup.send(self.database)
        return ids

    def enqueue(self, notification_id: int, device: int, host: str) -> None:
        """Put one delivery into the lane of a service."""
        with self.database.write() as session:
            row = {"notification_id": notification_id, "channel": "webpush", "lane": f"webpush:{host}"}
            deliveries.record(session, [row | {"device": str(device), "next_attempt_at": self.at}])
        wakeup.send(self.database)

    def change(self, notification_id: int, **columns: Any) -> None:
        with self.database.write() as session:
            row = session.get(Notification, notification_id)
            assert row is not None
            for name, value in columns.items():
                setattr(row, name, value)

    def change_user(self, user_id: int, **columns: Any) -> None:
        with self.database.write() as session:
            row = session.get(User, user_id)
            assert row is not None
            for name, value in columns.items():
                setattr(row, name, value)

    # --- what has become of it ---------------------------------------------------------------

    def rows(self) -> list[Delivery]:
        with self.database.read() as session:
            return list(session.scalars(sa.select(Delivery).order_by(Delivery.id)))

    def row(self, delivery_id: int) -> Delivery:
        return next(row for row in self.rows() if row.id == delivery_id)

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def told(self, user_id: int) -> list[Notification]:
        with self.database.read() as session:
            query = sa.select(Notification).where(Notification.user_id == user_id)
            return list(session.scalars(query.order_by(Notification.id)))

    def subscription(self, number: int) -> PushSubscription | None:
        with self.database.read() as session:
            return session.get(PushSubscription, number)

    def state(self, channel: str = "webpush") -> ChannelState:
        with self.database.read() as session:
            row = session.get(ChannelState, channel)
            assert row is not None
            return row

    def wait(self, condition: Callable[[], object], what: str = "") -> None:
        wait_for(condition, what, self.story)

    def story(self) -> str:
        """Return what the outbox says, for a test that failed."""
        return "; ".join(f"{r.id} {r.lane} {r.state} {r.next_attempt_at} {r.error}" for r in self.rows())


def wait_for(
    condition: Callable[[], object],
    what: str = "it did not happen",
    story: Callable[[], str] = str,
    within_s: float = WAIT_S,
) -> None:
    """Look again and again until it is so; fail where that takes too long."""
    until = time.monotonic() + within_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < until, f"{what} {story()}"
        pause.wait(0.01)


def failing(outcome: Any, text: str = "503", retry_after_s: float | None = None) -> Callable[[Any], None]:
    """Return what a channel does that fails each time."""

    def fail(_parcels: object) -> None:
        raise DeliveryFailed(text, outcome, retry_after_s)

    return fail


def named(parcels: Sequence[Parcel]) -> list[str]:
    """Return the texts of what was sent."""
    return [parcel.news.message for parcel in parcels]
