"""One run of a job: what it records, how it ends, and when it is tried again."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import structlog
from structlog.testing import capture_logs

from daemon.clients.errors import NotFound, SourceError, SourceRefused, SourceUnavailable, WrongAnswer
from daemon.pipeline import backoff_s
from daemon.values import Addressed, Correction, Person
from storage import jobs, live, notifications, snapshots, users, wakeup
from storage.columns import utc_now
from storage.models import User
from tests.daemon.samples import ANN, BOB, CARL, NOON, change, issue, member
from tests.daemon.scripted import CHANGED, Bench, at_time, play, seen

# --- what is recorded -------------------------------------------------------------------------------


def test_a_change_is_recorded_with_snapshot_journals_cursor_and_run(bench: Bench) -> None:
    play(bench, seen(CHANGED))
    result = bench.run()
    assert (result.status, result.items, result.changes, result.notified, result.requests) == (
        "ok",
        1,
        2,
        3,
        1,
    )
    told = [(row.change_key, row.user_id, row.type) for row in bench.notifications()]
    ids = bench.ids
    assert told == [
        ("redmine:issue:7", ids["carl"], "new_issue"),
        ("redmine:journal:11", ids["ann"], "status_change"),
        ("redmine:journal:11", ids["carl"], "status_change"),
    ]
    with bench.database.read() as session:
        assert snapshots.load_issues(session, [7])[7]["has_journals"]
        assert snapshots.journals_seen(session, [7]) == {7: frozenset({11})}
    assert bench.cursor() == {"step": 1}
    [run] = bench.runs()
    assert (run.status, run.items, run.changes, run.notified, run.requests) == ("ok", 1, 2, 3, 1)
    assert run.finished_at is not None
    assert run.duration_ms is not None


def test_a_quiet_step_stores_and_tells_nobody(bench: Bench) -> None:
    play(bench, seen(CHANGED, quiet=frozenset({7}), listed=(issue(8),), done=2, total=2))
    assert bench.run().notified == 0
    with bench.database.read() as session:
        rows = snapshots.load_issues(session, [7, 8])
    assert (rows[7]["has_journals"], rows[8]["has_journals"]) == (True, False)
    [run] = bench.runs()
    assert (run.items, run.progress_done, run.progress_total) == (2, 2, 2)


def test_a_run_under_way_shows_what_it_has_done_so_far(bench: Bench) -> None:
    shown: list[tuple[object, ...]] = []

    def look() -> None:
        [run] = bench.runs()
        shown.append((run.status, run.items, run.changes, run.notified, run.journals, run.requests))

    play(bench, look, seen(CHANGED), look, seen(issue(8, assigned_to=CARL), overlap_hits=1), look)
    assert bench.run().overlap_hits == 1
    assert shown == [
        ("running", 0, 0, 0, 0, 0),
        ("running", 1, 2, 3, 1, 1),
        ("running", 2, 3, 4, 1, 2),
    ]


def test_the_same_step_again_tells_nothing_twice(bench: Bench) -> None:
    play(bench, seen(CHANGED))
    bench.run()
    with bench.database.write() as session:
        jobs.save_cursor(session, "redmine", {"step": 0})
        snapshots.remove_issues(session, [7])  # even where it is news to the diff
    assert bench.run().notified == 0
    assert len(bench.notifications()) == 3


def test_the_viewer_is_woken_after_the_commit_and_only_for_news(bench: Bench) -> None:
    listener = wakeup.listen(bench.database)
    play(bench, seen(CHANGED), seen(CHANGED))
    bench.run()
    assert listener.wait(0)
    play(bench, seen(issue(8), quiet=frozenset({8})))
    bench.run()
    assert not listener.wait(0)
    listener.close()


def test_who_the_source_does_not_show_it_to_is_not_told(bench: Bench) -> None:
    source = play(bench, seen(CHANGED))
    source.shown_of = lambda addressed: [a for a in addressed if a.member.login == "carl"]
    bench.run()
    assert {row.user_id for row in bench.notifications()} == {bench.ids["carl"]}


def test_each_reader_has_the_words_of_their_language(bench: Bench) -> None:
    play(bench, seen(issue(7, author=CARL, assigned_to=BOB, watchers=(ANN,))))
    bench.run()
    assert {row.user_id: row.title for row in bench.notifications()} == {
        bench.ids["ann"]: "New issue",
        bench.ids["bob"]: "Новая задача",
    }


def test_only_active_people_with_an_account_are_told(bench: Bench) -> None:
    with bench.database.write() as session:
        users.add(session, User(username="local", id_redmine_user=CARL.id))
        users.add(session, User(username="unlinked", redmine_login="x"))
        session.execute(sa.update(User).where(User.username == "ann").values(is_active=False))
    play(bench, seen(CHANGED))
    bench.run()
    assert {row.user_id for row in bench.notifications()} == {bench.ids["carl"]}


def test_what_a_second_look_found_is_corrected_in_one_go(bench: Bench) -> None:
    play(bench, seen(CHANGED), seen(issue(8, assigned_to=CARL)))
    bench.run()
    new, to_ann, to_carl, _ = bench.notifications()
    edited = Addressed(
        change(key="redmine:journal:11", notes="edited", type="note_added"),
        member(CARL, "carl"),
        ("assignee",),
    )
    edited = Addressed(edited.change, edited.member.__class__(bench.ids["carl"], CARL.id, "carl", "en"), ())
    correction = Correction(
        gone=frozenset({new.id, to_ann.id}),
        amended={to_carl.id: edited},
        ask_again=frozenset({8}),
        hidden=frozenset({8}),
        watched={BOB.id: frozenset({7})},
    )
    listener = wakeup.listen(bench.database)
    play(bench, lambda: None, lambda: None, seen(correction=correction))
    assert bench.run().withdrawn == 2
    assert listener.wait(0)
    listener.close()
    rows = bench.notifications()
    assert [row.withdrawn_at is not None for row in rows] == [True, True, False, False]
    assert (rows[2].notes, rows[2].reasons, rows[2].created_at) == (
        "edited",
        ["assignee"],
        to_carl.created_at,
    )
    assert [row.verify_at_show for row in rows] == [False, False, False, True]
    with bench.database.read() as session:
        stored = snapshots.load_issues(session, [7, 8])
        told = {(event.user_id, event.event) for event in live.after(session, 0, 10)}
    assert (stored[7]["watcher_ids"], stored[8]["is_hidden"]) == ([BOB.id], True)
    assert told == {
        (bench.ids["ann"], notifications.WITHDRAWN_EVENT),
        (bench.ids["carl"], notifications.WITHDRAWN_EVENT),
        (bench.ids["carl"], notifications.UPDATED_EVENT),
    }


def test_what_is_gone_is_forgotten_and_told(bench: Bench) -> None:
    play(bench, seen(CHANGED))
    bench.run()
    play(bench, lambda: None, seen(removed=frozenset({7, 99})))
    bench.run()
    assert [row.change_key for row in bench.notifications()][3:] == ["redmine:deleted:7"] * 2
    with bench.database.read() as session:
        assert snapshots.load_issues(session, [7]) == {}
        assert snapshots.journals_seen(session, [7]) == {7: frozenset()}


# --- an idle run ------------------------------------------------------------------------------------


def test_an_idle_run_is_two_short_writes(bench: Bench) -> None:
    play(bench)
    bench.run()  # the first one makes the job's row, too
    play(bench)
    begun: list[str] = []
    sa.event.listen(
        bench.database.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_: begun.append(statement.split()[0]),
    )
    with capture_logs() as lines:
        result = bench.run()
    assert (result.status, result.changes) == ("ok", 0)
    assert begun.count("BEGIN") == 2
    assert len(begun) <= 14
    assert [run.status for run in bench.runs()] == ["ok", "ok"]
    assert [(line["event"], line["log_level"]) for line in lines] == [("job_finished", "debug")]


# --- how a run ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SourceUnavailable("/issues.json: status 500."), "failed"),
        (WrongAnswer("/issues.json: half a body"), "failed"),
        (NotFound("/x.json: gone"), "failed"),
        (SourceRefused("/users/current.json: 401", status=401), "refused"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, SourceError) else "",
)
def test_an_error_ends_the_run_and_every_step_before_it_stands(
    bench: Bench, error: SourceError, status: str
) -> None:
    play(bench, seen(CHANGED), error, seen(issue(8, assigned_to=CARL)))
    with capture_logs() as lines:
        result = bench.run()
    assert (result.status, result.error, result.notified) == (status, str(error), 3)
    assert bench.cursor() == {"step": 1}
    [run] = bench.runs()
    assert (run.status, run.error, run.notified, run.changes) == (status, str(error), 3, 2)
    assert (bench.state().failures, bench.state().last_error) == (1, str(error))
    assert [line["log_level"] for line in lines if line["event"] == "job_finished"] == ["warning"]


def test_after_a_failure_the_next_run_goes_on_where_the_last_stood(bench: Bench) -> None:
    source = play(bench, seen(CHANGED), SourceUnavailable("away"), seen(issue(8, assigned_to=CARL)))
    bench.run()
    source.script[1] = lambda: None
    result = bench.run(**at_time(utc_now() + timedelta(hours=1)))
    assert (result.status, result.notified) == ("ok", 1)
    assert (bench.state().failures, bench.state().last_error, bench.state().retry_at) == (0, "", None)
    assert [run.status for run in bench.runs()] == ["ok", "failed"]


def test_trouble_with_single_items_makes_a_run_partial_and_no_failure(bench: Bench) -> None:
    play(bench, seen(CHANGED, problem="/issues/9.json: status 500."), seen(issue(8)))
    result = bench.run()
    assert (result.status, result.error, result.notified) == ("partial", "/issues/9.json: status 500.", 3)
    assert (bench.state().failures, bench.state().retry_at) == (0, None)
    assert bench.state().last_error == "/issues/9.json: status 500."
    assert bench.runs()[0].status == "partial"


def test_an_error_of_the_program_is_logged_whole_and_told_without_its_secrets(bench: Bench) -> None:
    def crash() -> None:
        raise ZeroDivisionError("key=4f5e6a7b")

    play(bench, seen(CHANGED), crash)
    with capture_logs() as lines:
        result = bench.run()
    assert result.status == "failed"
    assert result.error == "internal error (ZeroDivisionError): see the log of this time"
    assert [line for line in lines if line["event"] == "job_crashed" and line["exc_info"]]
    assert bench.runs()[0].error == result.error


def test_a_run_that_crashes_while_it_records_is_recorded_itself(bench: Bench) -> None:
    """Its row was made in the transaction that came to nothing."""
    source = play(bench, seen(CHANGED))

    def unstorable(addressed: object) -> list[Addressed]:
        return [Addressed(change(project=Person(1, None)), member(ANN, user_id=bench.ids["ann"]), ())]  # type: ignore[arg-type]

    source.shown_of = unstorable
    with bench.database.write() as session:
        other = jobs.start_run(session, "reconcile", NOON)
    with capture_logs():
        result = bench.run()
    assert (result.status, bench.cursor()) == ("failed", None)
    [run] = bench.runs()
    assert (run.status, run.error) == ("failed", result.error)
    with bench.database.read() as session:
        assert [(r.id, r.status) for r in jobs.runs(session, "reconcile", 9)] == [(other, "running")]


def test_somebody_deleted_at_this_moment_stops_nobody_else(bench: Bench) -> None:
    source = play(bench, seen(CHANGED))
    there, gone = member(ANN, user_id=bench.ids["ann"]), member(CARL, user_id=999)
    source.shown_of = lambda _addressed: [Addressed(change(), who, ("author",)) for who in (gone, there)]
    assert bench.run().notified == 1


# --- waiting and trying again -----------------------------------------------------------------------


def test_a_failed_job_waits_longer_each_time_and_does_nothing_meanwhile(bench: Bench) -> None:
    play(bench, SourceUnavailable("away"))
    now = utc_now()
    pauses = []
    for _ in range(5):
        assert bench.run(**at_time(now)).status == "failed"
        retry_at = bench.state().retry_at
        assert retry_at is not None
        pauses.append((retry_at - now).total_seconds())
        runs = len(bench.runs())
        assert bench.run(**at_time(retry_at - timedelta(seconds=0.1))).status == "waiting"
        assert len(bench.runs()) == runs
        now = retry_at
    for number, pause in enumerate(pauses):
        assert 0.8 * 5 * 2**number <= pause <= 1.2 * 5 * 2**number


@pytest.mark.parametrize(
    ("every_s", "failures", "middle"),
    [
        (5, 1, 5),
        (5, 2, 10),
        (5, 6, 160),
        (5, 7, 300),
        (5, 1000, 300),
        (1, 1, 1),
        (600, 1, 600),
        (600, 9, 600),
    ],
)
def test_the_pause_doubles_up_to_a_ceiling_and_scatters(every_s: float, failures: int, middle: float) -> None:
    pauses = [backoff_s(every_s, failures) for _ in range(200)]
    assert all(0.8 * middle <= pause <= 1.2 * middle for pause in pauses)
    assert max(pauses) - min(pauses) > 0.1 * middle


@pytest.mark.parametrize(("asked_s", "least_s"), [(60.0, 60.0), (1.0, 4.0), (86_400.0, 300.0), (None, 4.0)])
def test_a_source_that_asks_for_time_is_given_it_up_to_the_ceiling(
    bench: Bench, asked_s: float | None, least_s: float
) -> None:
    play(bench, SourceUnavailable("busy", retry_after_s=asked_s))
    now = utc_now()
    bench.run(**at_time(now))
    retry_at = bench.state().retry_at
    assert retry_at is not None
    assert least_s <= (retry_at - now).total_seconds() <= max(least_s, 6.0)


def test_a_clock_that_was_set_back_does_not_make_a_job_wait_for_ever(bench: Bench) -> None:
    play(bench, SourceUnavailable("away"))
    bench.run(**at_time(utc_now() + timedelta(days=1)))
    assert bench.run(**at_time(utc_now())).status == "failed"


# --- logs -------------------------------------------------------------------------------------------


def test_every_line_of_a_run_names_its_job(bench: Bench) -> None:
    play(bench, seen(CHANGED, done=1, total=1))
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        bench.run()
    assert [(line["event"], line["job"]) for line in lines] == [
        ("job_progress", "redmine"),
        ("job_finished", "redmine"),
    ]
    assert {"status", "duration_ms", "items", "changes", "notified", "requests"} <= set(lines[-1])
