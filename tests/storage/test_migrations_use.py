"""What the product does works on a database of an earlier version once it is upgraded."""

from datetime import UTC, datetime, timedelta

import pytest

from daemon.redmine.cursor import Cursor
from daemon.sources.redmine_reconcile import Place
from storage import (
    deliveries,
    host_history,
    hosts,
    inbox,
    inbox_acts,
    job_table,
    jobs,
    live,
    migrate,
    notifications,
    posts,
    preferences,
    snapshots,
    subscriptions,
    users,
)
from storage.deliveries import Claimant
from storage.inbox import Filter
from storage.inbox_acts import Chosen
from storage.models import PushSubscription
from storage.retention import RetentionSettings, remove, rules
from storage.session import Database
from tests.storage.old_databases import EVERY, Version, build
from tests.storage.people import notification

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BOSS, ANN = 1, 2
KEPT = RetentionSettings()


@pytest.fixture(params=[EVERY[0], EVERY[3]], ids=str)
def upgraded(empty: Database, request: pytest.FixtureRequest) -> Database:
    """A database of an earlier version, brought to the newest schema."""
    version: Version = request.param
    build(empty, version)
    migrate.upgrade(empty)
    migrate.require_current(empty)
    return empty


def test_the_inbox_shows_what_was_told_by_its_issues(upgraded: Database) -> None:
    with upgraded.read() as session:
        groups = inbox.groups(session, ANN, Filter(), NOW, 10).groups
        assert [(group.newest.thread, group.newest.id, group.count, group.unread) for group in groups] == [
            ("issue:7", 3, 3, 2)
        ]
        assert notifications.unread_counts(session, [BOSS, ANN], NOW) == {BOSS: 0, ANN: 2}
        snoozed = inbox.groups(session, ANN, Filter(view="snoozed"), NOW, 10).groups
        assert [group.newest.thread for group in snoozed] == ["notice:1"]
        archived = inbox.groups(session, BOSS, Filter(view="archived"), NOW, 10).groups
        assert [group.newest.details for group in archived] == [
            [{"field": "status", "label": "", "old": "New", "new": "Closed"}]
        ]


def test_what_was_told_is_read_starred_woken_and_forgotten(upgraded: Database) -> None:
    with upgraded.write() as session:
        assert notifications.mark_read(session, ANN, NOW) == [3, 5, 6]
        assert inbox_acts.perform(session, ANN, "star", Chosen(ids=[6]), NOW) == [6]
        assert inbox_acts.wake(session, NOW + timedelta(days=1)) == 1
    later = NOW + timedelta(days=400)
    gone = {rule.name: sum(remove(upgraded, rule, later, lambda _: False)) for rule in rules(KEPT, 180)}
    assert gone["read"] > 0


def test_new_changes_are_recorded_and_those_of_before_are_not_told_again(upgraded: Database) -> None:
    with upgraded.write() as session:
        rows = [notification(ANN, "redmine:journal:100"), notification(ANN, "redmine:journal:102")]
        assert notifications.record(session, rows) == 1
        new = notifications.after(session, 6, 10)
        assert [(row.id > 40, row.thread) for row in new] == [(True, "issue:7")]
        assert snapshots.journals_seen(session, [7, 8]) == {7: frozenset({100}), 8: frozenset({101})}
        live.publish(session, ANN, "event", {})
        assert [event.id for event in live.after(session, 0, 10)] == [12, 13]


def test_what_waited_is_delivered(upgraded: Database) -> None:
    claimant = Claimant("host:1", NOW, NOW + timedelta(seconds=60))
    with upgraded.write() as session:
        assert deliveries.due_lanes(session, NOW) == ["email", "webpush"]
        assert deliveries.claim(session, "webpush", claimant, 10) == [2]
        assert deliveries.claim(session, "email", claimant, 10) == [3]
        deliveries.sent(session, [2, 3], NOW)
        assert [row.state for row in inbox.deliveries_of(session, 3)] == ["sent", "sent"]
        devices = subscriptions.of_user(session, ANN)
        assert [(device.id, device.endpoint) for device in devices] == [
            (3, "https://fcm.googleapis.com/fcm/send/abc")
        ]
        new = subscriptions.add(
            session, PushSubscription(user_id=ANN, endpoint="https://new", p256dh="p", auth="a")
        )
        assert new.id == 5


def test_people_are_who_they_were(upgraded: Database) -> None:
    with upgraded.read() as session:
        ann = users.by_username(session, "ann")
        boss = users.by_username(session, "boss")
        assert ann is not None
        assert boss is not None
        assert (ann.full_name, ann.password_hash, ann.theme) == (
            "Ann O'Neil",
            "scrypt:32768:8:1$salt$hash",
            "dark",
        )
        assert boss.is_admin
        assert preferences.of(ann.preferences) == preferences.Preferences()
        assert len({ann.mail_token, boss.mail_token, ""}) == 3
        assert users.by_mail_token(session, ann.mail_token) is ann
        assert [user.id for user in users.linked_to_redmine(session)] == [BOSS, ANN]


def test_jobs_go_on_where_they_stood(upgraded: Database) -> None:
    with upgraded.write() as session:
        cursor = Cursor.from_json(jobs.cursor(session, "redmine") or {})
        assert cursor.high == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
        assert set(cursor.unsettled) == {7}
        assert Place(**(jobs.cursor(session, "reconcile") or {})).sweep == 8
        rows = {row.name: row for row in job_table.rows(session, NOW)}
        assert rows["redmine"].last_run is not None
        assert jobs.acquire_lease(session, "host:1", NOW, 10)
        run = jobs.start_run(session, "redmine", NOW)
        assert run == 10
        assert [found.id for found in jobs.runs(session, "redmine", 10)] == [10, 2, 1]


def test_tasks_hosts_and_news_are_shown(upgraded: Database) -> None:
    with upgraded.read() as session:
        assert set(snapshots.load_issues(session, [7, 8, 9])) == {7, 8, 9}
        assert [shown.host.name for shown in hosts.watched(session, NOW)] == ["gw-1", "srv-2"]
        until = datetime(2026, 3, 1, 9, 30, 30, tzinfo=UTC)
        buckets = host_history.buckets(session, 1, until, timedelta(minutes=2), 2)
        assert [(bucket.sent, bucket.received) for bucket in buckets] == [(5, 5), (5, 4)]
        assert [shown.post.id for shown in posts.page(session, ANN, 1, 10).rows] == [2, 1]
    with upgraded.write() as session:
        posts.mark_read(session, ANN, NOW)
        assert posts.unread_count(session, ANN) == 0
