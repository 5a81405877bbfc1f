"""The tail's thread: it begins at the newest row, survives what fails, and ends when told."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from storage import live, wakeup
from storage.addressed import Addressed
from storage.models import LiveEvent
from storage.session import StorageError
from tests.web.house import House
from tests.web.served import wait_until
from web.tail import Tail


@dataclass
class Listening:
    """An audience that remembers what it was told; `trouble` is raised once by the next gathering."""

    ids: list[int] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)
    gathered: list[int] = field(default_factory=list)  # what was told before
    sweeps: int = 0

    def tell(self, news: Sequence[Addressed]) -> None:
        self.ids += [told.row.id for told in news]

    def gather(self, events: Sequence[LiveEvent]) -> Callable[[], None]:
        if self.trouble:
            raise self.trouble.pop()
        self.gathered = list(self.ids)
        return lambda: self.events.extend(event.event for event in events)

    def look(self) -> None:
        """Nothing is watched here."""

    def sweep(self) -> None:
        self.sweeps += 1


@pytest.fixture
def audience() -> Listening:
    return Listening()


@pytest.fixture
def tail(house: House, audience: Listening) -> Iterator[Tail]:
    """A tail that looks often."""
    made = Tail(house.database, audience, poll_s=0.05)
    yield made
    made.stop()


def test_it_begins_at_what_is_newest(house: House, tail: Tail, audience: Listening) -> None:
    ann = house.add_user("ann")
    old = house.notify(ann)
    publish(house, ann, "old")
    tail.step()
    new = house.notify(ann)
    publish(house, ann, "new")
    tail.step()
    assert audience.ids == new != old
    assert audience.events == ["new"]


def test_it_takes_more_than_a_batch_in_order(
    house: House, tail: Tail, audience: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.tail.BATCH", 3)
    tail.step()
    ids = house.notify(*(house.add_user(f"user{n}") for n in range(7)))
    assert [tail.step() for _ in range(3)] == [True, True, False]
    assert audience.ids == ids


def publish(house: House, user_id: int, event: str) -> None:
    with house.database.write() as session:
        live.publish(session, user_id, event, {})


def test_events_that_could_not_be_read_are_read_again_and_news_are_not_told_again(
    house: House, tail: Tail, audience: Listening
) -> None:
    tail.step()
    ann = house.add_user("ann")
    ids = house.notify(ann)
    publish(house, ann, "new")
    audience.trouble = [StorageError("away")]
    with pytest.raises(StorageError):
        tail.step()
    assert (audience.ids, audience.events, audience.gathered) == (ids, [], [])
    tail.step()
    assert (audience.ids, audience.events, audience.gathered) == (ids, ["new"], ids)


def test_news_that_could_not_be_read_are_read_again(
    house: House, tail: Tail, audience: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail.step()
    ids = house.notify(house.add_user("ann"))

    def fails(*_arguments: object) -> list[Addressed]:
        raise StorageError("away")

    with monkeypatch.context() as away:
        away.setattr("storage.addressed.after", fails)
        with pytest.raises(StorageError):
            tail.step()
    assert audience.ids == []
    tail.step()
    assert audience.ids == ids


def test_a_mistake_of_ours_does_not_stop_it(house: House, tail: Tail, audience: Listening) -> None:
    ann = house.add_user("ann")
    tail.start()
    wait_until(tail.is_fresh, 10)
    audience.trouble = [KeyError("a mistake")]
    ids = house.notify(ann)
    wakeup.send(house.database)
    wait_until(lambda: audience.trouble == [], 10)
    ids += house.notify(ann)
    wait_until(lambda: audience.gathered == ids, 10)


def test_a_hint_wakes_it(house: House, audience: Listening) -> None:
    slow = Tail(house.database, audience, poll_s=60)
    slow.start()
    wait_until(slow.is_fresh, 10)
    ids = house.notify(house.add_user("ann"))
    wakeup.send(house.database)
    wait_until(lambda: audience.ids == ids, 10)
    slow.stop()


def test_an_absence_of_the_database_is_logged_when_it_begins_and_when_it_ends(
    house: House, tail: Tail, audience: Listening
) -> None:
    ann = house.add_user("ann")
    with capture_logs() as logs:
        tail.start()
        wait_until(tail.is_fresh, 10)
        audience.trouble = [StorageError("away") for _ in range(3)]
        ids = house.notify(ann)
        wait_until(lambda: audience.gathered == ids, 10)
    assert [log["event"] for log in logs] == ["tail_lost_database", "tail_found_database"]


def test_it_sweeps_now_and_then(
    house: House, tail: Tail, audience: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.tail.SWEEP_S", 0.1)
    tail.start()
    wait_until(lambda: audience.sweeps >= 2, 10)


def test_it_ends_at_once(house: House, audience: Listening) -> None:
    slow = Tail(house.database, audience, poll_s=60)
    slow.start()
    wait_until(slow.is_fresh, 10)
    slow.stop()
    assert "tail" not in {thread.name for thread in threading.enumerate()}
