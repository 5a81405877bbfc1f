"""The process that talks to the ERP: `python -m daemon.clients.erp_worker <descriptor>`.

A driver that waits for a stalled server can be stopped by nothing but the end of its process. So all drivers
live here: whoever asks ends us at the deadline. We also end by ourselves soon after it, by an alarm whose
default is death whatever C code is running, and when nobody asks any more.

A question is (name, arguments); the answer is ("rows", ...) any number of times, then ("done", ...) or
("trouble", Trouble). The first word, ("done", None), says that we are ready.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, cast

import oracledb
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from daemon.clients import erp_sql
from daemon.clients.erp_settings import ErpSettings
from daemon.clients.erp_trouble import EXPIRING_CODES, PERSONAL, codes_of, trouble_of
from daemon.clients.erp_values import Checked, ErpUser, Row, Unreadable, Verdict, user_of, verdict_of

CHUNK = 1000
GRACE_S = 1.0  # who asks ends us first
TROUBLES = (SQLAlchemyError, oracledb.Error, OSError, ValueError, TypeError)


class Asked:
    """Connections to the ERP, kept between questions."""

    def __init__(self) -> None:
        self._engine: sa.Engine | None = None
        self._made_for: object = None

    def people(self, settings: ErpSettings, reader: sa.URL) -> Iterator[list[ErpUser]]:
        """Read everybody in one query, in chunks. The alarm counts the waiting for the ERP only."""
        limit_s = settings.poll_deadline_s
        with _alarm(limit_s), self._connected(reader, limit_s) as connection:
            rows = connection.execution_options(yield_per=CHUNK).execute(erp_sql.people(settings))
            if "name" not in {str(key).lower() for key in rows.keys()}:  # noqa: SIM118 - it is no dict
                raise Unreadable("people_sql has no column name")
            for chunk in rows.mappings().partitions(CHUNK):
                found = (user_of(_row(row), settings.blocked_values) for row in chunk)
                signal.setitimer(signal.ITIMER_REAL, 0)
                yield [user for user in found if user is not None]
                signal.setitimer(signal.ITIMER_REAL, limit_s + GRACE_S)

    def person(self, settings: ErpSettings, reader: sa.URL, username: str) -> ErpUser | None:
        """Read one person."""
        with _alarm(settings.deadline_s), self._connected(reader, settings.deadline_s) as connection:
            return _person(connection, settings, username)

    def check(self, settings: ErpSettings, reader: sa.URL | None, username: str, password: str) -> Checked:
        """Check a password, and read whose it is; where there is no reader, by the account that it opens."""
        with _alarm(settings.deadline_s):
            if reader is None or settings.mode == "connect":
                verdict, own = _opened(settings, username, password)
                return _checked(verdict, lambda: self._read_by(own, settings, reader, username))
            with self._connected(reader, settings.deadline_s) as connection:
                rows = connection.execute(erp_sql.check(settings, username, password)).mappings().fetchmany(2)
                connection.commit()  # a function that counted the failure must not forget it
                verdict = verdict_of([_row(row) for row in rows])
                return _checked(verdict, lambda: _person(connection, settings, username))

    def _read_by(
        self, own: Any, settings: ErpSettings, reader: sa.URL | None, username: str
    ) -> ErpUser | None:
        if reader is not None:
            own.close()
            with self._connected(reader, settings.deadline_s) as connection:
                return _person(connection, settings, username)
        engine = sa.create_engine(settings.url, creator=lambda: own, poolclass=NullPool, hide_parameters=True)
        with engine.connect() as connection:
            return _person(connection, settings, username)

    @contextmanager
    def _connected(self, url: sa.URL, limit_s: float) -> Iterator[sa.Connection]:
        """Connect by our own account; anew where address or password are new."""
        if self._engine is None or self._made_for != url:
            if self._engine is not None:
                self._engine.dispose()
            # Parameters hold passwords: no text may show them.
            self._engine = sa.create_engine(url, pool_pre_ping=True, pool_recycle=600, hide_parameters=True)
            sa.event.listen(self._engine, "do_connect", lambda _dialect, _record, _, given: _over_tls(given))
            self._made_for = url
        with self._engine.connect() as connection:
            if url.get_backend_name() == "oracle":  # has the server stop, too, before we are ended
                connection.connection.dbapi_connection.call_timeout = round(limit_s * 900)  # type: ignore[union-attr]
            yield connection


def _opened(settings: ErpSettings, username: str, password: str) -> tuple[Verdict, Any]:
    """Open a person's own account, once. Not by an engine, whose first connect asks more."""
    url = sa.make_url(settings.url).set(username=username, password=password)
    make: Any = url.get_dialect()
    _, options = make(dbapi=oracledb).create_connect_args(url)
    _over_tls(options)
    try:
        own = oracledb.connect(**options)
    except oracledb.DatabaseError as e:
        known = [PERSONAL[code] for code in codes_of(e) if code in PERSONAL]
        if not known:
            raise
        return known[0], None
    warned = getattr(getattr(own, "warning", None), "full_code", "")
    return Verdict.EXPIRING if warned in EXPIRING_CODES else Verdict.RIGHT, own


def _over_tls(options: dict[str, Any]) -> None:
    """Mean it where the address says protocol=tcps: the descriptor that SQLAlchemy makes always says TCP."""
    if str(options.get("protocol", "")).lower() == "tcps":
        options["dsn"] = str(options["dsn"]).replace("(PROTOCOL=TCP)", "(PROTOCOL=TCPS)")


def _checked(verdict: Verdict, read: Callable[[], ErpUser | None]) -> Checked:
    """Add whose password it is. Whoever is blocked in the list of people is not let in by a right one."""
    if not Checked(verdict).is_right:
        return Checked(verdict)
    try:
        user = read()
    except TROUBLES as e:
        return Checked(verdict, trouble=trouble_of(e))
    return Checked(Verdict.LOCKED if user is not None and user.is_blocked else verdict, user)


def _row(row: sa.RowMapping) -> Row:
    return cast("Row", row)


def _person(connection: sa.Connection, settings: ErpSettings, username: str) -> ErpUser | None:
    rows = connection.execute(erp_sql.person(settings, username)).mappings().fetchmany(2)
    if len(rows) > 1:
        raise Unreadable("the query for one person gave several rows")
    return user_of(_row(rows[0]), settings.blocked_values) if rows else None


class _alarm:  # noqa: N801 - used like a function
    """End this process where the body takes longer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._seconds + GRACE_S)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(asked: Asked, line: Connection, name: str, arguments: tuple[Any, ...]) -> None:
    if name == "people":
        for chunk in asked.people(*arguments):
            line.send(("rows", chunk))
        line.send(("done", None))
    else:
        line.send(("done", getattr(asked, name)(*arguments)))


def serve(line: Connection) -> None:
    """Answer questions until nobody asks any more."""
    asked = Asked()
    line.send(("done", None))
    while True:
        try:
            name, arguments = line.recv()
        except EOFError:
            return
        try:
            _answer(asked, line, name, arguments)
        except (BrokenPipeError, ConnectionResetError):
            return  # who asked is gone
        except TROUBLES as e:
            line.send(("trouble", trouble_of(e)))


def main() -> None:
    """Be the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    oracledb.enable_thin_mode()  # type: ignore[no-untyped-call]
    oracledb.defaults.program = "helpdesk"
    oracledb.defaults.machine = "helpdesk"
    oracledb.defaults.osuser = "helpdesk"
    oracledb.defaults.arraysize = CHUNK
    with Connection(int(sys.argv[1])) as line:
        serve(line)


if __name__ == "__main__":
    main()
