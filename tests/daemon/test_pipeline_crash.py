"""The process dies at any point of a run: afterwards everything is told, and told once."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import sqlalchemy as sa

from daemon.values import Addressed, Correction, Member
from storage.session import Database
from tests.daemon.samples import ANN, BOB, CARL, STATUS, change, issue, journal
from tests.daemon.scripted import Bench, content, seen
from tests.fakes import ScriptedSource

pytestmark = pytest.mark.long


class CrashError(BaseException):
    """The process is dead: nothing catches this."""


def script(ids: dict[str, int]) -> list[Any]:
    """Return a run of several kinds of steps; the corrections name rows that the steps before made."""
    told = issue(7, author=ANN, assigned_to=CARL, journals=(journal(11, STATUS, notes="n"),))
    carl = Member(ids["carl"], CARL.id, "carl", "en")
    edited = Addressed(change(key="redmine:journal:11", notes="edited"), carl, ("assignee",))
    correction = Correction(
        gone=frozenset({1}),
        amended={3: edited},
        ask_again=frozenset({7}),
        hidden=frozenset({3}),
        watched={BOB.id: frozenset({7})},
    )
    return [
        seen(issue(1), issue(8), told, quiet=frozenset({1, 8}), listed=(issue(3),), done=3, total=3),
        seen(removed=frozenset({8}), correction=correction),
    ]


@contextmanager
def dying_at(database: Database, number: int) -> Iterator[list[str]]:
    """Die when the n-th statement is to be sent to the database; yield those sent."""
    sent: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        sent.append(statement)
        if len(sent) == number:
            raise CrashError(statement)

    sa.event.listen(database.engine, "before_cursor_execute", count)
    yield sent


@contextmanager
def dying_after_commit(database: Database, number: int) -> Iterator[list[str]]:
    """Die when the n-th commit has been made and nothing else yet."""
    dialect = database.engine.dialect
    commit = dialect.do_commit
    made: list[str] = []

    def counting(connection: Any) -> None:
        commit(connection)
        made.append("COMMIT")
        if len(made) == number:
            raise CrashError

    dialect.do_commit = counting  # type: ignore[method-assign]
    yield made


@contextmanager
def dying_before_commit(database: Database, number: int) -> Iterator[list[str]]:
    """Die when the n-th commit is to be made."""
    dialect = database.engine.dialect
    commit = dialect.do_commit
    made: list[str] = []

    def counting(connection: Any) -> None:
        made.append("COMMIT")
        if len(made) == number:
            raise CrashError
        commit(connection)

    dialect.do_commit = counting  # type: ignore[method-assign]
    yield made


def connections_of(database: Database) -> list[Any]:
    """Return a list in which every connection to the database will be."""
    database.dispose()
    opened: list[Any] = []
    sa.event.listen(database.engine, "connect", lambda connection, _record: opened.append(connection))
    return opened


def run_to_the_end(bench: Bench) -> None:
    """Run as a daemon started anew does, until there is nothing left to do."""
    steps = script(bench.ids)
    bench.database = Database(bench.database.settings)
    bench.source = ScriptedSource(*steps)
    assert bench.run().status == "ok"
    assert bench.cursor() == {"step": len(steps)}


@pytest.fixture
def bench_in(make_database: Callable[[str], Database]) -> Callable[[str], Bench]:
    def make(folder: str) -> Bench:
        return Bench(make_database(folder), ScriptedSource())

    return make


@pytest.mark.parametrize(
    ("dying", "least"), [(dying_at, 25), (dying_before_commit, 3), (dying_after_commit, 3)]
)
def test_a_crash_at_any_point_of_a_run_loses_and_doubles_nothing(
    bench_in: Callable[[str], Bench], dying: Callable[..., Any], least: int
) -> None:
    expected = bench_in("expected")
    run_to_the_end(expected)
    wanted = content(expected.database, "job_runs")
    expected.database.dispose()
    assert len(wanted["notifications"]) == 4
    crashes = 0
    while crashes < 200:
        bench = bench_in(f"crash-{crashes}")
        bench.source = ScriptedSource(*script(bench.ids))
        opened = connections_of(bench.database)
        try:
            with dying(bench.database, crashes + 1) as sent:
                bench.run()
        except CrashError:
            crashes += 1
        else:
            break
        for connection in opened:  # as the end of a process does, whatever was begun
            with suppress(sqlite3.ProgrammingError):  # closed already
                connection.rollback()
                connection.close()
        run_to_the_end(bench)
        assert content(bench.database, "job_runs") == wanted, f"died at {sent[-1]}"
        assert {run.status for run in bench.runs()} <= {"ok", "interrupted"}
        bench.database.dispose()
    assert least <= crashes < 200
