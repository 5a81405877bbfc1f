"""What becomes of a delivery that fails, and of those beside it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from structlog.testing import capture_logs

from daemon.channel import Parcel
from daemon.options import ChannelOptions
from storage import channels, delivery_health
from storage.models import Notification
from storage.session import Database, StorageError
from tests.daemon.outgoing import FakeChannel, Office, failing, named, wait_for


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    office = Office(database)
    yield office
    office.stop()


def test_a_failure_is_tried_again_with_longer_pauses_and_then_given_up(office: Office) -> None:
    ann = office.user()
    browser = office.browser(ann)
    [number] = office.tell(ann)
    office.options = ChannelOptions(timeout_s=5.0, attempts=4, expires_h=100.0)
    office.channel.on_send = failing("retry", "push.example.com answered 503")
    office.start()
    pauses = []
    for attempt in (1, 2, 3):
        office.wait(lambda attempt=attempt: office.row(number).attempts == attempt)  # type: ignore[misc]
        row = office.row(number)
        assert (row.state, row.error) == ("due", "push.example.com answered 503")
        pauses.append((row.next_attempt_at - office.at).total_seconds())
        office.later(seconds=pauses[-1])
    office.wait(lambda: office.states() == ["failed"])
    assert "given up after 4 attempts" in office.rows()[0].error
    assert [
        expected * 0.8 <= pause <= expected * 1.2 for pause, expected in zip(pauses, (5, 15, 45), strict=True)
    ]
    assert pauses == sorted(pauses)
    found = office.subscription(browser)
    assert found is not None, "nothing but 404 and 410 removes a device"
    assert found.last_error_at == office.at


def test_no_service_is_asked_sooner_than_it_says(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    [number] = office.tell(ann)
    office.channel.on_send = failing("retry", "429", 90.0)
    office.start()
    office.wait(lambda: office.row(number).attempts == 1)
    assert office.row(number).next_attempt_at == office.at + timedelta(seconds=90)


def test_nobody_is_made_to_wait_for_a_week(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    [number] = office.tell(ann)
    office.channel.on_send = failing("retry", "429", 7 * 86_400.0)
    office.start()
    office.wait(lambda: office.row(number).attempts == 1)
    assert office.row(number).next_attempt_at == office.at + timedelta(hours=6)


def test_a_success_after_a_failure_ends_the_trouble_which_stays_known(office: Office) -> None:
    ann = office.user()
    browser = office.browser(ann)
    [number] = office.tell(ann)
    office.channel.on_send = failing("retry", "503")
    office.start()
    office.wait(lambda: office.row(number).attempts == 1)
    failed_at, before = office.at, office.subscription(browser)
    assert before is not None
    assert channels.is_failing(before)
    office.channel.on_send = lambda _parcels: None
    office.later(seconds=10)
    office.wait(lambda: office.states() == ["sent"])
    found = office.subscription(browser)
    assert found is not None
    assert (found.last_error, found.last_error_at) == ("503", failed_at)
    assert found.last_success_at == office.at
    assert not channels.is_failing(found)
    with office.database.read() as session:
        assert delivery_health.failing(session, 10) == []
    assert (office.row(number).attempts, office.row(number).error) == (2, "")


def test_a_device_that_is_gone_goes_with_all_that_waits_for_it(office: Office) -> None:
    ann = office.user()
    gone, stays = office.browser(ann, "gone"), office.browser(ann, "stays")
    office.tell(ann, 3)

    def answer(parcels: Sequence[Parcel]) -> None:
        if parcels[0].device and parcels[0].device.id == gone:
            failing("gone", "410")(parcels)

    office.channel.on_send = answer
    office.start()
    office.wait(lambda: "due" not in office.states() and "claimed" not in office.states())
    assert office.subscription(gone) is None
    assert office.subscription(stays) is not None
    ends = {device: [r.state for r in office.rows() if r.device == str(device)] for device in (gone, stays)}
    assert ends == {gone: ["failed", "skipped", "skipped"], stays: ["sent"] * 3}
    assert len([1 for [p] in office.channel.tried if p.device and p.device.id == gone]) == 1


def test_a_message_that_is_refused_is_given_up_and_the_next_one_is_tried(office: Office) -> None:
    ann = office.user()
    browser = office.browser(ann)
    office.tell(ann, 2)
    office.channel.on_send = lambda parcels: (
        failing("failed", "400")(parcels) if named(parcels) == ["m0"] else None
    )
    office.start()
    office.wait(lambda: office.states() == ["failed", "sent"])
    assert office.subscription(browser) is not None
    assert office.row(office.rows()[0].id).attempts == 1


def test_administrators_are_told_once_that_our_key_is_refused(office: Office) -> None:
    boss = office.user("boss", role="admin", language="ru")
    ann = office.user()
    browser = office.browser(ann)
    office.tell(ann, 3)
    office.channel.on_send = failing("misconfigured", "push.example.com answered 401")
    office.start()
    office.wait(lambda: office.state().problem != "")
    office.wait(lambda: {row.error for row in office.rows()[:3]} == {"push.example.com answered 401"})
    assert office.states()[:3] == ["due"] * 3, "nothing is lost"
    assert office.subscription(browser) is not None, "nothing is removed"
    assert office.state().problem == "webpush:push.example.com: push.example.com answered 401"
    [told] = office.told(boss)
    assert (told.type, told.thread) == ("channel_problem", "channel:webpush:push.example.com")
    assert told.title == "Сообщения не отправляются"
    assert "answered 401" in told.message
    assert [row.type for row in office.told(ann)] == ["status_change"] * 3
    office.wait(lambda: office.states()[3:] == ["sent"], "the channel that is in order carries it")
    [[mail]] = office.mail.sent
    assert (mail.recipient.email, mail.news.type) == ("boss@example.com", "channel_problem")

    office.channel.on_send = lambda _parcels: None
    office.later(seconds=600)
    office.wait(lambda: office.states() == ["sent"] * 4)
    assert office.state().problem == ""
    assert office.state().problem_at is None


def test_a_fault_of_ours_ends_neither_the_message_nor_the_dispatcher(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    [number] = office.tell(ann)

    def crash(_parcels: object) -> None:
        raise ZeroDivisionError

    office.channel.on_send = crash
    with capture_logs() as logs:
        office.start()
        office.wait(lambda: office.row(number).attempts == 1)
    assert office.row(number).error == "internal error (ZeroDivisionError): see the log"
    assert [entry["log_level"] for entry in logs if entry["event"] == "delivery_crashed"] == ["error"]
    office.channel.on_send = lambda _parcels: None
    office.later(seconds=10)
    office.wait(lambda: office.states() == ["sent"])


def test_the_log_names_channel_and_delivery_and_no_secret(office: Office) -> None:
    ann = office.user()
    office.browser(ann, "secret-of-the-endpoint")
    [number] = office.tell(ann)
    office.channel.on_send = failing("retry", "push.example.com answered 503")
    bound: list[Any] = []

    def remember(parcels: Sequence[Parcel]) -> None:
        bound.append(structlog.contextvars.get_contextvars())
        failing("retry", "push.example.com answered 503")(parcels)

    office.channel.on_send = remember
    with capture_logs() as logs:
        office.start()
        office.wait(lambda: office.row(number).attempts == 1)
    assert bound == [{"channel": "webpush", "delivery_id": number}]
    [failed] = [entry for entry in logs if entry["event"] == "delivery_failed"]
    assert failed["outcome"] == "retry"
    assert "secret-of-the-endpoint" not in str(logs)


# --- side by side --------------------------------------------------------------------------------


class Gate:
    """Holds those who come until it is opened."""

    def __init__(self, holds: Callable[[Parcel], bool]) -> None:
        self.opened = threading.Event()
        self.inside = 0
        self._holds = holds
        self._lock = threading.Lock()

    def __call__(self, parcels: Sequence[Parcel]) -> None:
        if self._holds(parcels[0]):
            with self._lock:
                self.inside += 1
            assert self.opened.wait(30)


def test_a_dead_device_delays_no_other(office: Office) -> None:
    """It has much waiting, and each would take the whole time-out."""
    ann, bob = office.user("ann"), office.user("bob")
    dead, well = office.browser(ann, "dead"), office.browser(bob, "well")
    office.options = ChannelOptions(timeout_s=5.0, parallel=2)
    gate = Gate(lambda parcel: parcel.device is not None and parcel.device.id == dead)
    office.channel.on_send = gate
    office.tell(ann, 50)
    office.tell(bob, 10)
    office.start()
    office.wait(lambda: [r.state for r in office.rows() if r.device == str(well)] == ["sent"] * 10)
    assert gate.inside == 1, "and it takes one thread, not all"
    gate.opened.set()
    office.wait(lambda: office.states() == ["sent"] * 60)


def test_a_dead_service_holds_up_no_other(office: Office) -> None:
    office.options = ChannelOptions(timeout_s=5.0, parallel=2)
    ann = office.user("ann", browser_notifications_enabled=True)
    office.tell(ann, 8, type="reminder")
    told = office.told(ann)
    slow = [office.browser(ann, f"slow{n}") for n in range(8)]
    quick = [office.browser(ann, f"quick{n}") for n in range(8)]
    gate = Gate(lambda parcel: parcel.device is not None and parcel.device.id in slow)
    office.channel.on_send = gate
    for row, one, other in zip(told, slow, quick, strict=True):
        office.enqueue(row.id, one, "slow.example.com")
        office.enqueue(row.id, other, "quick.example.com")
    office.start()
    quickly = {str(number) for number in quick}
    office.wait(lambda: {r.state for r in office.rows() if r.device in quickly} == {"sent"})
    wait_for(lambda: gate.inside == 2)
    assert {r.state for r in office.rows() if r.device in {str(n) for n in slow}} <= {"due", "claimed"}
    gate.opened.set()
    office.wait(lambda: {r.state for r in office.rows() if r.channel == "webpush"} == {"sent"})


def test_after_a_time_out_the_others_for_that_device_wait_with_it(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    office.tell(ann, 4)
    office.channel.on_send = failing("retry", "did not answer within 10 s")
    office.start()
    office.wait(lambda: all("did not answer" in row.error for row in office.rows()))
    assert len(office.channel.tried) == 1
    assert [row.attempts for row in office.rows()] == [1, 0, 0, 0]


def test_a_clean_stop_finishes_what_is_on_its_way_and_gives_the_rest_back(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    office.tell(ann, 3)
    gate = Gate(bool)
    office.channel.on_send = gate
    dispatcher = office.start()
    wait_for(lambda: gate.inside == 1)
    stopping = threading.Thread(target=dispatcher.stop, args=[15.0])
    stopping.start()
    wait_for(dispatcher._stopping.is_set)
    gate.opened.set()
    stopping.join()
    assert office.states() == ["sent", "due", "due"]
    assert {row.claimed_by for row in office.rows()[1:]} == {""}
    assert office.channel.is_closed
    office.running.clear()
    office.channel = FakeChannel()
    office.start()
    office.wait(lambda: office.states() == ["sent"] * 3)
    assert [named(sent) for sent in office.channel.sent] == [["m1"], ["m2"]]


def test_a_claim_whose_holder_died_is_offered_again(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    office.tell(ann)
    with office.database.write() as session:
        session.execute(
            sa.text("UPDATE deliveries SET state = 'claimed', claimed_by = 'dead', next_attempt_at = :u"),
            {"u": (office.at + timedelta(seconds=60)).isoformat(" ", "microseconds")[:26]},
        )
    office.start()
    office.later(seconds=59)
    assert office.states() == ["claimed"]
    office.later(seconds=2)
    office.wait(lambda: office.states() == ["sent"])
    assert office.rows()[0].attempts == 2, "what kills each that tries it must come to an end"


def test_several_dispatchers_send_each_once(office: Office) -> None:
    people = [office.user(f"user{n}") for n in range(10)]
    for person in people:
        office.browser(person)
        for issue_id in range(10):  # of one issue, one might overtake another and stand for it
            office.tell(person, issue_id=issue_id + 1)
    for _ in range(4):
        office.start()
    office.wait(lambda: office.states() == ["sent"] * 100)
    office.stop()
    sent = [parcel.delivery_id for parcels in office.channel.sent for parcel in parcels]
    assert sorted(sent) == sorted(set(sent))
    assert len(sent) == 100


def test_an_outcome_waits_for_a_database_that_is_away(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has gone out: it must not go out again because that could not be written at once."""
    ann = office.user()
    office.browser(ann)
    office.tell(ann)
    refusals: list[str] = []
    real = office.database.write

    def on_send(_parcels: object) -> None:
        def away() -> Any:
            refusals.append("away")
            if len(refusals) >= 2:
                monkeypatch.setattr(office.database, "write", real)
            raise StorageError("away")

        monkeypatch.setattr(office.database, "write", away)

    office.channel.on_send = on_send
    office.start()
    office.wait(lambda: refusals and office.states() == ["sent"])
    assert len(office.channel.tried) == 1


def test_a_browser_whose_page_nobody_opens_any_more_is_forgotten(office: Office) -> None:
    """Apple goes on taking messages for browsers that are long gone."""
    ann = office.user()
    old = office.browser(ann, "old", seen_at=office.at - timedelta(days=271))
    young = office.browser(ann, "young", seen_at=office.at - timedelta(days=269))
    office.start()
    office.wait(lambda: office.subscription(old) is None)
    assert office.subscription(young) is not None


def test_the_viewer_is_told_the_key(office: Office) -> None:
    office.start()
    assert office.state().public_key == "our key"


def test_notifications_outlive_their_deliveries(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    office.tell(ann)
    office.start()
    office.wait(lambda: office.states() == ["sent"])
    with office.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Notification)) == 1
