"""The outbox: what is claimed by whom, and what becomes of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from storage import deliveries, notifications
from storage.deliveries import Claimant
from storage.models import Delivery
from storage.session import Database
from tests.storage.people import NOON, add_user, tell

MINUTE = timedelta(minutes=1)
LANE = "webpush:push.example.com"


def claimant(owner: str = "one", *, at: Any = NOON, lease: timedelta = MINUTE) -> Claimant:
    return Claimant(owner, at, at + lease)


def queue(database: Database, ids: Sequence[int], *, devices: Sequence[str] = ("1",), **columns: Any) -> None:
    """Put deliveries of these notifications to these devices into the outbox."""
    rows = [
        {
            "notification_id": number,
            "channel": "webpush",
            "lane": LANE,
            "device": device,
            "next_attempt_at": NOON,
            **columns,
        }
        for device in devices
        for number in ids
    ]
    with database.write() as session:
        assert deliveries.record(session, rows) == len(rows)


def claim(database: Database, who: Claimant, limit: int = 100, busy: Sequence[str] = ()) -> list[int]:
    with database.write() as session:
        return deliveries.claim(session, LANE, who, limit, busy)


def all_rows(database: Database) -> list[Delivery]:
    with database.read() as session:
        return list(session.scalars(sa.select(Delivery).order_by(Delivery.id)))


def test_what_is_claimed_is_nobody_elses_until_its_lease_runs_out(database: Database, ann: int) -> None:
    queue(database, tell(database, ann, 3))
    mine = claim(database, claimant("one"))
    assert len(mine) == 3
    assert claim(database, claimant("two")) == []
    assert claim(database, claimant("two", at=NOON + MINUTE)) == mine
    assert {(row.claimed_by, row.attempts) for row in all_rows(database)} == {("two", 1)}


def test_two_that_claim_at_once_share(database: Database, ann: int) -> None:
    """On PostgreSQL both are inside their transactions; SQLite has one writer."""
    queue(database, tell(database, ann, 4), devices=("1", "2"))
    with database.write() as first:
        mine = deliveries.claim(first, LANE, claimant("one"), 3)
        if not database.is_sqlite:
            with database.write() as second:
                others = deliveries.claim(second, LANE, claimant("two"), 100)
            assert not set(mine) & set(others)
    rest = claim(database, claimant("three"))
    taken = [row.claimed_by for row in all_rows(database)]
    assert len(mine) == 3
    assert taken.count("one") == 3
    assert set(rest).isdisjoint(mine)


def test_nothing_is_due_before_its_time_nor_in_another_lane(database: Database, ann: int) -> None:
    queue(database, tell(database, ann, 1), next_attempt_at=NOON + MINUTE)
    with database.read() as session:
        assert deliveries.due_lanes(session, NOON) == []
        assert deliveries.due_lanes(session, NOON + MINUTE) == [LANE]
    with database.write() as session:
        assert deliveries.claim(session, "email", claimant(at=NOON + MINUTE), 10) == []
    assert claim(database, claimant(at=NOON)) == []


def test_a_device_that_has_much_waiting_hides_no_other(database: Database, ann: int) -> None:
    ids = tell(database, ann, 20)
    queue(database, ids, devices=("1",))
    queue(database, ids[:1], devices=("2",))
    first = claim(database, claimant(), 10)
    devices = {row.id: row.device for row in all_rows(database)}
    assert sorted(devices[number] for number in first) == ["1"] * 4 + ["2"]
    assert claim(database, claimant(), 10, busy=("1",)) == []


def test_the_oldest_come_first(database: Database, ann: int) -> None:
    newer, older = tell(database, ann, 2)
    queue(database, [newer], next_attempt_at=NOON, devices=("1",))
    queue(database, [older], next_attempt_at=NOON - MINUTE, devices=("2",))
    [number] = claim(database, claimant(), 1)
    assert next(row for row in all_rows(database) if row.id == number).notification_id == older


def test_the_digest_of_a_user_is_claimed_whole(database: Database, ann: int, bob: int) -> None:
    for user_id in (ann, bob):
        mail = {"channel": "email", "lane": "email", "batch": "digest"}
        queue(database, tell(database, user_id, 7), devices=("",), **mail)
    with database.write() as session:
        assert deliveries.claim(session, "email", claimant(), 100) == []
        assert len(deliveries.claim_digests(session, "email", claimant(), 1)) == 7
        assert len(deliveries.claim_digests(session, "email", claimant("two"), 5)) == 7
        assert deliveries.claim_digests(session, "email", claimant(), 5) == []


def test_an_outcome_is_written_only_by_who_holds_the_claim(database: Database, ann: int) -> None:
    queue(database, tell(database, ann, 2))
    first, second = claim(database, claimant("one"))
    late = claimant("two", at=NOON + MINUTE)
    claim(database, late)
    with database.write() as session:
        assert not deliveries.finish(session, first, claimant("one"), "failed", "too late", 1)
        assert not deliveries.put_back(session, first, claimant("one"), NOON)
        assert deliveries.put_back(session, first, late, NOON + 2 * MINUTE, error="later")
        assert deliveries.finish(session, second, late, "skipped", "read", 0)
    rows = all_rows(database)
    assert [(row.state, row.error, row.attempts) for row in rows] == [
        ("due", "later", 1),
        ("skipped", "read", 1),
    ]
    assert rows[0].next_attempt_at == NOON + 2 * MINUTE
    assert rows[0].due_at == NOON, "waiting after a failure does not make it younger"


def test_what_was_sent_is_sent_even_after_the_claim_ran_out(database: Database, ann: int) -> None:
    queue(database, tell(database, ann, 1))
    ids = claim(database, claimant("one"))
    claim(database, claimant("two", at=NOON + MINUTE))
    with database.write() as session:
        deliveries.sent(session, ids, NOON)
        assert not deliveries.put_back(session, ids[0], claimant("two"), NOON), "it is over"
    assert [row.state for row in all_rows(database)] == ["sent"]


def test_what_was_put_off_or_sent_can_be_sent_anew(database: Database, ann: int) -> None:
    ids = tell(database, ann, 2)
    queue(database, ids)
    with database.write() as session:
        deliveries.sent(session, deliveries.claim(session, LANE, claimant(), 1), NOON)
        assert deliveries.renew(session, ids, NOON + MINUTE) == 2
    rows = all_rows(database)
    assert {(row.state, row.next_attempt_at, row.due_at) for row in rows} == {
        ("due", NOON + MINUTE, NOON + MINUTE)
    }


def test_the_backlog_says_how_much_is_overdue_and_since_when(database: Database, ann: int) -> None:
    with database.read() as session:
        assert deliveries.backlog(session, NOON) == (0, timedelta())
    queue(database, tell(database, ann, 2))
    queue(database, tell(database, ann, 1), next_attempt_at=NOON + 5 * MINUTE)
    with database.read() as session:
        assert deliveries.backlog(session, NOON + MINUTE) == (2, MINUTE)


def test_a_delivery_goes_with_its_notification(database: Database, ann: int) -> None:
    other = add_user(database, "carl")
    ids = tell(database, other, 1)
    queue(database, [*ids, *tell(database, ann, 1)])
    with database.write() as session:
        session.execute(sa.text("DELETE FROM users WHERE id = :id"), {"id": other})
        assert notifications.newest_id(session) > 0
    assert len(all_rows(database)) == 1
