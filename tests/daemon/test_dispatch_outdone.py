"""What is tried again late must not take the place of what came after it about the same."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from daemon.dispatch_loading import OUTDONE
from storage.session import Database
from tests.daemon.outgoing import Office, failing, named


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    office = Office(database)
    yield office
    office.stop()


def overtaken(office: Office, ann: int, **newer: Any) -> list[int]:
    """Have one fail and another sent meanwhile; return both deliveries, the first is due in some seconds."""
    [first] = office.tell(ann)
    office.channel.on_send = failing("retry", "push.example.com answered 503")
    office.start()
    office.wait(lambda: office.row(first).attempts == 1 and office.row(first).state == "due")
    office.channel.on_send = lambda _parcels: None
    [second] = office.tell(ann, message="newer", **newer)
    office.wait(lambda: office.row(second).state == "sent")
    return [first, second]


def test_what_a_newer_one_has_overtaken_is_not_sent_any_more(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    first, _ = overtaken(office, ann)
    office.later(seconds=10)
    office.wait(lambda: office.states() == ["skipped", "sent"])
    assert (office.row(first).error, office.row(first).attempts) == (OUTDONE, 1)
    assert [named(sent) for sent in office.channel.sent] == [["newer"]]
    assert [row.read_at for row in office.told(ann)] == [None, None], "the inbox holds both"


@pytest.mark.parametrize("newer", [{"issue_id": 8}, {"issue_id": None, "thread": "host:7"}], ids=str)
def test_what_is_about_something_else_stands_for_nothing(office: Office, newer: dict[str, Any]) -> None:
    ann = office.user()
    office.browser(ann)
    overtaken(office, ann, **newer)
    office.later(seconds=10)
    office.wait(lambda: office.states() == ["sent", "sent"])


def test_what_comes_back_after_a_snooze_is_the_newer_one(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    overtaken(office, ann)
    first, second = office.told(ann)
    office.change(first.id, surfaced_at=second.surfaced_at + timedelta(hours=1))
    office.later(seconds=10)
    office.wait(lambda: office.states() == ["sent", "sent"])


def test_what_was_withdrawn_stands_for_nothing(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    overtaken(office, ann)
    office.change(office.told(ann)[1].id, withdrawn_at=office.at)
    office.later(seconds=10)
    office.wait(lambda: office.states() == ["sent", "sent"])


def test_each_device_is_looked_at_by_itself(office: Office) -> None:
    """The newer one reached the first browser only, so the other one still needs the older."""
    ann = office.user()
    office.browser(ann, "one")
    first, second = overtaken(office, ann)
    device = office.browser(ann, "two")
    for told in office.told(ann)[:1]:
        office.enqueue(told.id, device, "push.example.com")
    office.later(seconds=10)
    office.wait(lambda: sorted(office.states()) == ["sent", "sent", "skipped"])
    assert (office.row(first).state, office.row(second).state) == ("skipped", "sent")


def test_mails_go_all(office: Office) -> None:
    ann = office.user()
    office.mail.on_send = failing("retry", "451")
    [first] = office.tell(ann, type="mention")
    office.start()
    office.wait(lambda: office.row(first).attempts == 1 and office.row(first).state == "due")
    office.mail.on_send = lambda _parcels: None
    office.tell(ann, type="mention")
    office.wait(lambda: office.states() == ["due", "sent"])
    office.later(seconds=10)
    office.wait(lambda: office.states() == ["sent", "sent"])
