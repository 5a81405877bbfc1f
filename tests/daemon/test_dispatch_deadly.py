"""A message that ends whoever sends it comes to an end itself, and none that only stood behind it does."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from daemon.channel import Parcel
from storage.deliveries import DOUBTFUL
from storage.models import Delivery
from storage.session import Database
from tests.daemon.outgoing import Office, wait_for


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    office = Office(database)
    yield office
    office.stop()


def left_behind(office: Office, attempts: int, count: int = 1) -> list[int]:
    """Make deliveries to as many browsers that a daemon held which is dead; their claims have run out."""
    ids = []
    for number in range(count):
        person = office.user(f"user{number}")
        office.browser(person)
        ids += office.tell(person)
    held = {"state": "claimed", "claimed_by": "dead", "attempts": attempts}
    with office.database.write() as session:
        past = office.at - timedelta(seconds=1)
        session.execute(sa.update(Delivery).values(**held, claimed_until=past, next_attempt_at=past))
    return ids


def test_what_ended_its_daemons_is_given_up(office: Office) -> None:
    [number] = left_behind(office, DOUBTFUL + office.options.attempts)
    office.start()
    office.wait(lambda: office.states() == ["failed"])
    assert office.row(number).error == "its daemon ended 8 times while it was being sent"
    assert office.channel.tried == []


def test_what_was_only_claimed_with_it_is_sent(office: Office) -> None:
    left_behind(office, DOUBTFUL + office.options.attempts - 1, 3)
    office.start()
    office.wait(lambda: office.states() == ["sent"] * 3)


def test_a_claim_in_vain_is_no_attempt_once_it_is_in_doubt(office: Office) -> None:
    [number] = left_behind(office, DOUBTFUL)
    seen: list[int] = []
    office.channel.on_send = lambda _parcels: seen.append(office.row(number).attempts)
    office.start()
    office.wait(lambda: office.states() == ["sent"])
    assert seen == [DOUBTFUL + 1], "the attempt is written before it is made, and the claim is not counted"


def test_what_is_in_doubt_goes_alone_and_holds_up_nobody_else(office: Office) -> None:
    left_behind(office, DOUBTFUL, 3)
    well = office.user("well")
    office.browser(well)
    inside: list[int] = []
    together: list[int] = []

    def send(parcels: Sequence[Parcel]) -> None:
        [parcel] = parcels
        if parcel.recipient.user_id == well:
            return
        inside.append(parcel.delivery_id)
        together.append(len(inside))
        if len(together) == 1:
            wait_for(lambda: "sent" in office.states(), "the one that is in no doubt has gone past")
        inside.remove(parcel.delivery_id)

    office.channel.on_send = send
    office.tell(well)
    office.start()
    office.wait(lambda: office.states() == ["sent"] * 4)
    assert together == [1, 1, 1]


def test_what_does_not_get_its_turn_in_time_is_given_back(office: Office) -> None:
    [number] = left_behind(office, DOUBTFUL)
    dispatcher = office.start(claim_s=office.options.timeout_s + 0.5)  # that long it waits for its turn
    with dispatcher._alone:
        office.wait(lambda: office.row(number).state == "due")
        assert office.channel.tried == []
        assert office.row(number).attempts == DOUBTFUL
