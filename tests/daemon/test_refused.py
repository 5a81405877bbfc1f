"""A service key that is dead, is no administrator's, or is ignored: nothing is believed, nothing lost.

None of these looks like an error: Redmine answers lists with what anybody, or that user, may see.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from daemon.pipeline import Job, run_job
from daemon.values import JobResult
from storage import jobs
from storage.columns import utc_now
from tests.daemon import deeds
from tests.daemon.conftest import OWNER, Engine
from tests.redmines import RedmineUnderTest

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Trouble:
    """Something an administrator of Redmine does, and undoes."""

    name: str
    cause: Callable[[RedmineUnderTest], None]
    repair: Callable[[RedmineUnderTest], None]
    says: str

    def __str__(self) -> str:
        return self.name


DEAD_KEY = Trouble(
    "dead-key",
    lambda redmine: deeds.revoke_key(redmine, "admin"),
    lambda redmine: deeds.restore_key(redmine, "admin"),
    "Redmine does not accept the key (401). Check api_key_env or api_key_file",
)
NO_ADMIN = Trouble(
    "not-an-administrator",
    lambda redmine: deeds.set_user(redmine, "admin", admin=False),
    lambda redmine: deeds.set_user(redmine, "admin", admin=True),
    "belongs to admin, who is not an administrator: put the API key of an administrator there",
)
REST_OFF = Trouble(
    "rest-off",
    lambda redmine: deeds.set_rest(redmine, is_on=False),
    lambda redmine: deeds.set_rest(redmine, is_on=True),
    "REST",
)


def later(job: Job, engine: Engine, hours: int = 1) -> JobResult:
    """Run a job as if it were later: whatever it was to wait for is over."""
    return run_job(job, engine.database, OWNER, now=lambda: utc_now() + timedelta(hours=hours))


def cursor(engine: Engine) -> object:
    with engine.database.read() as session:
        return jobs.cursor(session, "redmine")


@pytest.mark.parametrize("trouble", [DEAD_KEY, NO_ADMIN, REST_OFF], ids=str)
def test_while_the_key_is_refused_the_cursor_stands_and_afterwards_everything_is_told(
    engine: Engine, trouble: Trouble
) -> None:
    server = engine.server
    bob, hugo = (server.id_of("user", login) for login in ("bob", "hugo"))
    secret = server.create_issue("ann", project="closed-circle", assigned_to_id=bob)
    public = server.create_issue("ann", assigned_to_id=hugo)
    engine.poll()
    engine.settle()
    before = cursor(engine)
    deeds.note(server, "ann", secret, "In the closed circle")
    deeds.note(server, "ann", public, "For Hugo alone", private_notes=True)
    new = server.create_issue("ann", project="closed-circle", assigned_to_id=bob)
    trouble.cause(server)
    engine.poll_job.source.key.doubt()  # a minute later
    results = [later(engine.poll_job, engine, hours) for hours in (1, 2)]
    results.append(later(engine.reconcile_job, engine))
    assert {result.status for result in results} == {"refused"}
    assert all(trouble.says in result.error for result in results), results[0].error
    assert cursor(engine) == before
    assert (len(engine.inbox("bob")), len(engine.inbox("hugo"))) == (1, 1)
    trouble.repair(server)
    assert later(engine.poll_job, engine, 3).status == "ok"
    assert [(row.type, row.issue_id, row.notes) for row in engine.inbox("bob")[1:]] == [
        ("note_added", secret, "In the closed circle"),
        ("new_issue", new, ""),
    ]
    assert [row.notes for row in engine.inbox("hugo")[1:]] == ["For Hugo alone"]


@pytest.mark.parametrize("trouble", [DEAD_KEY, NO_ADMIN, REST_OFF], ids=str)
def test_what_was_read_before_the_refusal_was_noticed_is_read_again(engine: Engine, trouble: Trouble) -> None:
    """The key is checked once in a while only: until then the poll takes the public half for all there is."""
    server = engine.server
    hugo, bob = (server.id_of("user", login) for login in ("hugo", "bob"))
    public = server.create_issue("admin", assigned_to_id=hugo)
    secret = server.create_issue("ann", project="closed-circle", assigned_to_id=bob)
    engine.poll()
    engine.settle()
    deeds.note(server, "admin", public, "For Hugo alone", private_notes=True)
    deeds.note(server, "ann", secret, "In the closed circle")
    server.create_issue("admin")  # moves the cursor on, and concerns none of our users
    trouble.cause(server)
    assert later(engine.poll_job, engine).status in {"ok", "refused"}
    assert (len(engine.inbox("bob")), len(engine.inbox("hugo"))) == (1, 1)
    engine.poll_job.source.key.doubt()
    assert later(engine.poll_job, engine, 2).status == "refused"
    trouble.repair(server)
    engine.passed_s += 100
    assert later(engine.poll_job, engine, 3).status == "ok"
    assert [row.notes for row in engine.inbox("hugo")[1:]] == ["For Hugo alone"]
    assert [row.notes for row in engine.inbox("bob")[1:]] == ["In the closed circle"]


# --- the key dies in the middle of a run ------------------------------------------------------------

ON_DEMO = pytest.mark.parametrize("any_redmine", ["demo"], indirect=True)


def when(engine: Engine, job: Job, call: str, number: int, do: Callable[[], None]) -> None:
    """Do something just before the job's client makes a call for the n-th time."""
    client = job.source.client  # type: ignore[attr-defined]
    real, made = getattr(client, call), [0]

    def counting(*args: object, **options: object) -> object:
        made[0] += 1
        if made[0] == number:
            do()
        return real(*args, **options)

    setattr(client, call, counting)


