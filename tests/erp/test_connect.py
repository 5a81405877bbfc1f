"""Log-in by one's own Oracle account: what each code of the database means, and by whom people are read."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oracledb
import pytest
import sqlalchemy as sa

from daemon.clients import erp_worker
from daemon.clients.erp_settings import ErpSettings
from daemon.clients.erp_values import Checked, Verdict
from daemon.clients.erp_worker import Asked
from tests.erp.registry import PASSWORD, Registry
from tests.erp.test_trouble import caused, oracle

CONNECT = ErpSettings(url="oracle+oracledb://erp.invalid:1521/?service_name=ERP", mode="connect")


@dataclass
class Warned:
    """What oracledb leaves at a connection that was let in with a warning."""

    full_code: str


class Cursor(sqlite3.Cursor):
    """A cursor with what SQLAlchemy's dialect for Oracle asks of one."""

    outputtypehandler: Any = None

    def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
        # How numbers are written is asked as a text.
        try:
            super().execute(sql.replace("SELECT 1.1 ", "SELECT '1.1' "), parameters)
        except sqlite3.OperationalError as e:
            raise oracle("ORA-00942") from e
        return self

    def __enter__(self) -> "Cursor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def setinputsizes(self, **_types: Any) -> None:
        return


class Session(sqlite3.Connection):
    """A session of an Oracle database, whose view of people is a file's."""

    version = "12.1.0.2.0"
    max_identifier_length = 30
    outputtypehandler: Any = None
    warning: Warned | None = None
    is_closed = False

    def cursor(self, factory: Any = Cursor) -> Any:
        return super().cursor(factory)

    def close(self) -> None:
        self.is_closed = True
        super().close()


class Oracle:
    """Stands where oracledb.connect is: raises, or lets in."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.answer: oracledb.Error | str = ""
        self.asked: list[dict[str, Any]] = []
        self.sessions: list[Session] = []

    def connect(self, **options: Any) -> Session:
        self.asked.append(options)
        if isinstance(self.answer, Exception):
            raise self.answer
        session = sqlite3.connect(self._file, factory=Session)
        session.execute("create temp table dual as select 'X' as dummy")
        session.create_function("sys_context", 2, lambda *_: "ERP")
        session.warning = Warned(self.answer) if self.answer else None
        self.sessions.append(session)
        return session


@pytest.fixture
def server(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Oracle:
    """An Oracle database that knows ANN, and MAX, who is blocked."""
    registry.add("ANN")
    registry.add("MAX", auth_period_type="blocked")
    made = Oracle(tmp_path / "erp.db")
    monkeypatch.setattr(erp_worker.oracledb, "connect", made.connect)
    return made


@pytest.fixture(params=["reader", "no-reader"])
def reader(request: pytest.FixtureRequest, registry: Registry) -> Iterator[sa.URL | None]:
    """The account that reads people; none, where each reads by their own."""
    return sa.make_url(registry.url) if request.param == "reader" else None


def check(reader: sa.URL | None, name: str = "ann") -> Checked:
    return Asked().check(CONNECT, reader, name, PASSWORD)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("", Verdict.RIGHT),
        ("ORA-28002", Verdict.EXPIRING),
        ("ORA-28011", Verdict.EXPIRING),
        ("ORA-28098", Verdict.RIGHT),  # some other warning
    ],
)
def test_whoever_the_database_lets_in_is_read(
    server: Oracle, reader: sa.URL | None, code: str, verdict: Verdict
) -> None:
    server.answer = code
    checked = check(reader)
    assert (checked.verdict, checked.trouble, checked.is_right) == (verdict, None, True)
    assert checked.user is not None
    assert (checked.user.name, checked.user.full_name) == ("ann", "Ann Петров")
    assert [(asked["user"], asked["password"]) for asked in server.asked] == [("ann", PASSWORD)]
    assert [session.is_closed for session in server.sessions] == [True]


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("ORA-01017", Verdict.WRONG),
        ("ORA-01005", Verdict.WRONG),
        ("ORA-28000", Verdict.LOCKED),
        ("ORA-28001", Verdict.EXPIRED),
        ("ORA-01004", Verdict.WRONG),
        ("ORA-01040", Verdict.WRONG),
        ("ORA-01045", Verdict.DENIED),
        ("ORA-28009", Verdict.DENIED),
        ("DPY-3015", Verdict.DENIED),
        ("ORA-02391", Verdict.TOO_MANY),
    ],
)
def test_a_refusal_is_a_verdict_and_is_not_tried_again(
    server: Oracle, reader: sa.URL | None, code: str, verdict: Verdict
) -> None:
    server.answer = oracle(code)
    assert check(reader) == Checked(verdict)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "error",
    [
        caused(oracle("DPY-6001")),
        caused(oracle("DPY-6000")),
        caused(ConnectionRefusedError(111, "x")),
        oracle("DPY-4011"),
        oracle("DPY-5000", oracledb.InternalError),
        oracle("ORA-01033"),
    ],
    ids=str,
)
def test_what_says_nothing_of_the_password_is_no_verdict(
    server: Oracle, reader: sa.URL | None, error: oracledb.Error
) -> None:
    server.answer = error
    with pytest.raises(oracledb.Error) as told:
        check(reader)
    assert told.value is error
    assert len(server.asked) == 1


def test_whoever_is_blocked_or_nobody_is_told_apart(server: Oracle, reader: sa.URL | None) -> None:
    assert check(reader, "max").verdict is Verdict.LOCKED
    assert check(reader, "svc") == Checked(Verdict.RIGHT)  # an account of no person
    assert [session.is_closed for session in server.sessions] == [True, True]


def test_a_right_password_stays_right_where_people_cannot_be_read(
    server: Oracle, reader: sa.URL | None, registry: Registry
) -> None:
    with registry.engine.begin() as connection:
        connection.exec_driver_sql("drop table users_view")
    checked = check(reader)
    assert (checked.verdict, checked.user) == (Verdict.RIGHT, None)
    assert checked.trouble is not None
    assert checked.trouble.kind == "refused"
    assert [session.is_closed for session in server.sessions] == [True]
