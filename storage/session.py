"""Engines and sessions for SQLite and PostgreSQL, one way to read and one way to write."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json, to_json
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from storage.settings import StorageSettings

POOL_TIMEOUT_S = 30
# The server ends a transaction whose client says nothing: one that is frozen or cut off with a lock in its
# hands (the lease's row, the order of ids) would hold up everybody.
POSTGRES_OPTIONS = "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=15000"
# And a client does not wait for ever for a server whose machine has gone.
POSTGRES_TCP = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# Of each connection, as far as it reads so much. The 2 MB that SQLite takes by itself are less than what one
# page of tasks reads, so that every page was read from the file again.
SQLITE_CACHE_KIB = 16 * 1024


class StorageError(Exception):
    """The database cannot be used. The text says what to do about it."""


class DatabaseAway(StorageError):
    """The database's server cannot be reached, or does not let us in. It may later: trying again can help."""


class Database:
    """A reading and a writing engine on one database.

    On SQLite every write transaction begins immediately: one that reads first and writes later
    loses updates or fails at once whatever the busy time-out. Readers are refused any write.
    """

    def __init__(self, settings: StorageSettings) -> None:
        self.settings = settings
        self.url = settings.engine_url()
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # By which PostgreSQL shows whose its sessions are (application_name).
        self.name = f"{name_of_process(socket.gethostname(), os.getpid())}{os.urandom(4).hex()}"
        if self.is_sqlite:
            self._make_directory()
            self._writer = _sqlite_engine(settings, self.url, writes=True)
            self._reader = _sqlite_engine(settings, self.url, writes=False)
        else:
            self._writer = self._reader = _postgres_engine(settings, self.url, self.name)

    @property
    def engine(self) -> sa.Engine:
        """The engine that may write; migrations and listeners use it."""
        return self._writer

    @cached_property
    def directory(self) -> Path:
        """The folder of the embedded database and of its wake-up sockets."""
        file = self.url.database or ""
        if self.is_sqlite and not file.startswith("file:"):
            return Path(file).resolve().parent
        return self.settings.directory.resolve()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session for reading; nothing it does is kept."""
        with translated(self), Session(self._reader) as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[sa.Connection]:
        """Give a bare connection for reading, for what is asked so often that a session costs too much."""
        with translated(self), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose work is committed as one transaction, or not at all."""
        with translated(self), Session(self._writer) as session, session.begin():
            if self.is_sqlite:
                session.connection()  # take the write lock before the first read, not after
            yield session

    def dispose(self) -> None:
        """Close every pooled connection; call it after a fork and at the end."""
        self._writer.dispose()
        self._reader.dispose()

    def _make_directory(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as e:
            raise StorageError(
                f"{self.directory}: cannot make the folder of the database ({e.strerror}): "
                "make it by hand, or name another in [storage] directory"
            ) from e


def _json(value: object) -> str:
    """Write JSON as it is meant to be read; the standard library takes several times as long."""
    return to_json(value).decode()


def _sqlite_engine(settings: StorageSettings, url: sa.URL, *, writes: bool) -> sa.Engine:
    engine = sa.create_engine(
        url,
        connect_args={"timeout": settings.busy_timeout_s, "check_same_thread": False},
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=POOL_TIMEOUT_S,
        json_serializer=_json,
        json_deserializer=from_json,
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        # SQLite's own lower() knows the Latin letters only: nobody called Иван was ever found by name.
        connection.create_function("lower", 1, _lower, deterministic=True)
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(settings.busy_timeout_s * 1000)}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")
        if writes:
            cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only heeded while there is no table yet
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = NORMAL")
        else:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def name_of_process(host: str, process: int | str) -> str:
    """Return how the names of a process's sessions begin. PostgreSQL keeps 63 characters of a name."""
    return f"{host[:40]}:{process}:"


def _postgres_engine(settings: StorageSettings, url: sa.URL, name: str) -> sa.Engine:
    return sa.create_engine(
        url,
        connect_args={
            "connect_timeout": settings.connect_timeout_s,
            "options": POSTGRES_OPTIONS,
            "application_name": name,
            **POSTGRES_TCP,
        },
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=POOL_TIMEOUT_S,
        json_serializer=_json,
        json_deserializer=from_json,
        pool_pre_ping=True,
    )


CURES = (
    ("readonly database", "the database is read-only: give the service's user the right to write {place}"),
    ("read-only transaction", "{place} is read-only, a stand-by perhaps: name the server that takes writes"),
    (
        "database or disk is full",
        "the disk is full: make room where {place} lies, or move [storage] directory",
    ),
    ("no space left on device", "the disk is full: make room where the data of {place} lies"),
    ("unable to open database file", "cannot open {place}: check that the folder exists and may be written"),
    ("database is locked", "{place} is locked by another program: end it, or raise storage.busy_timeout_s"),
    ("file is not a database", "{place} is not a SQLite database: name another file in storage.url"),
    ("malformed", "{place} is damaged: restore it from a backup"),
    ("no such table", "{place} has no tables yet: run `helpdesk db upgrade`"),
    ("already exists", "{place} holds tables of another program: name a database of our own in storage.url"),
    ("does not exist", "{place} lacks a table or does not exist: create it and run `helpdesk db upgrade`"),
    ("permission denied", "{place} refuses its user: make them the owner of the database and its tables"),
    (
        "authentication failed",
        "{place} refuses the password: check storage.url or the variable in storage.url_env",
    ),
    ("no password supplied", "{place} wants a password: put the whole address into storage.url_env"),
    ("resolve host", "{place}: there is no such host: check storage.url"),
    ("too many clients", "{place} has no connection left: lower storage.pool_size or raise max_connections"),
    ("too many connections", "{place} has no connection left: lower storage.pool_size or raise its limit"),
    ("connection slots", "{place} has no connection left: lower storage.pool_size or raise max_connections"),
    ("statement timeout", "{place} took longer than a minute over one statement: is it overloaded?"),
    ("connection refused", "{place} does not answer: is PostgreSQL running?"),
    ("timeout", "{place} does not answer in time: is PostgreSQL reachable?"),
    ("connection", "{place} cannot be reached: is PostgreSQL running?"),
)
# Of a statement that is wrong in itself only these are the database's fault, not the program's.
SCHEMA_TROUBLE = ("does not exist", "already exists", "permission denied")


@contextmanager
def translated(database: Database) -> Iterator[None]:
    """Turn a complaint about the database itself into a StorageError that says what to do.

    Rows that break a rule and statements that are wrong are ours: they stay what they are.
    """
    try:
        yield
    except (IntegrityError, DataError):
        raise
    except ProgrammingError as e:
        if not any(part in str(e.orig).partition("\n")[0] for part in SCHEMA_TROUBLE):
            raise
        raise StorageError(explain(database, e)) from e
    except DBAPIError as e:
        is_away = isinstance(e, OperationalError) and not database.is_sqlite
        raise (DatabaseAway if is_away else StorageError)(explain(database, e)) from e
    except PoolTimeout as e:
        raise StorageError(
            f"no connection to the database became free within {POOL_TIMEOUT_S} s: raise storage.pool_size"
        ) from e


def explain(database: Database, error: DBAPIError) -> str:
    """Say in one line what is wrong with the database and what to do, without any password."""
    place = database.url.render_as_string(hide_password=True)
    if database.is_sqlite:
        place = database.url.database or place
    text = str(error.orig).strip()
    for part, cure in CURES:
        if part in text.lower():
            return cure.format(place=place)
    return f"{place}: {text.splitlines()[0] if text else type(error.orig).__name__}"
