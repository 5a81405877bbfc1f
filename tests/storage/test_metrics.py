"""Totals for monitoring: each run and each notification counted once, whatever is removed or crashes."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from storage import figures, job_control, jobs, metrics, notifications, users
from storage.columns import utc_now
from storage.models import Delivery, JobGap, JobRun, Notification, User
from storage.session import Database
from tests.web.house import notification

NOW = utc_now()


def counted(database: Database, **more: int) -> dict[metrics.Key, float]:
    """Count once more and return all totals."""
    with database.write() as session:
        metrics.count(
            session, {("deliveries", "email", k): n for k, n in more.items()}, NOW, {"scheduler": 1.0}
        )
    with database.read() as session:
        return metrics.totals(session)


def add_run(database: Database, job: str = "redmine", **columns: object) -> int:
    given = {"status": "ok", "duration_ms": 40, "changes": 2, "requests": 3} | columns
    with database.write() as session:
        run = JobRun(job=job, started_at=NOW, **given)  # type: ignore[arg-type]
        session.add(run)
        session.flush()
        return run.id


def notify(database: Database, number: int, kind: str) -> None:
    with database.write() as session:
        user = users.by_username(session, "ann") or users.add(session, User(username="ann"))
        notifications.record(session, [notification(user.id, number, type=kind)])


def test_what_was_there_before_is_not_counted(database: Database) -> None:
    add_run(database)
    notify(database, 1, "status_change")
    assert counted(database) == {}


def test_each_run_is_counted_once_with_its_duration(database: Database) -> None:
    counted(database)
    add_run(database, duration_ms=40)
    add_run(database, duration_ms=700, status="failed", changes=0)
    assert counted(database) == counted(database)
    found = counted(database)
    assert found["job_runs", "redmine", "ok"] == found["job_runs", "redmine", "failed"] == 1
    assert found["job_changes", "redmine"] == 2
    buckets, total = metrics.cumulative(found, "redmine")
    assert total == pytest.approx(0.74)
    assert dict(buckets)["0.1"] == dict(buckets)["0.5"] == 1
    assert dict(buckets)["1.0"] == dict(buckets)["+Inf"] == 2


def test_a_run_that_ends_after_later_ones_is_counted_then(database: Database) -> None:
    counted(database)
    slow = add_run(database, "reconcile", status="running", duration_ms=None)
    add_run(database)
    add_run(database)
    assert counted(database)["job_runs", "redmine", "ok"] == 2
    assert ("job_runs", "reconcile", "ok") not in counted(database)
    with database.write() as session:
        jobs.update_run(session, slow, status="ok", duration_ms=90_000)
    add_run(database)
    found = counted(database)
    assert found["job_runs", "reconcile", "ok"] == 1
    assert found["job_runs", "redmine", "ok"] == 3


def test_a_run_left_open_for_a_day_does_not_hold_the_count_up(database: Database) -> None:
    counted(database)
    add_run(database, "gone", status="running", duration_ms=None)
    with database.write() as session:
        session.execute(sa.update(JobRun).values(started_at=NOW - timedelta(days=2)))
    add_run(database)
    assert counted(database)["job_runs", "redmine", "ok"] == 1
    with database.read() as session:
        kept = metrics._read(session)
    assert kept["marks"]["counted"] == []


def test_what_retention_removes_stays_counted(database: Database) -> None:
    counted(database)
    add_run(database)
    notify(database, 1, "status_change")
    before = counted(database)
    with database.write() as session:
        session.execute(sa.delete(JobRun))
        session.execute(sa.delete(Notification))
    assert counted(database) == before
    add_run(database)
    notify(database, 2, "status_change")
    assert counted(database)["job_runs", "redmine", "ok"] == 2
    assert counted(database)["notifications", "status_change"] == 2


def test_notifications_are_counted_by_type_and_deliveries_are_added(database: Database) -> None:
    counted(database)
    for number, kind in enumerate(["status_change", "mention", "mention"]):
        notify(database, number, kind)
    found = counted(database, sent=3, failed=1)
    assert found["notifications", "mention"] == 2
    assert counted(database, sent=2)["deliveries", "email", "sent"] == 5


def test_only_the_daemon_that_leads_says_how_its_parts_get_on(database: Database) -> None:
    counted(database)
    with database.write() as session:
        metrics.count(session, {}, NOW + timedelta(seconds=9), None)
    with database.read() as session:
        assert metrics.daemon_said(session) == (NOW, {"scheduler": 1.0})


def test_the_row_of_totals_is_no_job(database: Database) -> None:
    counted(database)
    with database.write() as session:
        jobs.state(session, "redmine")
    with database.read() as session:
        assert [row.name for row in job_control.states(session)] == ["redmine"]
        assert job_control.known(session, metrics.ROW) is None


def test_the_figures_of_this_moment(database: Database) -> None:
    counted(database)
    notify(database, 1, "mention")
    with database.write() as session:
        found = jobs.state(session, "redmine")
        found.configured, found.last_ok_at = {"every_s": 5.0}, NOW - timedelta(seconds=40)
        session.add(JobGap(job="redmine", began_at=NOW))
        row_id = session.scalars(sa.select(Notification.id)).one()
        for device, due_s in (("1", -30), ("2", -90), ("3", 60)):
            due = NOW + timedelta(seconds=due_s)
            columns = {"channel": "webpush", "lane": "webpush:x", "device": device, "next_attempt_at": due}
            session.add(Delivery(notification_id=row_id, **columns))  # type: ignore[arg-type]
    read = figures.read(database, NOW + timedelta(seconds=2))
    assert read.queues["webpush"] == figures.Queue(waiting=3, due=2, oldest_s=92.0)
    assert [(row.name, row.lag_s) for row in read.jobs] == [("redmine", 42)]
    assert (dict(read.gaps), read.is_daemon_running) == ({"redmine": 1}, False)
    assert read.ages_s == {"scheduler": 3.0}
    assert read.database_bytes > 100_000
