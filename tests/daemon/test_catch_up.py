"""A daemon that was away, is interrupted, or works beside the reconcile job: everything, and once."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from daemon.demo.faults import Aim
from daemon.pipeline import Job, run_job
from daemon.sources import redmine
from storage import jobs, notifications
from tests.daemon import deeds
from tests.daemon.conftest import OWNER, Engine
from tests.redmines import RedmineUnderTest

pytestmark = pytest.mark.long

ON_DEMO = pytest.mark.parametrize("any_redmine", ["demo"], indirect=True)


def told(engine: Engine, login: str) -> list[tuple[str, int | None, str]]:
    return [(row.type, row.issue_id, row.notes) for row in engine.inbox(login)]


def keys(engine: Engine) -> Counter[tuple[str, int]]:
    with engine.database.read() as session:
        return Counter((row.change_key, row.user_id) for row in notifications.after(session, 0, 10_000))


def in_batches(engine: Engine, size: int) -> Job:
    """Return the poll with so many issues a step."""
    options = redmine.Options(overlap_s=engine.overlap_s, batch=size)
    source = redmine.Source(engine.settings, options, epoch=engine.poll_job.source._epoch)  # type: ignore[attr-defined]
    return Job("redmine", source, 1.0, 120.0)


def test_what_happened_while_the_daemon_was_down_is_told_when_it_is_back(
    engine: Engine, restart: Callable[[Engine], Engine]
) -> None:
    server = engine.server
    bob = server.id_of("user", "bob")
    known = server.create_issue("ann", assigned_to_id=bob)
    engine.poll()
    engine.settle()
    new = server.create_issue("ann", assigned_to_id=bob)
    carl = server.id_of("user", "carl")
    server.update_issue(new, "ann", assigned_to_id=carl, notes="To Carl")
    deeds.note(server, "ann", known, "First")
    deeds.note(server, "bob", known, "Second, by Bob himself")
    back = restart(engine)
    back.poll(after_s=3600)
    back.settle()
    assert sorted(told(back, "bob"), key=str) == sorted(
        [
            ("new_issue", known, ""),
            ("new_issue", new, ""),
            ("assigned", new, "To Carl"),
            ("note_added", known, "First"),
        ],
        key=str,
    )
    assert told(back, "carl") == [("assigned", new, "To Carl")]
    assert told(back, "ann") == [("note_added", known, "Second, by Bob himself")]
    assert [row.reasons for row in back.inbox("bob") if row.type == "assigned"] == [["previous_assignee"]]


def test_a_catch_up_interrupted_after_each_step_is_resumed_where_it_stood(
    engine: Engine, restart: Callable[[Engine], Engine]
) -> None:
    server = engine.server
    bob = server.id_of("user", "bob")
    made = []
    for number in range(5):
        made.append(server.create_issue("ann", assigned_to_id=bob))
        deeds.note(server, "ann", made[-1], f"Note {number}")
    steps = 0
    while True:
        back = restart(engine)
        back.passed_s += 1000
        job = in_batches(back, 2)
        result = run_job(job, back.database, OWNER, stop=lambda: True)
        job.source.close()
        assert result.status == "ok"
        if not result.changes:
            break
        steps += 1
    assert steps >= 3
    assert sorted(told(engine, "bob"), key=str) == sorted(
        [("new_issue", issue, "") for issue in made]
        + [("note_added", issue, f"Note {number}") for number, issue in enumerate(made)],
        key=str,
    )
    last = restart(engine)
    last.poll()
    last.settle()
    assert len(engine.inbox("bob")) == 10
    with engine.database.read() as session:
        assert (jobs.cursor(session, "redmine") or {})["since"] is None


def test_a_first_run_interrupted_after_each_page_is_resumed_and_tells_nobody(
    any_redmine: RedmineUnderTest, fresh_engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redmine, "PAGE", 2)
    bob = any_redmine.id_of("user", "bob")
    old = [any_redmine.create_issue("ann", assigned_to_id=bob) for _ in range(5)]
    engine = fresh_engine()
    for number in range(3):
        asked = iter([False])  # to stop: not at once, but then
        result = run_job(engine.poll_job, engine.database, OWNER, stop=lambda asked=asked: next(asked, True))  # type: ignore[misc]
        assert result.items == (1 if number == 2 else 2)
    engine.end_second()
    deeds.note(any_redmine, "ann", old[0], "News")
    new = any_redmine.create_issue("ann", assigned_to_id=bob)
    engine.poll()
    assert sorted(told(engine, "bob")) == [("new_issue", new, ""), ("note_added", old[0], "News")]


def test_poll_and_reconcile_at_the_same_time_tell_everything_once(engine: Engine) -> None:
    """Their steps overlap as they like: the unique key and the journals seen keep them apart."""
    server = engine.server
    bob = server.id_of("user", "bob")
    issues = [server.create_issue("ann", assigned_to_id=bob) for _ in range(3)]
    engine.poll()
    engine.settle()
    written: list[str] = []
    faults: list[str] = []
    is_over = threading.Event()

    def work(job: Job) -> None:
        while not is_over.is_set():
            engine.passed_s += 1
            result = run_job(job, engine.database, OWNER)
            if result.status != "ok":
                faults.append(result.error)

    threads = [threading.Thread(target=work, args=(j,)) for j in (engine.poll_job, engine.reconcile_job)]
    for thread in threads:
        thread.start()
    for number in range(9):
        written.append(f"Note {number}")
        deeds.note(server, "ann", issues[number % 3], written[-1])
        if number in {3, 6}:
            deeds.relate(server, "ann", issues[0], issues[number // 3])
    is_over.set()
    for thread in threads:
        thread.join(60)
    assert faults == []
    engine.end_second()
    engine.poll()
    engine.settle()
    for _ in range(2):
        engine.reconcile()
    engine.poll()
    notes = [row.notes for row in engine.inbox("bob") if row.notes]
    assert sorted(notes) == sorted(written)
    relations = [row.details[0]["new"] for row in engine.inbox("bob") if row.type == "updated"]
    assert sorted(relations) == sorted([f"#{issues[n]}" for n in (1, 2)] + [f"#{issues[0]}"] * 2)
    assert max(keys(engine).values()) == 1


# --- on the demo: what takes orders for trouble -----------------------------------------------------


@ON_DEMO
def test_a_sick_issue_is_told_of_when_it_is_well_again_and_holds_up_nobody(engine: Engine) -> None:
    server = engine.server
    bob = server.id_of("user", "bob")
    sick = server.create_issue("ann", assigned_to_id=bob)
    server.faults.status(500, Aim(path=f"/issues/{sick}.json", times=None))
    expected = []
    for _ in range(3):  # alone at first, and it stays sick
        engine.passed_s += 500
        result = run_job(engine.poll_job, engine.database, OWNER)
        assert (result.status, told(engine, "bob")) == ("partial", expected)
        assert f"/issues/{sick}.json" in result.error
        well = server.create_issue("ann", assigned_to_id=bob)
        expected.append(("new_issue", well, ""))
        engine.passed_s += 5
        assert run_job(engine.poll_job, engine.database, OWNER).status in {"ok", "partial"}
        assert told(engine, "bob") == expected
    server.faults.clear()
    engine.settle()
    assert told(engine, "bob") == [*expected, ("new_issue", sick, "")]


@ON_DEMO
def test_a_redmine_that_starts_empty_has_no_past(
    any_redmine: RedmineUnderTest, fresh_engine: Callable[..., Engine]
) -> None:
    engine = fresh_engine()
    engine.poll()
    bob = engine.server.id_of("user", "bob")
    first = engine.server.create_issue("ann", assigned_to_id=bob)
    engine.poll()
    assert told(engine, "bob") == [("new_issue", first, "")]


@ON_DEMO
def test_five_hundred_issues_of_one_second_are_all_told(engine: Engine) -> None:
    """A bulk edit: pages by value alone would never get past it."""
    server = engine.server
    bob = server.id_of("user", "bob")
    issues = [server.create_issue("ann", assigned_to_id=bob) for _ in range(3)]
    engine.poll()
    engine.settle()
    store = server.demo.store
    second = store.now().replace(microsecond=0)
    for number in range(500):
        at = second.replace(microsecond=number * 1000)
        copy = replace(store.issues[issues[0]], id=store.ids.next("issues"), created_on=at, updated_on=at)
        store.put_issue(copy)
    engine.poll()
    assert len(engine.inbox("bob")) == 503
    engine.settle()
    assert len(engine.inbox("bob")) == 503


@ON_DEMO
def test_a_commit_that_comes_late_is_found_within_the_overlap(engine: Engine) -> None:
    """`updated_on` is taken when a transaction begins to write: another may overtake it."""
    server = engine.server
    bob = server.id_of("user", "bob")
    slow, quick = (server.create_issue("ann", assigned_to_id=bob) for _ in range(2))
    engine.poll()
    engine.settle()
    begun = server.demo.store.now()
    engine.passed_s += 60
    deeds.note(server, "ann", quick, "Overtook it")
    engine.poll()
    deeds.note(server, "ann", slow, "Began a minute ago")
    server.demo.store.issues[slow].updated_on = begun
    server.demo.store.journals[max(server.demo.store.journals)].created_on = begun
    engine.poll(after_s=20)
    assert [row.notes for row in engine.inbox("bob") if row.notes] == ["Overtook it", "Began a minute ago"]
