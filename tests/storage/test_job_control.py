"""What administrators ask of jobs, what jobs went through, and who did what: on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from storage import audit, job_control, job_gaps, job_history, job_table, jobs
from storage.audit import Actor
from storage.models import JobRun
from storage.session import Database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOSS = Actor("boss")


def run(**columns: object) -> JobRun:
    return JobRun(**{"job": "redmine", "started_at": NOON, "status": "ok"} | columns)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("until", "at", "runs"),
    [(None, NOON + 1000 * HOUR, False), (NOON + HOUR, NOON, False), (NOON + HOUR, NOON + 2 * HOUR, True)],
    ids=["for-ever", "not-over", "over"],
)
def test_a_paused_job_may_not_run_until_its_end(
    database: Database, until: datetime | None, at: datetime, runs: bool
) -> None:
    with database.write() as session:
        job_control.pause(session, "redmine", BOSS, NOON, reason="moving", until=until)
    with database.read() as session:
        assert job_control.may_run(session, "redmine", at) is runs
        assert job_control.may_run(session, "other", at)


def test_a_change_is_in_force_only_once_it_is_accepted(database: Database) -> None:
    with database.write() as session:
        job_control.want(session, "redmine", BOSS, {"every_s": 30.0, "options": {"batch": 5}})
        assert job_control.overrides(jobs.state(session, "redmine")) == {"every_s": None, "options": {}}
        job_control.settle(session, "redmine", [""])
    with database.write() as session:
        found = jobs.state(session, "redmine")
        assert job_control.overrides(found) == {"every_s": 30.0, "options": {"batch": 5}}
        job_control.want(session, "redmine", BOSS, {"every_s": -1.0})
        job_control.settle(session, "redmine", ["too short"])
    with database.read() as session:
        found = job_control.states(session)[0]
        assert (found.interval_s, found.wanted, found.refusal) == (30.0, None, "too short")


def test_changes_that_wait_add_up_and_each_is_in_the_audit(database: Database) -> None:
    with database.write() as session:
        job_control.want(session, "redmine", BOSS, {"every_s": 30.0})
        job_control.want(session, "redmine", Actor("ann"), {"options": {"batch": 50, "overlap_s": 60.0}})
        job_control.want(session, "redmine", BOSS, {"options": {"overlap_s": None}})
        wanted = jobs.state(session, "redmine").wanted or {}
        assert (wanted["every_s"], wanted["options"], wanted["by"]) == (30.0, {"batch": 50}, ["boss", None])
        job_control.settle(session, "redmine", ["", "", ""])
    with database.read() as session:
        assert job_control.overrides(job_control.states(session)[0]) == {
            "every_s": 30,
            "options": {"batch": 50},
        }
        rows = list(reversed(audit.entries(session, 1).rows))
        assert [(row.actor, row.act) for row in rows] == [
            ("boss", "job.set"),
            ("ann", "job.set"),
            ("boss", "job.set"),
        ]
        assert [(row.before, row.after) for row in rows] == [
            ({"every_s": None}, {"every_s": 30.0}),
            ({"options": {}}, {"options": {"batch": 50, "overlap_s": 60.0}}),
            ({"options": {"batch": 50, "overlap_s": 60.0}}, {"options": {"batch": 50}}),
        ]


def test_of_changes_that_wait_only_the_faulty_one_is_dropped(database: Database) -> None:
    with database.write() as session:
        job_control.want(session, "redmine", BOSS, {"every_s": 30.0})
        job_control.want(session, "redmine", BOSS, {"options": {"batch": 0}})
        job_control.settle(session, "redmine", ["", "batch = 0"])
    with database.read() as session:
        found = job_control.states(session)[0]
        assert (found.interval_s, found.options, found.refusal) == (30.0, None, "batch = 0")
        assert [row.act for row in audit.entries(session, 1).rows] == ["job.set"]


def test_a_change_left_by_an_earlier_version_is_judged(database: Database) -> None:
    with database.write() as session:
        found = jobs.state(session, "redmine")
        found.wanted = {"every_s": 30.0, "options": {"batch": 5}, "by": ["boss", None]}
        job_control.settle(session, "redmine", [""])
        assert job_control.overrides(found) == {"every_s": 30.0, "options": {"batch": 5}}


def test_a_run_that_was_asked_for_is_taken_once(database: Database) -> None:
    with database.write() as session:
        job_control.request_run(session, "redmine", BOSS, NOON)
        jobs.state(session, "redmine").retry_at = NOON + HOUR  # a run that was under way has failed
        assert job_control.is_requested(session, "redmine")
        job_control.take_request(session, "redmine")
        assert not job_control.is_requested(session, "redmine")
        assert jobs.retry_at(session, "redmine") is None


def test_every_act_is_in_the_audit_with_what_differs(database: Database) -> None:
    with database.write() as session:
        job_control.pause(session, "redmine", BOSS, NOON, reason="moving")
        job_control.resume(session, "redmine", BOSS)
        job_control.resume(session, "redmine", BOSS)
        job_control.want(session, "erp", BOSS, {"every_s": 60.0})
        job_control.settle(session, "erp", [""])
    with database.read() as session:
        assert [row.act for row in audit.entries(session, 1).rows] == ["job.set", "job.resume", "job.pause"]
        [newest, first] = audit.entries(session, 1, "job:redmine").rows
        assert (newest.actor, newest.before["reason"], newest.after["reason"]) == ("boss", "moving", "")
        assert first.before != first.after
        assert audit.entries(session, 2).rows == ()


def test_a_gap_lasts_until_everything_behind_it_was_read(database: Database) -> None:
    with database.write() as session:
        found = jobs.state(session, "redmine")
        job_gaps.failed(session, found, "away")
        assert job_gaps.latest(session, "redmine", 9) == [], "what never ran has nothing to miss"
        found.last_ok_at, found.failures = NOON, 1
        job_gaps.failed(session, found, "away")
        job_gaps.failed(session, found, "still away")
        job_gaps.answered(session, found, NOON + HOUR, 5.0, is_behind=True, was_behind=False)
    with database.write() as session:
        [gap] = job_gaps.latest(session, "redmine", 9)
        assert (gap.began_at, gap.ended_at, gap.caught_up_at, gap.reason) == (NOON, NOON + HOUR, None, "away")
        found = jobs.state(session, "redmine")
        job_gaps.answered(session, found, NOON + 2 * HOUR, 5.0, is_behind=False, was_behind=True)
    with database.write() as session:
        [gap] = job_gaps.latest(session, "redmine", 9)
        assert (gap.ended_at, gap.caught_up_at) == (NOON + HOUR, NOON + 2 * HOUR)


def test_runs_are_listed_by_status_and_added_up(database: Database) -> None:
    with database.write() as session:
        session.add_all([run(items=3, notified=2), run(status="failed"), run(items=4), run(job="erp")])
    with database.read() as session:
        page = job_history.runs(session, "redmine")
        assert [row.status for row in page.rows] == ["ok", "failed", "ok"]
        assert [row.status for row in job_history.runs(session, "redmine", status="failed").rows] == [
            "failed"
        ]
        assert set(job_history.latest(session)) == {"redmine", "erp"}
        assert job_history.run(session, "erp", page.rows[0].id) is None
        sums = job_history.sums(session, "redmine", NOON + HOUR, 1.0)
        assert (sums.days, sums.failed) == (1.0, 1)
        assert sums == job_history.sums(session, "redmine", NOON + 24 * HOUR, 1.0)
        assert job_history.sums(session, "redmine", NOON + 25 * HOUR, 1.0) == job_history.Sums(1.0)
        assert job_history.sums(session, "redmine", NOON + 25 * HOUR, 0).failed == 1


def test_the_table_shows_each_job_and_the_daemon(database: Database) -> None:
    with database.write() as session:
        assert not job_table.daemon_status(session, NOON).is_running
        assert jobs.acquire_lease(session, "here", NOON, 60)
        jobs.state(session, "redmine").failures = 3
        job_control.pause(session, "erp", BOSS, NOON, reason="moving")
        session.add(run(status="failed", error="away"))
    with database.read() as session:
        found = {row.name: row for row in job_table.rows(session, NOON)}
        assert set(found) == {"redmine", "erp"}
        alone = job_table.row(session, "redmine", NOON)
        assert alone == found["redmine"]
        assert job_table.row(session, "@daemon", NOON) is None
        assert job_table.daemon_status(session, NOON).owner == "here"
        assert isinstance(job_table.as_json(alone), dict)