@ON_DEMO
def test_a_first_run_that_loses_its_key_at_once_does_not_take_redmine_for_empty(
    any_redmine: RedmineUnderTest, fresh_engine: Callable[..., Engine]
) -> None:
    """It would tell of every issue there is as soon as the key is back."""
    bob = any_redmine.id_of("user", "bob")
    for _ in range(3):
        any_redmine.create_issue("ann", project="closed-circle", assigned_to_id=bob)
    fresh = fresh_engine()
    when(fresh, fresh.poll_job, "list_issues", 1, lambda: deeds.set_rest(any_redmine, is_on=False))
    assert later(fresh.poll_job, fresh).status == "refused"
    deeds.set_rest(any_redmine, is_on=True)
    later(fresh.poll_job, fresh, 2)
    later(fresh.poll_job, fresh, 3)
    assert fresh.inbox("bob") == []


@ON_DEMO
@pytest.mark.parametrize("number", [1, 2], ids=["before-the-list", "before-the-reads"])
def test_a_catch_up_that_loses_its_key_does_not_move_past_what_it_could_not_see(
    engine: Engine, number: int
) -> None:
    server = engine.server
    hugo, bob = (server.id_of("user", login) for login in ("hugo", "bob"))
    public = server.create_issue("admin", assigned_to_id=hugo)
    secret = server.create_issue("ann", project="closed-circle", assigned_to_id=bob)
    engine.poll()
    engine.settle()
    deeds.note(server, "admin", public, "For Hugo alone", private_notes=True)
    deeds.note(server, "ann", secret, "In the closed circle")
    engine.passed_s += 1000  # the daemon is down, Redmine is not
    other = server.create_issue("admin")
    engine.passed_s += 1000
    deeds.note(server, "admin", other, "Concerns nobody")
    call = "list_issues" if number == 1 else "issue"
    when(engine, engine.poll_job, call, 1, lambda: deeds.set_rest(server, is_on=False))
    assert later(engine.poll_job, engine).status == "refused"
    deeds.set_rest(server, is_on=True)
    engine.passed_s += 1000
    for hours in (2, 3):
        assert later(engine.poll_job, engine, hours).status == "ok"
    assert [row.notes for row in engine.inbox("hugo")[1:]] == ["For Hugo alone"]
    assert [row.notes for row in engine.inbox("bob")[1:]] == ["In the closed circle"]


@ON_DEMO
@pytest.mark.parametrize(
    ("call", "number"),
    [("acting_as", 1), ("issue", 1), ("list_issues", 1), ("list_issues", 9), ("list_issues", 10)],
    ids=["rights", "notes", "watchers", "last-watchers", "sweep"],
)
def test_a_reconcile_run_that_loses_its_key_takes_nothing_back(
    engine: Engine, call: str, number: int
) -> None:
    server = engine.server
    bob, hugo = (server.id_of("user", login) for login in ("bob", "hugo"))
    secret = server.create_issue("ann", project="closed-circle", assigned_to_id=bob)
    public = server.create_issue("ann", assigned_to_id=hugo)
    engine.poll()
    deeds.note(server, "ann", secret, "In the closed circle")
    deeds.note(server, "ann", public, "For Hugo alone", private_notes=True)
    engine.poll()
    engine.settle()
    before = {login: [row.id for row in engine.inbox(login)] for login in ("bob", "hugo")}
    when(engine, engine.reconcile_job, call, number, lambda: deeds.set_rest(server, is_on=False))
    result = later(engine.reconcile_job, engine)
    assert result.withdrawn == 0
    deeds.set_rest(server, is_on=True)
    for hours in (2, 3):
        later(engine.reconcile_job, engine, hours)
    engine.poll()
    assert {login: [row.id for row in engine.inbox(login)] for login in ("bob", "hugo")} == before
