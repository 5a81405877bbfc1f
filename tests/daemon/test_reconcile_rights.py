"""The reconcile job where rights, accounts and projects change, and beside the first run."""

import time
from collections.abc import Callable, Sequence

import pytest

from storage import snapshots, users
from tests.daemon import deeds
from tests.daemon.conftest import Engine
from tests.daemon.lockstep import POLL, RECONCILE, Play, Scenario, cases, play
from tests.daemon.test_reconcile import make_issue, told, types
from tests.redmines import RedmineUnderTest

pytestmark = pytest.mark.long

# --- rights -----------------------------------------------------------------------------------------


def who_leaves_a_project_loses_what_was_told_of_it_and_hears_no_more(engine: Engine) -> Play:
    issue, other = make_issue(engine, project="closed-circle"), make_issue(engine, project="open")
    yield POLL
    assert types(engine, "bob", issue) == ["new_issue"]
    deeds.end_membership(engine.server, "closed-circle", "bob")
    yield RECONCILE
    assert (told(engine, "bob", issue), types(engine, "bob", other)) == ([], ["new_issue"])
    deeds.note(engine.server, "ann", issue, "Not for Bob")
    yield POLL
    assert told(engine, "bob", issue) == []


def a_locked_account_is_shown_and_told_nothing(engine: Engine) -> Play:
    issue = make_issue(engine, by="hugo", to="carl")
    yield POLL
    assert types(engine, "carl", issue) == ["new_issue"]
    deeds.set_user(engine.server, "carl", status=3)
    deeds.note(engine.server, "ann", issue, "Without Carl")
    yield POLL
    yield RECONCILE
    assert told(engine, "carl", issue) == []
    assert [row.notes for row in told(engine, "hugo", issue)] == ["Without Carl"]


def a_renamed_account_keeps_its_inbox_and_is_told_on(engine: Engine) -> Play:
    issue = make_issue(engine, to="iris")
    yield POLL
    assert types(engine, "iris", issue) == ["new_issue"]
    deeds.set_user(engine.server, "iris", login="margarita")
    deeds.note(engine.server, "ann", issue, "Before anybody noticed")
    yield POLL
    yield RECONCILE
    deeds.note(engine.server, "ann", issue, "After the correction")
    yield POLL
    assert types(engine, "iris", issue) == ["new_issue", "note_added", "note_added"]
    with engine.database.read() as session:
        assert users.by_username(session, "iris").redmine_login == "margarita"


def a_renamed_project_is_no_news_and_has_its_new_name_from_then_on(engine: Engine) -> Play:
    issue = make_issue(engine)
    yield POLL
    deeds.set_project(engine.server, "open", name="Opened project")
    yield RECONCILE
    assert types(engine, "bob", issue) == ["new_issue"]
    with engine.database.read() as session:
        assert snapshots.load_issues(session, [issue])[issue]["project_name"] == "Opened project"
    deeds.note(engine.server, "ann", issue, "x")
    yield POLL
    assert told(engine, "bob", issue)[-1].project_name == "Opened project"


@cases(
    who_leaves_a_project_loses_what_was_told_of_it_and_hears_no_more,
    a_locked_account_is_shown_and_told_nothing,
    a_renamed_account_keeps_its_inbox_and_is_told_on,
    a_renamed_project_is_no_news_and_has_its_new_name_from_then_on,
)
def test_rights_and_names_that_change(engine: Engine, scenarios: Sequence[Scenario]) -> None:
    play(engine, scenarios)


def test_an_archived_project_is_hidden_not_deleted_and_comes_back_quietly(engine: Engine) -> None:
    issue = make_issue(engine, project="closed-circle")
    engine.poll()
    engine.settle()
    deeds.set_project(engine.server, "closed-circle", status=deeds.ARCHIVED)
    engine.reconcile()
    engine.reconcile()
    assert told(engine, "bob", issue) == []
    deeds.set_project(engine.server, "closed-circle", status=deeds.ACTIVE)
    engine.reconcile()
    engine.settle()
    assert [engine.inbox(login) for login in ("ann", "bob")] == [[], []]
    deeds.note(engine.server, "ann", issue, "Back again")
    engine.poll()
    assert [row.notes for row in told(engine, "bob", issue)] == ["Back again"]


