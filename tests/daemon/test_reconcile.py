"""What `updated_on` never shows, found by the reconcile job on the demo Redmine and on the real one."""

from collections.abc import Sequence

from storage import snapshots
from storage.models import Notification
from tests.daemon import deeds
from tests.daemon.conftest import Engine
from tests.daemon.lockstep import POLL, RECONCILE, Play, Scenario, cases, play


def told(engine: Engine, login: str, issue: int) -> list[Notification]:
    """Return what somebody is shown about an issue, oldest first."""
    return [row for row in engine.inbox(login) if row.issue_id == issue]


def types(engine: Engine, login: str, issue: int) -> list[str]:
    return [row.type for row in told(engine, login, issue)]


def make_issue(engine: Engine, by: str = "ann", to: str = "bob", **fields: object) -> int:
    return engine.server.create_issue(by, assigned_to_id=engine.server.id_of("user", to), **fields)


# --- deleted issues ---------------------------------------------------------------------------------


def a_deleted_issue_is_told_to_those_close_to_it_and_takes_its_past_along(engine: Engine) -> Play:
    issue = make_issue(engine, project="closed-circle", subject="Secret printer")
    yield POLL
    deeds.watch(engine.server, "ann", issue, "hugo")
    deeds.watch(engine.server, "ann", issue, "dora")  # sees her own issues only: never told of this one
    deeds.note(engine.server, "ann", issue, "Look")
    yield POLL
    assert types(engine, "bob", issue) == ["new_issue", "note_added"]
    assert types(engine, "hugo", issue) == ["note_added"]
    engine.server.delete_issue(issue)
    yield RECONCILE
    yield RECONCILE
    for login in ("ann", "bob", "hugo"):
        assert types(engine, login, issue) == ["issue_deleted"], login
    for login in ("carl", "dora", "eve", "iris"):
        assert told(engine, login, issue) == [], login
    [row] = told(engine, "bob", issue)
    assert row.message == f"Issue #{issue} was deleted: Secret printer"
    assert (row.reasons, row.actor_id) == (["assignee"], None)


def a_private_issue_that_was_deleted_is_told_only_to_who_could_see_it(engine: Engine) -> Play:
    issue = make_issue(engine, is_private=True)
    deeds.watch(engine.server, "admin", issue, "carl")
    yield POLL
    engine.server.delete_issue(issue)
    yield RECONCILE
    assert types(engine, "bob", issue) == ["issue_deleted"]
    assert told(engine, "carl", issue) == []


def several_deleted_issues_are_each_told_once_and_their_neighbours_not(engine: Engine) -> Play:
    issues = [make_issue(engine) for _ in range(4)]
    yield POLL
    for issue in (issues[0], issues[2]):
        engine.server.delete_issue(issue)
    yield RECONCILE
    yield RECONCILE
    expected = [["issue_deleted"], ["new_issue"], ["issue_deleted"], ["new_issue"]]
    assert [types(engine, "bob", issue) for issue in issues] == expected


# --- files and relations ----------------------------------------------------------------------------


def a_deleted_file_is_told_by_its_journal_and_only_once(engine: Engine) -> Play:
    issue = make_issue(engine)
    file = deeds.attach(engine.server, "ann", issue, "scan.txt")
    yield POLL
    assert types(engine, "bob", issue) == ["new_issue", "attachment_added"]
    deeds.detach(engine.server, "ann", file)
    yield POLL
    assert len(told(engine, "bob", issue)) == 2, "the poll cannot see it"
    yield RECONCILE
    yield RECONCILE
    assert types(engine, "bob", issue) == ["new_issue", "attachment_added", "updated"]
    removed = told(engine, "bob", issue)[-1]
    assert removed.details == [{"field": "attachment", "label": "", "old": "scan.txt", "new": None}]
    assert told(engine, "ann", issue) == []


def a_relation_is_told_on_both_sides_when_it_comes_and_when_it_goes(engine: Engine) -> Play:
    first, second = make_issue(engine, to="bob"), make_issue(engine, to="carl")
    yield POLL
    relation = deeds.relate(engine.server, "ann", first, second)
    yield RECONCILE
    deeds.unrelate(engine.server, "ann", relation)
    yield RECONCILE
    yield RECONCILE
    for login, mine, other in (("bob", first, second), ("carl", second, first)):
        assert [row.details for row in told(engine, login, mine)[1:]] == [
            [{"field": "relation", "label": "relates", "old": None, "new": f"#{other}"}],
            [{"field": "relation", "label": "relates", "old": f"#{other}", "new": None}],
        ]
    assert told(engine, "ann", first) == []


def a_relation_to_an_issue_that_somebody_may_not_see_is_not_told_to_them(engine: Engine) -> Play:
    public = make_issue(engine, by="carl", to="iris")  # Iris sees all issues, Carl no private ones
    private = make_issue(engine, is_private=True)
    yield POLL
    deeds.relate(engine.server, "ann", public, private)
    yield RECONCILE
    assert told(engine, "iris", public)[-1].details[0]["new"] == f"#{private}"
    assert told(engine, "carl", public) == []


# --- watchers ---------------------------------------------------------------------------------------


def watchers_that_come_and_go_are_learnt_and_tell_nobody(engine: Engine) -> Play:
    issue = make_issue(engine)
    hugo, iris = (engine.server.id_of("user", login) for login in ("hugo", "iris"))
    yield POLL
    deeds.watch(engine.server, "ann", issue, "hugo")
    deeds.watch(engine.server, "ann", issue, "iris")
    yield RECONCILE  # a few people each time
    yield RECONCILE
    assert watchers(engine, issue) == sorted([hugo, iris])
    deeds.unwatch(engine.server, "ann", issue, "hugo")
    yield RECONCILE
    yield RECONCILE
    assert watchers(engine, issue) == [iris]
    assert (told(engine, "hugo", issue), told(engine, "iris", issue)) == ([], [])


