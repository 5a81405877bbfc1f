"""Which daemon leads: one polls, the others stand by.

On PostgreSQL the lease is an advisory lock of a connection of its own. A daemon that is killed loses it at
once, one that is frozen or cut off when the server has not heard of it for the lease's time: no clocks of two
machines are ever compared. Beside SQLite, where all daemons share one clock, it is a row with an end.

In both cases the row names the leader, and whatever a leader writes asks that row in the same transaction
(`jobs.require_lease`): one that wakes up after another has taken over writes nothing any more.
"""

import contextlib
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from storage import jobs
from storage.columns import utc_now
from storage.models import JobState
from storage.session import Database, name_of_process, translated

LEASE_LOCK = 7_245_004
LOCK_TIMED_OUT = "55P03"
TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND xact_start IS NOT NULL
AND starts_with(application_name, :begin) AND application_name <> :ours
"""


class Lease(Protocol):
    """The right to poll."""

    def hold(self) -> bool:
        """Take or renew it; False while another daemon has it. Raises StorageError."""

    def release(self) -> None:
        """Give it back, so that the next daemon need not wait. Raises StorageError."""


def lease_of(database: Database, owner: str, ttl_s: float) -> Lease:
    """Return the lease of this kind of database. Renew it several times within `ttl_s`."""
    return RowLease(database, owner, ttl_s) if database.is_sqlite else LockLease(database, owner, ttl_s)


class RowLease:
    """A row with an end, moved on by whoever holds it."""

    def __init__(self, database: Database, owner: str, ttl_s: float) -> None:
        self._database = database
        self._owner = owner
        self._ttl_s = ttl_s

    def hold(self) -> bool:
        """Take or renew it."""
        with self._database.write() as session:
            return jobs.acquire_lease(session, self._owner, utc_now(), self._ttl_s)

    def release(self) -> None:
        """Give it back."""
        with self._database.write() as session:
            jobs.release_lease(session, self._owner)


class LockLease:
    """A session of PostgreSQL that holds an advisory lock. It must be used from one thread at a time.

    The server ends a session that says nothing for `ttl_s` (idle_session_timeout), and the lock with it.
    """

    def __init__(self, database: Database, owner: str, ttl_s: float) -> None:
        self._database = database
        self._owner = owner
        self._ttl_s = ttl_s
        self._connection: sa.Connection | None = None
        self._is_mine = False

    def hold(self) -> bool:
        """Take or renew it. Whatever goes wrong drops the session: then the server frees the lock."""
        with translated(self._database), contextlib.ExitStack() as undo:
            undo.callback(self._drop)
            connection = self._connected()
            if self._is_mine:
                self._show(connection)
            else:
                self._is_mine = self._take(connection)
            undo.pop_all()
        return self._is_mine

    def release(self) -> None:
        """Give it back."""
        self._drop()
        with self._database.write() as session:
            jobs.release_lease(session, self._owner)

    def _connected(self) -> sa.Connection:
        if self._connection is None:
            engine = self._database.engine.execution_options(isolation_level="AUTOCOMMIT")
            self._connection = engine.connect()
            self._connection.exec_driver_sql(f"SET idle_session_timeout = {round(self._ttl_s * 1000)}")
            self._connection.exec_driver_sql(f"SET lock_timeout = {round(self._ttl_s * 1000 / 3)}")
        return self._connection

    def _take(self, connection: sa.Connection) -> bool:
        """Try to lock; where that succeeds, write our name, once the last leader's transaction is over."""
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(LEASE_LOCK))):
            return False
        row = postgresql.insert(JobState).values(name=jobs.DAEMON)
        connection.execute(row.on_conflict_do_nothing())
        named = sa.update(JobState).where(JobState.name == jobs.DAEMON)
        name = named.values(lease_owner=self._owner, lease_until=self._end())
        try:
            connection.execute(name)
        except OperationalError as e:
            if getattr(e.orig, "sqlstate", "") != LOCK_TIMED_OUT:
                raise
            self._end_what_the_last_one_left(connection)
            connection.execute(name)
        return True

    def _end_what_the_last_one_left(self, connection: sa.Connection) -> None:
        """End the transactions of a leader that froze in one: it would hold the row for as long as it sleeps.

        The server does so by itself only where it waits for the next statement, not in the middle of one.
        """
        owner = connection.scalar(sa.select(JobState.lease_owner).where(JobState.name == jobs.DAEMON)) or ""
        host, _, process = owner.rpartition(":")[0].rpartition(":")
        theirs = {"begin": name_of_process(host, process), "ours": self._database.name}
        connection.execute(sa.text(TERMINATE), theirs)

    def _show(self, connection: sa.Connection) -> None:
        """Let pages see that we live. A run that is writing holds the row: this must not wait for it."""
        ours = (JobState.name == jobs.DAEMON, JobState.lease_owner == self._owner)
        free = sa.select(JobState.name).where(*ours).with_for_update(skip_locked=True)
        row = sa.update(JobState).where(JobState.name.in_(free))
        connection.execute(row.values(lease_until=self._end()))

    def _end(self) -> sa.ColumnElement[datetime]:
        now: sa.ColumnElement[datetime] = sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
        return now + timedelta(seconds=self._ttl_s)

    def _drop(self) -> None:
        self._is_mine = False
        if self._connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                self._connection.invalidate()  # not into the pool: it must end
                self._connection.close()
            self._connection = None
