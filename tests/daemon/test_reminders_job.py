"""The job that reminds: on the demo Redmine and on the real one, over restarts and failures."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from daemon.clients.settings import RedmineSettings
from daemon.demo.faults import Aim
from daemon.outbox import Outbox
from daemon.pipeline import Job, run_job
from daemon.sources import redmine_reminders
from daemon.values import JobResult
from storage import due, jobs, users
from storage.models import Delivery
from storage.preferences import Mail, Preferences, Reminders, kept
from storage.reference import memberships
from storage.session import Database
from tests.daemon.conftest import OWNER, Engine
from tests.daemon.deeds import call
from tests.redmines import RedmineUnderTest

NOON = datetime(2031, 3, 3, 12, 0, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)
LATER = {"days_before": {0, 1, 3, 7}, "overdue": "once"}


class Alarm:
    """The job with a clock of its own."""

    def __init__(self, engine: Engine, **options: Any) -> None:
        self.engine = engine
        self.now = NOON
        self._options = redmine_reminders.Options(**options)
        self.outbox = Outbox(frozenset({"email"}))
        self.source = self._source(engine.settings)

    def _source(self, settings: RedmineSettings) -> redmine_reminders.Source:
        return redmine_reminders.Source(settings, self._options, now=lambda: self.now)

    def restart(self) -> None:
        """Forget everything but the database."""
        self.source.close()
        self.source = self._source(self.engine.settings)

    def run(self, status: str = "ok") -> JobResult:
        """Look once."""
        job = Job("reminders", self.source, 300.0, 60.0, self.outbox)
        result = run_job(job, self.engine.database, OWNER, now=lambda: self.now)
        assert result.status == status, result.error
        return result

    def wait(self, **time: float) -> JobResult:
        """Let time pass and look."""
        self.now += timedelta(**time)
        return self.run()

    def told(self, login: str) -> list[str]:
        """Return what somebody was told, oldest first."""
        return [row.title for row in self.engine.inbox(login) if row.type == "reminder"]


@pytest.fixture
def alarm(engine: Engine) -> Iterator[Alarm]:
    """The job after its first run, which reminds of nothing."""
    alarm = Alarm(engine)
    assert alarm.run().notified == 0
    yield alarm
    alarm.source.close()


def wish(database: Database, login: str, time_zone: str = "UTC", **wishes: Any) -> None:
    """Let somebody choose what they are reminded of."""
    given = Preferences(reminders=Reminders(**LATER | wishes))
    with database.write() as session:
        user = users.by_username(session, login)
        assert user is not None
        user.preferences, user.time_zone = kept(given), time_zone


def due_task(engine: Engine, on: datetime, to: str = "bob", **fields: Any) -> int:
    """Make a task that is due and let the poll see it; return its id."""
    kind = "group" if to == "Support team" else "user"
    fields |= {"assigned_to_id": engine.server.id_of(kind, to), "due_date": f"{on:%F}"}
    issue_id = engine.server.create_issue("ann", **fields)
    engine.poll()
    return issue_id


def test_each_threshold_is_told_once(alarm: Alarm) -> None:
    wish(alarm.engine.database, "bob")
    issue_id = due_task(alarm.engine, NOON + 7 * DAY)
    for _ in range(10 * 4):
        alarm.wait(hours=6)
    assert alarm.told("bob") == ["Due in 3 days", "Due tomorrow", "Due today", "Overdue"]
    rows = [row for row in alarm.engine.inbox("bob") if row.type == "reminder"]
    assert {(row.issue_id, tuple(row.reasons), row.actor_id) for row in rows} == {
        (issue_id, ("assignee",), None)
    }
    assert alarm.told("ann") == [], "who made the task is not who must do it"


def test_a_new_date_reminds_anew(alarm: Alarm) -> None:
    engine = alarm.engine
    wish(engine.database, "bob", days_before={1}, overdue="off")
    issue_id = due_task(engine, NOON + 2 * DAY)
    alarm.wait(days=1)
    assert alarm.told("bob") == ["Due tomorrow"]
    engine.server.update_issue(issue_id, "ann", due_date=f"{NOON + 4 * DAY:%F}")
    engine.poll()
    alarm.wait(days=1)
    assert alarm.told("bob") == ["Due tomorrow"]
    alarm.wait(days=1)
    assert alarm.told("bob") == ["Due tomorrow"] * 2


def test_without_a_due_date_nobody_is_reminded(alarm: Alarm) -> None:
    engine = alarm.engine
    wish(engine.database, "bob", overdue="daily")
    issue_id = due_task(engine, NOON + DAY)
    engine.server.update_issue(issue_id, "ann", due_date="")
    engine.poll()
    assert [alarm.wait(days=1).notified for _ in range(9)] == [0] * 9


def test_what_is_closed_or_somebody_elses_by_now_is_not_reminded_of(alarm: Alarm) -> None:
    engine = alarm.engine
    wish(engine.database, "bob")
    wish(engine.database, "hugo")
    closed, handed_on = (due_task(engine, NOON + 2 * DAY) for _ in range(2))
    status = engine.server.id_of("status", "Closed")
    assert engine.server.update_issue(closed, "ann", status_id=status) == 204
    engine.server.update_issue(handed_on, "ann", assigned_to_id=engine.server.id_of("user", "hugo"))
    engine.poll()
    alarm.wait(days=1)
    assert alarm.told("bob") == []
    assert alarm.told("hugo") == ["Due tomorrow"]


def test_everybody_in_a_group_is_reminded_at_their_own_time(alarm: Alarm) -> None:
    engine = alarm.engine
    wish(engine.database, "fred", "Asia/Tokyo")
    wish(engine.database, "gina", "America/New_York")
    due_task(engine, NOON + 2 * DAY, "Support team")
    alarm.wait(hours=12, minutes=1)  # nine o'clock in Tokyo
    assert (len(alarm.told("fred")), len(alarm.told("gina"))) == (1, 0)
    alarm.wait(hours=14)  # nine o'clock in New York, of the same day
    assert (len(alarm.told("fred")), len(alarm.told("gina"))) == (1, 1)
    (row,) = (row for row in engine.inbox("fred") if row.type == "reminder")
    assert row.reasons == ["group_assignee"]


def test_what_redmine_hides_by_now_is_not_reminded_of(alarm: Alarm) -> None:
    engine = alarm.engine
    for login in ("bob", "hugo"):
        wish(engine.database, login)
        due_task(engine, NOON + 2 * DAY, login, project="closed-circle", subject="Secret")
    members = call(engine.server, "admin", "GET", "/projects/closed-circle/memberships.json")["memberships"]
    bob = engine.server.id_of("user", "bob")
    (row,) = (m for m in members if m.get("user", {}).get("id") == bob)
    call(engine.server, "admin", "DELETE", f"/memberships/{row['id']}.json")
    alarm.wait(days=1)
    assert alarm.told("bob") == []
    assert alarm.told("hugo") == ["Due tomorrow"]


def test_the_first_run_and_what_was_due_long_ago_remind_nobody(engine: Engine) -> None:
    wish(engine.database, "bob")
    due_task(engine, NOON - 100 * DAY)
    due_task(engine, NOON + DAY)
    alarm = Alarm(engine)
    assert alarm.run().notified == 0
    assert alarm.wait(minutes=5).notified == 0
    assert alarm.wait(days=1).notified == 1, "on the day"
    alarm.source.close()


def test_what_came_due_while_nobody_looked_is_told_once_with_how_it_is_now(alarm: Alarm) -> None:
    wish(alarm.engine.database, "bob")
    due_task(alarm.engine, NOON + 7 * DAY)
    alarm.restart()
    alarm.wait(days=6)
    alarm.wait(minutes=5)
    assert alarm.told("bob") == ["Due tomorrow"]
    alarm.wait(days=30)
    assert alarm.told("bob") == ["Due tomorrow", "Overdue"]


def test_a_clock_that_is_set_back_reminds_nobody_twice(alarm: Alarm) -> None:
    wish(alarm.engine.database, "bob", days_before={1}, overdue="daily")
    due_task(alarm.engine, NOON + 2 * DAY)
    for change in (DAY, -DAY, DAY, -timedelta(minutes=5), timedelta(minutes=10)):
        alarm.now += change
        alarm.run()
    assert alarm.told("bob") == ["Due tomorrow"]


def test_one_who_is_overdue_daily_is_told_daily(alarm: Alarm) -> None:
    wish(alarm.engine.database, "bob", days_before=set(), overdue="daily")
    due_task(alarm.engine, NOON - 50 * DAY)
    assert [alarm.wait(hours=12).notified for _ in range(6)] == [0, 1] * 3


def test_reminders_go_by_mail_in_the_hours_of_their_reader(alarm: Alarm) -> None:
    engine = alarm.engine
    due_task(engine, NOON + 2 * DAY, "bob")
    given = Preferences(mail=Mail(mode="digest"), reminders=Reminders(**LATER))
    with engine.database.write() as session:
        user = users.by_username(session, "bob")
        assert user is not None
        user.preferences, user.email = kept(given), "bob@example.com"
    alarm.wait(days=1)
    with engine.database.read() as session:
        (sent,) = session.scalars(sa.select(Delivery))
    assert (sent.channel, sent.batch, sent.next_attempt_at) == (
        "email",
        "digest",
        NOON.replace(hour=9) + 2 * DAY,
    )


@pytest.fixture
def demo_alarm(demo_redmine: RedmineUnderTest, make_engine: Callable[..., Engine]) -> Iterator[Alarm]:
    """The job on the demo Redmine, whose faults a test can choose."""
    engine = make_engine(demo_redmine)
    engine.add_user("bob")
    engine.poll()
    wish(engine.database, "bob")
    alarm = Alarm(engine, batch=2)
    alarm.run()
    yield alarm
    alarm.source.close()


def test_while_redmine_is_away_nothing_is_lost_or_told_unconfirmed(demo_alarm: Alarm) -> None:
    alarm = demo_alarm
    for _ in range(5):
        due_task(alarm.engine, NOON + 2 * DAY)
    alarm.now += DAY
    alarm.engine.server.faults.status(500, Aim(times=None))
    alarm.run("failed")
    alarm.engine.server.faults.clear()
    assert alarm.told("bob") == []
    alarm.wait(hours=1)
    assert alarm.told("bob") == ["Due tomorrow"] * 5


def test_a_dead_key_loses_nothing(demo_alarm: Alarm) -> None:
    alarm = demo_alarm
    due_task(alarm.engine, NOON + 2 * DAY)
    key_file = alarm.engine.settings.api_key_file
    assert key_file is not None
    right = key_file.read_text()
    key_file.write_text("0" * 40)
    alarm.restart()
    alarm.now += DAY
    alarm.run("refused")
    key_file.write_text(right)
    alarm.restart()
    alarm.wait(hours=1)
    assert alarm.told("bob") == ["Due tomorrow"]


def test_looks_that_are_always_cut_short_come_to_an_end_and_tell_nobody_twice(demo_alarm: Alarm) -> None:
    """A great many reminders take longer than a run may; what Redmine hides is not asked for each time."""
    alarm = demo_alarm
    for _ in range(5):
        due_task(alarm.engine, NOON + 2 * DAY)
    alarm.now += DAY
    counts = []
    for _ in range(4):
        job = Job("reminders", alarm.source, 300.0, 60.0)
        steps = iter([False, True])
        assert run_job(job, alarm.engine.database, OWNER, stop=lambda s=steps: next(s), now=lambda: alarm.now)
        counts.append(len(alarm.told("bob")))
        alarm.now += timedelta(minutes=5)
    assert counts == [2, 4, 5, 5]
    with alarm.engine.database.read() as session:
        assert set(jobs.cursor(session, "reminders") or {}) == {"looked_at"}


def test_the_rest_of_a_look_that_was_cut_short_days_ago_says_how_it_is_now(demo_alarm: Alarm) -> None:
    alarm = demo_alarm
    for _ in range(3):
        due_task(alarm.engine, NOON + 2 * DAY)
    alarm.now += DAY
    steps = iter([False, True])
    run_job(
        Job("reminders", alarm.source, 300.0, 60.0),
        alarm.engine.database,
        OWNER,
        stop=lambda: next(steps),
        now=lambda: alarm.now,
    )
    assert alarm.told("bob") == ["Due tomorrow"] * 2
    alarm.restart()
    alarm.wait(days=4)
    assert alarm.told("bob") == ["Due tomorrow", "Due tomorrow", "Overdue"]


def test_an_idle_look_asks_redmine_nothing(demo_alarm: Alarm) -> None:
    alarm = demo_alarm
    due_task(alarm.engine, NOON + 2 * DAY)
    assert alarm.wait(minutes=5).requests == 0
    assert alarm.wait(days=1).requests > 0


def test_groups_and_open_tasks_are_read_from_what_the_poll_saw(demo_alarm: Alarm) -> None:
    engine = demo_alarm.engine
    mine = due_task(engine, NOON, "bob")
    team = due_task(engine, NOON + DAY, "Support team")
    fred, group = engine.server.id_of("user", "fred"), engine.server.id_of("group", "Support team")
    with engine.database.read() as session:
        assert memberships(session)[fred] == {group}
        bob = engine.server.id_of("user", "bob")
        for whose, latest, earliest, expected in (
            ({bob, group}, NOON + DAY, None, [mine, team]),
            ({bob, group}, NOON, None, [mine]),
            ({bob, group}, NOON + DAY, NOON + DAY, [team]),
            ({bob}, NOON + DAY, None, [mine]),
            (set(), NOON + DAY, None, []),
        ):
            found = due.tasks(session, whose, latest.date(), earliest.date() if earliest else None)
            assert [row["id"] for row in found] == expected