def watchers(engine: Engine, issue: int) -> list[int]:
    with engine.database.read() as session:
        found: list[int] = snapshots.load_issues(session, [issue])[issue]["watcher_ids"]
        return found


# --- notes that are edited afterwards ---------------------------------------------------------------


def an_edited_note_corrects_what_was_told_and_makes_no_news(engine: Engine) -> Play:
    issue = make_issue(engine)
    status = engine.server.id_of("status", "In Progress")
    journal = deeds.note(engine.server, "ann", issue, "Password: hunter2", status_id=status)
    yield POLL
    before = told(engine, "bob", issue)[-1]
    deeds.edit_note(engine.server, journal, notes="Password: ask me")
    yield RECONCILE
    after = told(engine, "bob", issue)[-1]
    assert (after.notes, after.id, after.created_at) == ("Password: ask me", before.id, before.created_at)
    assert (after.type, after.old_status, after.new_status) == ("status_change", "New", "In Progress")
    assert after.details == before.details
    assert "hunter2" not in f"{after.message}{after.notes}{after.title}"
    assert len(told(engine, "bob", issue)) == 2


def a_note_made_private_is_taken_back_from_who_may_not_read_it(engine: Engine) -> Play:
    issue = make_issue(engine, by="hugo", to="carl")  # a Reporter reads no private notes, a Confidant does
    journal = deeds.note(engine.server, "ann", issue, "Between us")
    yield POLL
    assert [told(engine, login, issue)[-1].notes for login in ("carl", "hugo")] == ["Between us"] * 2
    deeds.edit_note(engine.server, journal, private_notes=True)
    yield RECONCILE
    assert types(engine, "carl", issue) == ["new_issue"]
    [kept] = told(engine, "hugo", issue)
    assert (kept.notes, kept.is_private_note) == ("Between us", True)


def a_blanked_note_is_withdrawn_or_what_is_left_of_its_journal_is_told(engine: Engine) -> Play:
    issue = make_issue(engine)
    status = engine.server.id_of("status", "In Progress")
    only = deeds.note(engine.server, "ann", issue, "Nothing else")
    with_status = deeds.note(engine.server, "ann", issue, "And this", status_id=status)
    yield POLL
    assert len(told(engine, "bob", issue)) == 3
    for journal in (only, with_status):
        deeds.edit_note(engine.server, journal, notes="")
    yield RECONCILE
    yield RECONCILE
    assert types(engine, "bob", issue) == ["new_issue", "status_change"]
    assert told(engine, "bob", issue)[-1].notes == ""


def a_second_look_at_what_has_not_changed_changes_nothing(engine: Engine) -> Play:
    issue = make_issue(engine)
    deeds.note(engine.server, "ann", issue, "One")
    deeds.attach(engine.server, "ann", issue, "a.txt", notes="Two")
    yield POLL
    before = _content(engine, issue)
    for _ in range(2):
        yield RECONCILE
        assert _content(engine, issue) == before


def _content(engine: Engine, issue: int) -> list[object]:
    rows = told(engine, "bob", issue)
    return [(row.id, row.message, row.details, row.verify_at_show) for row in rows]


def an_issue_made_private_disappears_from_who_may_not_see_it(engine: Engine) -> Play:
    issue = make_issue(engine, by="hugo")
    yield POLL
    deeds.watch(engine.server, "admin", issue, "carl")
    deeds.note(engine.server, "ann", issue, "For all")
    yield POLL
    assert types(engine, "carl", issue) == ["note_added"]
    engine.server.update_issue(issue, "admin", is_private=True)
    yield POLL
    yield RECONCILE
    assert told(engine, "carl", issue) == []
    assert types(engine, "bob", issue) == ["new_issue", "note_added", "updated"]


def an_issue_filed_an_hour_back_when_summer_time_ends_is_news_all_the_same(engine: Engine) -> Play:
    issue = make_issue(engine)
    deeds.backdate(engine.server, issue, hours=1)
    yield POLL
    assert types(engine, "bob", issue) == []
    for _ in range(2):
        yield RECONCILE
        assert types(engine, "bob", issue) == ["new_issue"]


@cases(
    an_issue_filed_an_hour_back_when_summer_time_ends_is_news_all_the_same,
    a_deleted_issue_is_told_to_those_close_to_it_and_takes_its_past_along,
    a_private_issue_that_was_deleted_is_told_only_to_who_could_see_it,
    several_deleted_issues_are_each_told_once_and_their_neighbours_not,
    a_deleted_file_is_told_by_its_journal_and_only_once,
    a_relation_is_told_on_both_sides_when_it_comes_and_when_it_goes,
    a_relation_to_an_issue_that_somebody_may_not_see_is_not_told_to_them,
    watchers_that_come_and_go_are_learnt_and_tell_nobody,
    an_edited_note_corrects_what_was_told_and_makes_no_news,
    a_note_made_private_is_taken_back_from_who_may_not_read_it,
    a_blanked_note_is_withdrawn_or_what_is_left_of_its_journal_is_told,
    a_second_look_at_what_has_not_changed_changes_nothing,
    an_issue_made_private_disappears_from_who_may_not_see_it,
)
def test_what_happens_to_an_issue(engine: Engine, scenarios: Sequence[Scenario]) -> None:
    play(engine, scenarios)
