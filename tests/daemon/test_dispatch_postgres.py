"""Several daemons on one PostgreSQL share the outbox: each message is sent by one of them."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from storage import deliveries, migrate
from storage.deliveries import Claimant
from storage.session import Database
from storage.settings import StorageSettings
from tests.daemon.outgoing import FakeChannel, Office, wait_for

pytestmark = [pytest.mark.real, pytest.mark.long]

DAEMONS = 3
PEOPLE, EACH = 12, 25


@pytest.fixture
def offices(postgres_url: str, tmp_path: Path) -> Iterator[list[Office]]:
    """As many daemons, each with connections and a channel of its own."""
    settings = StorageSettings(directory=tmp_path / "state", url=postgres_url)
    databases = [Database(settings) for _ in range(DAEMONS)]
    migrate.upgrade(databases[0])
    made = [Office(database, channel=FakeChannel(), mail=FakeChannel()) for database in databases]
    yield made
    for office in made:
        office.stop()
        office.database.dispose()


def test_each_message_is_sent_by_one_daemon(offices: list[Office]) -> None:
    first = offices[0]
    for number in range(PEOPLE):
        first.browser(first.user(f"user{number}"))
    for office in offices:
        office.at = first.at
        office.start()
    for person in range(1, PEOPLE + 1):
        for issue_id in range(EACH):  # of one issue, one might overtake another and stand for it
            first.tell(person, issue_id=issue_id + 1)
    wait_for(lambda: first.states() == ["sent"] * (PEOPLE * EACH), story=first.story, within_s=60)
    sent = Counter(parcel.delivery_id for office in offices for [parcel] in office.channel.sent)
    assert len(sent) == PEOPLE * EACH
    assert set(sent.values()) == {1}
    assert {row.attempts for row in first.rows()} == {1}


def test_a_digest_is_not_shared_among_daemons(offices: list[Office]) -> None:
    first = offices[0]
    first.at = first.at.replace(hour=12)
    digest = {"mail": {"mode": "digest", "times": ["09:00"], "days": list(range(7))}}
    for number in range(PEOPLE):
        first.tell(first.user(f"user{number}", preferences=digest), 10, type="mention")
    first.later(hours=22)
    for office in offices:
        office.at = first.at
        office.start()
    wait_for(lambda: set(first.states()) == {"sent"}, story=first.story, within_s=60)
    mails = Counter(parcels[0].recipient.user_id for office in offices for parcels in office.mail.sent)
    assert mails == dict.fromkeys(range(1, PEOPLE + 1), 1)
    assert {len(parcels) for office in offices for parcels in office.mail.sent} == {10}


def test_what_one_daemon_held_when_it_died_another_sends(offices: list[Office]) -> None:
    dead, living = offices[0], offices[1]
    dead.browser(dead.user("ann"))
    [number] = dead.tell(1)
    with dead.database.write() as session:
        claimant = Claimant("dead", dead.at, dead.at + timedelta(seconds=60))
        assert deliveries.claim(session, "webpush:push.example.com", claimant, 10) == [number]
    living.at = dead.at
    living.start()
    living.later(seconds=61)
    wait_for(lambda: living.states() == ["sent"], story=living.story)
    assert len(living.channel.sent) == 1
