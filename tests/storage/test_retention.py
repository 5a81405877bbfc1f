"""What is forgotten: every table is bounded, by a rule or its nature; each rule takes what is old alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import live, retention
from storage.columns import Base
from storage.models import (
    AuditEntry,
    Delivery,
    Host,
    HostMaintenance,
    HostOutage,
    JobGap,
    JobRun,
    LiveEvent,
    Notification,
    SignIn,
    TaskRight,
    Viewing,
)
from storage.retention import FEWEST, FIRST, MOST, RetentionSettings, Rule, next_count, remove, rules, waiting
from storage.session import Database
from tests.storage.people import add_user, notification, tell

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
KEPT = RetentionSettings()
RULES = {rule.name: rule for rule in rules(KEPT, 180)}
# Tables without a rule of their own, and why they do not grow for ever.
BY_NATURE = {
    "channel_states": "one row for each channel",
    "erp_people": "one row for each person of the ERP",
    "group_members": "as in Redmine",
    "redmine_phones": "as in Redmine",
    "groups": "as in Redmine",
    "host_acknowledgements": "one row for each host at most",
    "host_checks": "thinned and forgotten by storage.host_history",
    "issue_mutes": "one row for each issue that a person silenced",
    "issues": "as in Redmine: what is deleted there is removed here",
    "job_states": "one row for each job",
    "journals_seen": "as in Redmine: without it what is old would be told again",
    "notification_words": "goes with its notification",
    "post_reads": "one row for each post and person",
    "posts": "written by people",
    "priorities": "as in Redmine",
    "push_subscriptions": "few for each person, and only while their pages are opened",
    "statuses": "as in Redmine",
    "users": "people",
}


def count(session: Session, model: type[Any]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def run(database: Database, rule: Rule, now: datetime = NOW) -> int:
    return sum(remove(database, rule, now, lambda _: False))


def test_every_table_is_bounded_by_a_rule_or_by_its_nature() -> None:
    ruled = {rule.model.__tablename__ for rule in RULES.values()}
    assert ruled | set(BY_NATURE) >= set(Base.metadata.tables)
    assert ruled & set(BY_NATURE) == set()


def told(ann: int, at: datetime, **columns: Any) -> Notification:
    return Notification(
        **notification(ann, f"{at}{sorted(columns)}"[:128], recorded_at=at, surfaced_at=at, **columns)
    )


def a_host(at: datetime, **columns: Any) -> Host:
    return Host(name=f"host-{at}-{columns}", address="192.0.2.1", checked_at=at, **columns)


OLD = {
    "read": NOW - 181 * DAY,
    "unread": NOW - 731 * DAY,
    "withdrawn": NOW - 31 * DAY,
    "events": NOW - 61 * MINUTE,
    "idle_runs": NOW - 7 * 60 * MINUTE,
    "runs": NOW - 15 * DAY,
    "gaps": NOW - 366 * DAY,
    "audit": NOW - 1096 * DAY,
    "hosts": NOW - 367 * DAY,
    "maintenance": NOW - 31 * DAY,
    "sign_ins": NOW - 401 * DAY,
    "rights": NOW - 31 * DAY,
    "viewings": NOW - 2 * DAY,
}
# For each rule: what makes a row that goes where it is old, and rows that stay although they are as old.
Maker = Callable[[int, datetime], Any]
CASES: list[tuple[str, Maker, list[Maker]]] = [
    (
        "read",
        lambda ann, at: told(ann, at, read_at=at),
        [
            lambda ann, at: told(ann, at, read_at=at, starred_at=at),
            lambda ann, at: told(ann, at, read_at=at, snoozed_until=NOW),
            told,
        ],
    ),
    (
        "unread",
        told,
        [lambda ann, at: told(ann, at, starred_at=at), lambda ann, at: told(ann, at, snoozed_until=NOW)],
    ),
    (
        "withdrawn",
        lambda ann, at: told(ann, at, withdrawn_at=at),
        [told],
    ),
    ("events", lambda ann, at: LiveEvent(user_id=ann, event="e", payload={}, created_at=at), []),
    (
        "idle_runs",
        lambda _, at: JobRun(job="a", started_at=at, status="ok"),
        [
            lambda _, at: JobRun(job="a", started_at=at, status="ok", changes=1),
            lambda _, at: JobRun(job="a", started_at=at, status="ok", withdrawn=1),
            lambda _, at: JobRun(job="a", started_at=at, status="failed"),
            lambda _, at: JobRun(job="a", started_at=at),
        ],
    ),
    ("runs", lambda _, at: JobRun(job="a", started_at=at, status="failed"), []),
    (
        "gaps",
        lambda _, at: JobGap(job="a", began_at=at, caught_up_at=at),
        [lambda _, at: JobGap(job="a", began_at=at)],
    ),
    ("audit", lambda _, at: AuditEntry(actor="a", act="b", subject="c", at=at), []),
    (
        "hosts",
        lambda _, at: a_host(at, is_watched=False),
        [lambda _, at: a_host(at)],
    ),
    (
        "maintenance",
        lambda _, at: HostMaintenance(begins_at=at, ends_at=at, note="", by_name=""),
        [lambda _, at: HostMaintenance(begins_at=at, ends_at=NOW, note="", by_name="")],
    ),
    ("sign_ins", lambda ann, at: SignIn(device=f"{at}", user_id=ann, created_at=at), []),
    (
        "rights",
        lambda ann, at: TaskRight(
            user_id=ann,
            project_id=at.day,
            tracker_id=1,
            assigned_to_id=1,
            is_private=False,
            is_shown=True,
            checked_at=at,
        ),
        [],
    ),
    (
        "viewings",
        lambda ann, at: Viewing(connection=f"{at:%d %H}", issue_id=1, user_id=ann, seen_at=at),
        [],
    ),
]


@pytest.mark.parametrize(("name", "goes", "stay"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_takes_what_is_old_and_nothing_else(
    database: Database, ann: int, name: str, goes: Maker, stay: list[Maker]
) -> None:
    rule = RULES[name]
    with database.write() as session:
        session.add_all([goes(ann, OLD[name]), *(make(ann, OLD[name]) for make in stay)])
        session.add(goes(ann, NOW - timedelta(days=rule.days) + MINUTE))
    with database.read() as session:
        assert waiting(session, [rule], NOW) == {name: 1}
    assert run(database, rule) == 1
    assert run(database, rule) == 0
    with database.read() as session:
        assert count(session, rule.model) == len(stay) + 1


def test_an_outage_goes_a_year_after_its_end(database: Database) -> None:
    with database.write() as session:
        host = a_host(NOW)
        session.add(host)
        session.flush()
        for days, ended in ((900, 800), (500, 100)):
            begin = NOW - days * DAY
            session.add(
                HostOutage(host_id=host.id, started_at=begin, state="down", ended_at=NOW - ended * DAY)
            )
        session.add(HostOutage(host_id=host.id, started_at=NOW - 700 * DAY, state="down"))
    assert run(database, RULES["outages"]) == 1


def test_deliveries_go_unless_they_are_put_off(database: Database, ann: int) -> None:
    first, second, third = tell(database, ann, 3)
    old = NOW - 91 * DAY
    with database.write() as session:
        for number, created_at, next_at in ((first, old, old), (second, old, NOW), (third, NOW, NOW)):
            row = Delivery(notification_id=number, channel="email", lane="email", created_at=created_at)
            row.next_attempt_at = next_at
            session.add(row)
    assert run(database, RULES["deliveries"]) == 1
    with database.read() as session:
        assert set(session.scalars(sa.select(Delivery.notification_id))) == {second, third}


def test_with_a_notification_its_deliveries_go(database: Database, ann: int) -> None:
    [number] = tell(database, ann, 1)
    with database.write() as session:
        session.add(Delivery(notification_id=number, channel="email", lane="email"))
        session.execute(sa.update(Notification).values(read_at=NOW - 400 * DAY))
    assert run(database, RULES["read"]) == 1
    with database.read() as session:
        assert count(session, Delivery) == 0


def test_what_was_read_meanwhile_or_starred_stays(database: Database, ann: int) -> None:
    """A row is judged again by the statement that removes it."""
    tell(database, ann, 2)
    with database.write() as session:
        session.execute(sa.update(Notification).values(read_at=NOW - 400 * DAY))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retention, "FIRST", 1)
        work = remove(database, RULES["read"], NOW, lambda _: False)
        assert next(work) == 1
        with database.write() as session:
            session.execute(sa.update(Notification).values(starred_at=NOW))
        assert list(work) == [0]


def test_ids_of_events_are_never_given_again(database: Database, ann: int) -> None:
    with database.write() as session:
        live.publish(session, ann, "e", {})
    with database.read() as session:
        last = live.newest_id(session)
    assert run(database, RULES["events"], datetime(2100, 1, 1, tzinfo=UTC)) == 1
    with database.write() as session:
        live.publish(session, ann, "e", {})
        session.flush()
        assert live.newest_id(session) > last


def test_many_rows_go_a_few_at_a_time_and_others_write_in_between(database: Database, ann: int) -> None:
    with database.write() as session:
        session.execute(
            sa.insert(LiveEvent),
            [{"user_id": ann, "event": "e", "payload": {}, "created_at": NOW - DAY} for _ in range(1500)],
        )
    waits: list[float] = []

    def write(took_s: float) -> bool:
        waits.append(took_s)
        add_user(database, f"user-{len(waits)}")
        return False

    gone = list(remove(database, RULES["events"], NOW, write))
    assert sum(gone) == 1500
    assert gone[0] == FIRST
    assert len(waits) == len(gone) > 1
    assert max(gone) <= MOST


def test_tidying_ends_between_two_transactions_when_asked(database: Database, ann: int) -> None:
    with database.write() as session:
        rows = [{"user_id": ann, "event": "e", "payload": {}, "created_at": NOW - DAY} for _ in range(500)]
        session.execute(sa.insert(LiveEvent), rows)
    assert list(remove(database, RULES["events"], NOW, lambda _: True)) == [FIRST]


@pytest.mark.parametrize(
    ("took_s", "after"),
    [(0.001, FIRST * 2), (0.03, FIRST), (0.2, FIRST // 2)],
    ids=["quick", "about right", "too long"],
)
def test_how_many_go_at_once_follows_how_long_it_took(took_s: float, after: int) -> None:
    assert next_count(FIRST, took_s) == after
    assert next_count(MOST, 0.001) == MOST
    assert next_count(FEWEST, 1.0) == FEWEST


def test_zero_days_keep_for_ever() -> None:
    kept = RetentionSettings(unread_days=0, runs_days=0, audit_days=0)
    assert set(RULES) - {rule.name for rule in rules(kept, 0)} == {"read", "unread", "runs", "audit"}


def test_no_log_in_is_forgotten_while_it_may_last() -> None:
    with pytest.raises(ValueError, match="366"):
        RetentionSettings(sign_ins_days=30)
