"""What is counted to prove that nothing was missed: 0 where all is well, and not 0 where it is not."""

from datetime import timedelta

import pytest

from tests.daemon import deeds
from tests.daemon.conftest import Engine

ON_DEMO = pytest.mark.parametrize("any_redmine", ["demo"], indirect=True)


def make_issue(engine: Engine) -> int:
    return engine.server.create_issue("ann", assigned_to_id=engine.server.id_of("user", "bob"))


def hide_last_note(engine: Engine, issue: int, hours: int) -> None:
    """Let the last note of an issue have come where the poll has passed and looks no more."""
    assert engine.server.demo is not None
    store = engine.server.demo.store
    journal = store.journals[max(store.journals)]
    journal.created_on -= timedelta(hours=hours)
    store.issues[issue].updated_on = journal.created_on


@ON_DEMO
def test_what_no_poll_could_see_is_nothing_missed(engine: Engine) -> None:
    """Relations and deleted files bump no `updated_on`, and deleted issues are in no list."""
    first, second, third = (make_issue(engine) for _ in range(3))
    file = deeds.attach(engine.server, "ann", first, "scan.txt")
    engine.poll()
    engine.settle()
    deeds.relate(engine.server, "ann", first, second)
    deeds.detach(engine.server, "ann", file)
    engine.server.delete_issue(third)
    result = engine.reconcile()
    assert (result.changes, result.journals) == (4, 0)


@ON_DEMO
def test_a_note_that_the_poll_passed_by_is_counted_as_missed(engine: Engine) -> None:
    issue = make_issue(engine)
    engine.poll()
    engine.settle()
    deeds.note(engine.server, "ann", issue, "Nobody saw me")
    hide_last_note(engine, issue, hours=2)
    result = engine.poll()
    assert result.journals == 0, "it is where the poll does not look"
    result = engine.reconcile()
    assert (result.changes, result.journals) == (1, 1)
    assert engine.inbox("bob")[-1].notes == "Nobody saw me"
    assert engine.reconcile().journals == 0, "it is counted once"


@ON_DEMO
def test_an_issue_that_the_poll_passed_by_is_counted_as_missed(engine: Engine) -> None:
    issue = make_issue(engine)
    deeds.backdate(engine.server, issue, hours=2)
    engine.poll()
    engine.settle()
    result = engine.reconcile()
    assert (result.changes, result.journals) == (1, 1)


@ON_DEMO
def test_what_the_poll_has_yet_to_come_to_is_nothing_missed(engine: Engine) -> None:
    issue = make_issue(engine)
    engine.poll()
    engine.settle()
    deeds.note(engine.server, "ann", issue, "Just now")
    assert engine.reconcile().journals == 0
    assert engine.poll().journals == 1


@ON_DEMO
def test_a_late_commit_is_a_hit_of_the_overlap_and_a_reread_is_none(engine: Engine) -> None:
    slow, quick = make_issue(engine), make_issue(engine)
    engine.poll()
    engine.settle()
    assert engine.server.demo is not None
    store = engine.server.demo.store
    begun = store.now()
    engine.passed_s += 60
    deeds.note(engine.server, "ann", quick, "Overtook it")
    assert engine.poll().overlap_hits == 0, "it came in order"
    deeds.note(engine.server, "ann", slow, "Began a minute ago")
    store.issues[slow].updated_on = store.journals[max(store.journals)].created_on = begun
    found = engine.poll(after_s=20)
    assert (found.items, found.changes, found.overlap_hits) == (2, 1, 1), "the other one is read again"
    deeds.note(engine.server, "ann", quick, "In order")
    assert engine.poll().overlap_hits == 0
    again = engine.poll(after_s=5)
    assert (again.items, again.overlap_hits) == (1, 0)