# --- beside the first run ---------------------------------------------------------------------------


def test_a_project_that_was_archived_at_the_first_run_comes_back_without_its_old_news(
    any_redmine: RedmineUnderTest, fresh_engine: Callable[..., Engine]
) -> None:
    bob = any_redmine.id_of("user", "bob")
    issue = any_redmine.create_issue("ann", project="closed-circle", assigned_to_id=bob)
    deeds.note(any_redmine, "ann", issue, "Long ago")
    deeds.set_project(any_redmine, "closed-circle", status=deeds.ARCHIVED)
    any_redmine.create_issue("ann")
    fresh = fresh_engine()
    fresh.poll()
    fresh.settle()
    later = make_issue(fresh)
    fresh.poll()
    fresh.settle()
    deeds.set_project(any_redmine, "closed-circle", status=deeds.ACTIVE)
    fresh.reconcile()
    fresh.settle()
    assert [row.issue_id for row in fresh.inbox("bob")] == [later]
    deeds.note(any_redmine, "ann", issue, "News")
    fresh.poll()
    assert [row.notes for row in told(fresh, "bob", issue)] == ["News"]


def test_relations_and_deleted_files_older_than_the_first_run_are_not_told(
    any_redmine: RedmineUnderTest, fresh_engine: Callable[..., Engine]
) -> None:
    """They bump no `updated_on`: their journals are younger than it. One daemon reads the issues whole at
    its first run, because they were updated within its overlap, the other finds them in the list only."""
    bob = any_redmine.id_of("user", "bob")
    first, second = (any_redmine.create_issue("ann", assigned_to_id=bob) for _ in range(2))
    file = deeds.attach(any_redmine, "ann", first, "scan.txt")
    deeds.detach(any_redmine, "ann", file)
    deeds.unrelate(any_redmine, "ann", deeds.relate(any_redmine, "ann", first, second))
    deeds.relate(any_redmine, "ann", first, second)
    until = time.time() + 2.1  # Redmine's clock cannot be moved
    while time.time() < until:
        time.sleep(0.05)
    any_redmine.create_issue("ann")
    daemons = [fresh_engine(overlap_s=overlap_s) for overlap_s in (90.0, 0.5)]
    for fresh in daemons:
        fresh.poll()
    deeds.note(any_redmine, "ann", first, "After the first run")
    for fresh in daemons:
        fresh.poll()
        fresh.settle()
        fresh.reconcile()
        assert [row.notes for row in fresh.inbox("bob")] == ["After the first run"], fresh.overlap_s


def test_before_the_first_run_is_over_nothing_is_reconciled(fresh_engine: Callable[..., Engine]) -> None:
    result = fresh_engine().reconcile()
    assert (result.status, result.requests, result.items) == ("ok", 0, 0)


def test_what_is_younger_than_the_overlap_is_left_to_the_poll(engine: Engine) -> None:
    engine.settle()
    bob = engine.server.id_of("user", "bob")
    issue = engine.server.create_issue("ann", assigned_to_id=bob)
    engine.reconcile()
    assert told(engine, "bob", issue) == []
    engine.poll()
    assert types(engine, "bob", issue) == ["new_issue"]


def test_a_restarted_daemon_corrects_with_names_too(
    engine: Engine, restart: Callable[[Engine], Engine]
) -> None:
    """Its book of names is empty then."""
    issue = make_issue(engine)
    status, back = (engine.server.id_of("status", name) for name in ("In Progress", "New"))
    high, normal = (engine.server.id_of("priority", name) for name in ("High", "Normal"))
    journal = deeds.note(engine.server, "ann", issue, "one", status_id=status, priority_id=high)
    deeds.note(engine.server, "ann", issue, "two", status_id=back, priority_id=normal)
    engine.poll()
    engine.settle()
    before = told(engine, "bob", issue)[1]
    deeds.edit_note(engine.server, journal, notes="edited")
    restart(engine).reconcile()
    after = told(engine, "bob", issue)[1]
    assert after.notes == "edited"
    assert (
        after.details
        == before.details
        == [
            {"field": "status", "label": "", "old": "New", "new": "In Progress"},
            {"field": "priority", "label": "", "old": "Normal", "new": "High"},
        ]
    )
