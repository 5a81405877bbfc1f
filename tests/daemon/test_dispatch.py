"""What is due is sent, and what became of it is written: from the outbox to the outcome of each device."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from daemon.channel import Parcel
from daemon.clients.errors import SourceUnavailable
from daemon.dispatch import STALE_S
from daemon.outbox import Outbox
from storage import notifications, wakeup
from storage.session import Database
from tests.daemon.outgoing import Office, named, wait_for
from tests.daemon.samples import NOON


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    office = Office(database)
    yield office
    office.stop()


def test_each_device_gets_it_once_and_the_row_says_when(office: Office) -> None:
    ann = office.user()
    browsers = [office.browser(ann, name) for name in ("one", "two", "three")]
    office.tell(ann)
    office.start()
    office.wait(lambda: office.states() == ["sent"] * 3)
    parcels = [parcel for [parcel] in office.channel.sent]
    assert sorted(parcel.device.id for parcel in parcels if parcel.device) == browsers
    assert {parcel.unread for parcel in parcels} == {1}
    assert {row.receipt for row in office.rows()} == {parcel.receipt for parcel in parcels}
    for row in office.rows():
        assert (row.attempts, row.error, row.finished_at) == (1, "", office.at)
    for browser in browsers:
        found = office.subscription(browser)
        assert found is not None
        assert found.last_success_at == office.at
    assert office.state().last_success_at == office.at


def test_what_comes_later_is_sent_at_once(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    office.start()
    for count in (1, 2, 3):
        office.tell(ann)
        office.wait(lambda count=count: office.states() == ["sent"] * count)  # type: ignore[misc]


def test_nothing_is_sent_before_its_transaction_is_committed(office: Office) -> None:
    """What records is interrupted between its last statement and the commit."""
    ann = office.user()
    office.browser(ann)
    office.start()
    row = {"change_key": "k", "user_id": ann, "type": "mention", "reasons": [], "title": "t"}
    row |= {"message": "m", "created_at": office.at, "issue_id": 7, "project_id": None}
    outbox = Outbox(frozenset({"webpush"}))
    with suppress(ZeroDivisionError), office.database.write() as session:
        assert outbox.record(session, [row], office.at) == 1
        wakeup.send(office.database)
        raise ZeroDivisionError
    office.tell(ann)
    office.wait(lambda: office.states() == ["sent"])
    assert len(office.channel.tried) == 1


def test_a_device_gets_its_messages_in_their_order(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    office.tell(ann, 30)
    office.start()
    office.wait(lambda: office.states() == ["sent"] * 30)
    assert [name for sent in office.channel.sent for name in named(sent)] == [f"m{n}" for n in range(30)]


# --- judged anew before it leaves ----------------------------------------------------------------

MEANWHILE: dict[str, tuple[dict[str, Any], dict[str, Any], float, str]] = {
    "read": ({"read_at": NOON}, {}, 0, "read before"),
    "archived": ({"archived_at": NOON}, {}, 0, "archived before"),
    "withdrawn": ({"withdrawn_at": NOON}, {}, 0, "withdrawn"),
    "locked": ({}, {"is_active": False}, 0, "locked"),
    "switched off": ({}, {"browser_notifications_enabled": False}, 0, "not wanted"),
    "type not wanted": (
        {},
        {"preferences": {"ways": {"status_change": {"webpush": False}}}},
        0,
        "not wanted",
    ),
    "project not wanted": ({}, {"preferences": {"projects": {"1": "none"}}}, 0, "not wanted"),
    "too old": ({}, {}, 25, "longer than 24 h"),
}


@pytest.mark.parametrize(("row", "user", "hours", "why"), MEANWHILE.values(), ids=MEANWHILE)
def test_what_changed_meanwhile_is_heeded(
    office: Office, row: dict[str, Any], user: dict[str, Any], hours: float, why: str
) -> None:
    ann = office.user()
    office.browser(ann)
    office.tell(ann)
    office.change(office.told(ann)[0].id, **row)
    office.change_user(ann, **user)
    office.later(hours=hours)
    office.start()
    office.wait(lambda: office.states() == ["expired" if hours else "skipped"])
    assert why in office.rows()[0].error
    assert office.channel.tried == []
    assert office.rows()[0].attempts == 0


def test_a_browser_that_is_gone_or_of_somebody_else_gets_nothing(office: Office) -> None:
    ann, bob = office.user("ann"), office.user("bob")
    gone, removed, moved, other_key = (office.browser(ann, name) for name in "abcd")
    office.tell(ann)
    with office.database.write() as session:
        session.execute(sa.text("DELETE FROM push_subscriptions WHERE id = :id"), {"id": gone})
        session.execute(
            sa.text("UPDATE push_subscriptions SET user_id = :bob WHERE id = :id"), {"bob": bob, "id": moved}
        )
        session.execute(
            sa.text("UPDATE push_subscriptions SET application_server_key = 'old' WHERE id = :id"),
            {"id": other_key},
        )
        session.execute(
            sa.text("UPDATE push_subscriptions SET removed_at = created_at WHERE id = :id"), {"id": removed}
        )
    office.start()
    office.wait(lambda: office.states() == ["skipped"] * 4)
    assert office.channel.tried == []
    assert ["another key" in row.error for row in office.rows()] == [False, False, False, True]


def test_what_waits_while_another_is_sent_is_judged_when_its_turn_comes(office: Office) -> None:
    """Read on another device while the first message hung: the second one must not ring any more."""
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(parcels: Sequence[Parcel]) -> None:
        hangs.set()
        assert goes_on.wait(30)

    ann = office.user()
    office.browser(ann)
    office.tell(ann, 2)
    office.channel.on_send = hang
    office.start()
    assert hangs.wait(30)
    office.change(office.told(ann)[1].id, read_at=office.at)
    soon = time.monotonic() + STALE_S
    wait_for(lambda: time.monotonic() > soon)
    goes_on.set()
    office.wait(lambda: office.states() == ["sent", "skipped"])
    assert len(office.channel.tried) == 1


@pytest.mark.parametrize(("late_s", "state"), [(60, "sent"), (61, "expired")])
def test_a_ringing_call_is_not_pushed_once_it_rings_no_more(office: Office, late_s: int, state: str) -> None:
    ann = office.user()
    office.browser(ann)
    office.tell(ann, type="call", issue_id=None, project_id=None, thread="call:7")
    office.later(seconds=late_s)
    office.start()
    office.wait(lambda: office.states() == [state])


def test_quiet_hours_that_began_meanwhile_are_kept_and_do_not_age_it(office: Office) -> None:
    office.at = office.at.replace(hour=12)
    ann = office.user()
    office.browser(ann)
    [number] = office.tell(ann)
    begin = office.at + timedelta(hours=30)
    hours = {"is_on": True, "days": [begin.weekday()], "begin": f"{begin:%H:%M}", "end": "23:59"}
    office.change_user(ann, preferences={"hours": hours})
    office.start()
    office.wait(lambda: office.row(number).error == "waits for working hours")
    row = office.row(number)
    moment = begin.replace(second=0, microsecond=0)
    assert (row.state, row.next_attempt_at, row.due_at) == ("due", moment, moment)
    office.later(hours=30)
    office.wait(lambda: office.states() == ["sent"])


def test_what_is_urgent_passes_quiet_hours(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    day = (office.at + timedelta(days=3)).weekday()
    office.tell(ann)
    office.change(office.told(ann)[0].id, is_urgent=True)
    office.change_user(ann, preferences={"hours": {"is_on": True, "days": [day]}})
    office.start()
    office.wait(lambda: office.states() == ["sent"])


def test_what_is_snoozed_waits_until_then(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    office.tell(ann)
    until = office.at + timedelta(hours=40)
    office.change(office.told(ann)[0].id, snoozed_until=until)
    office.start()
    office.wait(lambda: office.rows()[0].next_attempt_at == until)
    assert office.channel.tried == []
    office.later(hours=41)
    office.wait(lambda: office.states() == ["sent"])


def test_a_trial_is_sent_whatever_is_preferred(office: Office) -> None:
    ann = office.user(browser_notifications_enabled=False)
    browser = office.browser(ann)
    office.tell(ann, type="test", issue_id=None, project_id=None)
    told = office.told(ann)[0]
    office.change(told.id, read_at=office.at, archived_at=office.at)
    office.enqueue(told.id, browser, "push.example.com")
    office.start()
    office.wait(lambda: office.states() == ["sent"])


# --- digests -------------------------------------------------------------------------------------


def test_a_digest_goes_as_one_and_without_what_was_read(office: Office) -> None:
    digest = {"mail": {"mode": "digest", "times": ["09:00"], "days": list(range(7))}}
    ann = office.user("ann", preferences=digest)
    bob = office.user("bob", preferences=digest)
    office.tell(ann, 5, type="mention")
    office.tell(bob, 3, type="mention")
    office.change(office.told(ann)[1].id, read_at=office.at)
    assert {row.batch for row in office.rows()} == {"digest"}
    office.start()
    office.later(hours=24)
    office.wait(lambda: sorted(office.states()) == ["sent"] * 7 + ["skipped"])
    sizes = {parcels[0].recipient.user_id: named(parcels) for parcels in office.mail.sent}
    assert sizes == {ann: ["m0", "m2", "m3", "m4"], bob: ["m0", "m1", "m2"]}
    assert len(office.mail.sent) == 2


def test_who_changes_to_digests_gets_what_is_waiting_with_the_next_one(office: Office) -> None:
    ann = office.user()
    [number] = office.tell(ann, type="mention")
    office.change_user(
        ann, preferences={"mail": {"mode": "digest", "times": ["09:00"], "days": [0, 1, 2, 3, 4, 5, 6]}}
    )
    office.start()
    office.wait(lambda: office.row(number).batch == "digest")
    assert office.row(number).state == "due"
    office.later(hours=24)
    office.wait(lambda: office.states() == ["sent"])
    assert len(office.mail.sent) == 1


# --- nothing leaks -------------------------------------------------------------------------------


def test_what_was_just_told_needs_no_proof(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    office.tell(ann)
    office.start()
    office.wait(lambda: office.states() == ["sent"])
    assert office.proof.asked == []


@pytest.mark.parametrize("doubt", ["told long ago", "to be asked again"])
def test_what_redmine_does_not_confirm_is_withdrawn(office: Office, doubt: str) -> None:
    ann = office.user(id_redmine_user=5, redmine_login="ann")
    browser = office.browser(ann)
    office.tell(ann, 2)
    shown, hidden = office.told(ann)
    office.proof.hidden = {hidden.id}
    if doubt == "told long ago":
        office.later(minutes=16)
    else:
        for row in (shown, hidden):
            office.change(row.id, verify_at_show=True)
    office.start()
    office.wait(lambda: office.states() == ["sent", "skipped"])
    assert "does not show it" in office.rows()[1].error
    assert [row.withdrawn_at is not None for row in office.told(ann)] == [False, True]
    with office.database.read() as session:
        assert notifications.unread_count(session, ann) == 1
    assert office.subscription(browser) is not None


def test_while_redmine_is_away_what_is_old_waits_and_what_is_new_goes(office: Office) -> None:
    ann = office.user(id_redmine_user=5, redmine_login="ann")
    office.browser(ann)
    office.proof.error = SourceUnavailable("Redmine is away")
    [old] = office.tell(ann)
    office.later(minutes=16)
    [new] = office.tell(ann, issue_id=8)
    office.start()
    office.wait(lambda: office.row(new).state == "sent" and "Redmine is away" in office.row(old).error)
    row = office.row(old)
    assert (row.state, row.attempts) == ("due", 0), "that Redmine is away is no failure of the channel"
    office.proof.error = None
    office.later(seconds=31)
    office.wait(lambda: office.states() == ["sent", "sent"])


def test_what_is_about_no_issue_needs_no_proof(office: Office) -> None:
    ann = office.user()
    office.browser(ann)
    office.tell(ann, issue_id=None, type="host_down")
    office.later(hours=1)
    office.start()
    office.wait(lambda: set(office.states()) == {"sent"})
    assert office.proof.asked == []
