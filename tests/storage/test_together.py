"""Several processes on one database: nothing doubled, nothing lost, nothing out of order."""

import threading
from collections.abc import Callable
from functools import partial

import pytest

from storage import jobs, live, migrate, notifications
from storage.session import Database, StorageError
from storage.settings import StorageSettings
from tests.storage import workers
from tests.storage.crew import Crew, crew, together
from tests.storage.people import NOON, add_user, notification, record, tell

WRITERS = 4


def tail(is_writing: Callable[[], bool], after: Callable[[int], list[int]]) -> list[int]:
    """Read ids above the last one, again and again, as a viewer does, until the writers have ended."""
    seen: list[int] = []
    is_last = False
    while not is_last:
        is_last = not is_writing()
        seen += after(seen[-1] if seen else 0)
    return seen


def notifications_after(database: Database, last_id: int) -> list[int]:
    with database.read() as session:
        return [row.id for row in notifications.after(session, last_id, 10**6)]


def events_after(database: Database, last_id: int) -> list[int]:
    with database.read() as session:
        return [event.id for event in live.after(session, last_id, 10**6)]


def test_the_same_changes_recorded_by_four_processes_are_stored_once(
    database: Database, settings: StorageSettings, ann: int, bob: int
) -> None:
    keys = [f"redmine:journal:{number}" for number in range(40)]
    calls = [(settings, [ann, bob], keys, seed) for seed in range(WRITERS)]
    assert sum(together(workers.record_keys, *calls)) == 80
    with database.read() as session:
        stored = {(row.change_key, row.user_id) for row in notifications.after(session, 0, 1000)}
    assert len(notifications_after(database, 0)) == 80
    assert stored == {(key, user_id) for key in keys for user_id in (ann, bob)}


def test_a_tail_misses_nothing_that_four_processes_write(
    database: Database, settings: StorageSettings, ann: int
) -> None:
    calls = [(settings, ann, f"w{number}", 60) for number in range(WRITERS)]
    with crew(workers.write_ordered, *calls) as writers:
        seen = tail(lambda: writers.is_working, partial(notifications_after, database))
        writers.results()
    assert seen == notifications_after(database, 0)
    assert len(seen) == WRITERS * 60


@pytest.mark.real
def test_without_the_lock_a_tail_on_postgresql_does_miss_rows(postgres: Database) -> None:
    """The test above can fail: this is it, with the lock taken out."""
    ann = add_user(postgres, "ann")
    for attempt in range(20):
        calls = [(postgres.settings, ann, f"w{attempt}-{number}", 60) for number in range(WRITERS)]
        with crew(workers.write_unordered, *calls) as writers:
            seen = tail(partial(is_working, writers), partial(notifications_after, postgres))
            writers.results()
        if len(seen) < len(notifications_after(postgres, 0)):
            return
    pytest.fail("no row was missed in 20 rounds: the test of the lock proves nothing on this machine")


def is_working(writers: Crew) -> bool:
    return writers.is_working


@pytest.mark.real
@pytest.mark.parametrize("locks", [True, False], ids=["lock", "no-lock"])
def test_a_commit_that_overtakes_hides_a_row_only_where_nobody_locks(
    postgres: Database, monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    """The same, step by step: the second writer commits while the first, with the lower id, does not yet."""
    if not locks:
        monkeypatch.setattr(live, "lock_order", lambda _session: None)
    ann = add_user(postgres, "ann")
    second = threading.Thread(target=record, args=(postgres, notification(ann, "second")))
    with postgres.write() as session:
        notifications.record(session, [notification(ann, "first")])
        second.start()
        if not locks:
            second.join(10)
        seen_meanwhile = notifications_after(postgres, 0)
    second.join(10)
    missed = [
        i
        for i in notifications_after(postgres, 0)
        if i < max(seen_meanwhile, default=0) and i not in seen_meanwhile
    ]
    assert len(notifications_after(postgres, 0)) == 2
    assert len(missed) == (0 if locks else 1)


def test_a_tail_misses_no_live_event(database: Database, settings: StorageSettings, ann: int) -> None:
    with crew(workers.publish, *[(settings, ann, 50)] * WRITERS) as writers:
        seen = tail(lambda: writers.is_working, partial(events_after, database))
        writers.results()
    assert seen == events_after(database, 0)
    assert len(seen) == WRITERS * 50


@pytest.mark.real
def test_a_daemon_and_a_viewer_that_write_the_same_rows_do_not_lock_each_other_up(postgres: Database) -> None:
    """Each holds a row the other wants: an order of locking that differs ends in a deadlock."""
    ann = add_user(postgres, "ann")
    ids = tell(postgres, ann, 20)
    faults: list[StorageError] = []

    def repeat(write: Callable[[], None]) -> None:
        try:
            for _ in range(25):
                write()
        except StorageError as e:
            faults.append(e)

    def correct() -> None:
        with postgres.write() as session:
            notifications.amend(session, ids[-1], {"title": "x"})
            notifications.ask_again(session, [7])
            notifications.record(session, [notification(ann, "again")])
            notifications.withdraw(session, ids[:1], NOON)

    def read() -> None:
        with postgres.write() as session:
            notifications.mark_read(session, ann, NOON)
            notifications.verified(session, ids)

    threads = [threading.Thread(target=repeat, args=(write,)) for write in (correct, read, correct, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []


def test_processes_that_read_and_then_write_lose_no_update(sqlite: Database) -> None:
    together(workers.count_up, *[(sqlite.settings, "counter", 80)] * 3)
    with sqlite.read() as session:
        assert jobs.state(session, "counter").failures == 240


def test_a_sqlite_writer_waits_before_its_first_read(sqlite: Database) -> None:
    impatient = Database(sqlite.settings.model_copy(update={"busy_timeout_s": 0.05}))
    with sqlite.write() as session:
        jobs.state(session, "counter")
        with pytest.raises(StorageError, match="locked"), impatient.write():
            pytest.fail("a second writer got in and may have read what is about to change")
    impatient.dispose()


def test_of_six_processes_exactly_one_gets_each_lease(database: Database, settings: StorageSettings) -> None:
    won = together(workers.take_lease, *[(settings, f"daemon-{number}", 5) for number in range(6)])
    assert [sum(results) for results in zip(*won, strict=True)] == [1] * 5


def test_two_upgrades_at_once_make_one_schema(empty_settings: StorageSettings) -> None:
    results = together(workers.upgrade, (empty_settings,), (empty_settings,), (empty_settings,))
    assert {after for _, after in results} == {migrate.head()}
    with workers.opened(empty_settings) as database:
        migrate.require_current(database)
