"""Failures: pauses that grow, administrators told once, gaps and when they were caught up."""

from datetime import timedelta

import pytest

from daemon import job_trouble
from daemon.clients.errors import SourceUnavailable
from daemon.job_trouble import TYPE
from daemon.outbox import Outbox
from daemon.pipeline import BACKOFF_CEILING_S
from storage import job_gaps, job_history, jobs, users
from storage.columns import utc_now
from storage.models import JobGap, Notification, User
from storage.session import Database
from tests.daemon.outgoing import Office
from tests.daemon.samples import NOON
from tests.daemon.scripted import CHANGED, Bench, play, seen

DOWN = SourceUnavailable("Redmine: connection refused")


@pytest.fixture
def root(bench: Bench) -> int:
    with bench.database.write() as session:
        return users.add(session, User(username="root", role="admin", language="en")).id


def fail(bench: Bench, times: int) -> None:
    """Let that many runs fail, each when it is due."""
    play(bench, *([DOWN] * times))
    for _ in range(times):
        again(bench)
        assert bench.run().status == "failed"


def recover(bench: Bench) -> None:
    again(bench)
    play(bench)
    assert bench.run().status == "ok"


def again(bench: Bench) -> None:
    with bench.database.write() as session:
        jobs.state(session, "redmine").retry_at = None


def told(bench: Bench) -> list[Notification]:
    return [row for row in bench.notifications() if row.type == TYPE]


def gaps(bench: Bench) -> list[JobGap]:
    with bench.database.read() as session:
        return job_gaps.latest(session, "redmine", 10)


def test_administrators_are_told_once_after_five_failures_and_once_of_the_recovery(
    bench: Bench, root: int
) -> None:
    fail(bench, 4)
    assert told(bench) == []
    fail(bench, 8)
    [first] = told(bench)
    assert (first.user_id, first.thread, first.title) == (root, "job:redmine", "Job 'redmine' does not work")
    assert first.message == "It failed 5 times in a row: Redmine: connection refused"
    recover(bench)
    recover(bench)
    [_, second] = told(bench)
    assert second.title == "Job 'redmine' works again"
    fail(bench, 5)
    assert len(told(bench)) == 3


def test_administrators_get_a_mail_of_both_unless_they_chose_otherwise(database: Database) -> None:
    office = Office(database)
    office.user("root", role="admin")
    office.user("silent", role="admin", preferences={"ways": {TYPE: {"email": False}}})
    office.user("ann")
    with database.write() as session:
        assert jobs.acquire_lease(session, "test", office.at, 3600)
    for failures in (5, 0):
        news = job_trouble.News("redmine", failures, "connection refused")
        assert job_trouble.tell(database, "test", news, Outbox(frozenset({"email"})), office.at) == 2
    office.start()
    office.wait(lambda: office.states() == ["sent", "sent"])
    office.stop()
    mails = [(mail.recipient.email, mail.news.type) for [mail] in office.mail.sent]
    assert mails == [("root@example.com", TYPE)] * 2


def test_a_short_trouble_is_told_to_nobody(bench: Bench, root: int) -> None:
    assert root
    fail(bench, 4)
    recover(bench)
    fail(bench, 4)
    recover(bench)
    assert told(bench) == []


def test_it_never_gives_up_and_never_waits_longer_than_the_ceiling(bench: Bench) -> None:
    fail(bench, 30)
    state = bench.state()
    assert state.failures == 30
    assert state.retry_at is not None
    pause = state.retry_at - utc_now()
    assert timedelta(seconds=BACKOFF_CEILING_S * 0.7) < pause <= timedelta(seconds=BACKOFF_CEILING_S * 1.2)
    recover(bench)
    assert bench.state().failures == 0


def test_a_failure_opens_a_gap_that_the_next_success_closes(bench: Bench) -> None:
    recover(bench)
    began = bench.state().last_ok_at
    fail(bench, 3)
    [gap] = gaps(bench)
    assert (gap.began_at, gap.ended_at, gap.reason) == (began, None, "Redmine: connection refused")
    recover(bench)
    [gap] = gaps(bench)
    assert gap.ended_at is not None
    assert gap.caught_up_at == gap.ended_at


def test_a_gap_stays_open_until_the_catch_up_is_over(bench: Bench) -> None:
    recover(bench)
    fail(bench, 1)
    again(bench)
    play(bench, seen(CHANGED, cursor={"since": "2024-01-01T00:00:00+00:00"}))
    bench.run()
    [gap] = gaps(bench)
    assert gap.ended_at is not None
    assert gap.caught_up_at is None
    play(bench, seen(), seen(cursor={"since": None}))
    bench.run()
    [gap] = gaps(bench)
    assert gap.caught_up_at is not None


def test_a_daemon_that_did_not_run_leaves_a_gap(bench: Bench) -> None:
    recover(bench)
    with bench.database.write() as session:
        jobs.state(session, "redmine").last_ok_at = utc_now() - timedelta(hours=2)
    recover(bench)
    [gap] = gaps(bench)
    assert gap.reason == ""
    assert gap.ended_at is not None
    assert gap.caught_up_at is not None
    assert gap.ended_at - gap.began_at > timedelta(hours=1)
    recover(bench)
    assert len(gaps(bench)) == 1


def test_a_first_run_that_fails_has_nothing_to_miss(bench: Bench) -> None:
    fail(bench, 2)
    assert gaps(bench) == []


def test_journals_and_hits_of_the_overlap_are_counted(bench: Bench) -> None:
    play(bench, seen(CHANGED, overlap_hits=1))
    bench.run()
    with bench.database.read() as session:
        sums = job_history.sums(session, "redmine", NOON, 14)
    assert (sums.runs, sums.journals, sums.overlap_hits) == (1, 1, 1)
