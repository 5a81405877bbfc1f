"""How large the database is, table by table, and giving back what it no longer needs."""

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.columns import Base
from storage.session import Database, StorageError, translated

INCREMENTAL = 2
PAGES_AT_ONCE = 256  # given back in one transaction: nobody waits for longer than a few milliseconds
# SQLite has no queue: who waits for the lock looks every 100 ms at last, and must find it free then.
PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Size:
    """The database in bytes.

    `free` lies within it, unused; `log` is what was not yet written back; `disk_free` is left on the
    disk, None where it is another machine's.
    """

    total: int
    free: int
    log: int
    disk_free: int | None


def size(database: Database) -> Size:
    """Measure the database. Quick, however large it is. Raises StorageError."""
    with database.read() as session:
        if not database.is_sqlite:
            total = session.scalar(sa.text("SELECT pg_database_size(current_database())"))
            return Size(int(total or 0), 0, 0, None)
        page, pages, free = (_pragma(session, name) for name in ("page_size", "page_count", "freelist_count"))
    log = file_of(database).with_name(file_of(database).name + "-wal")
    space = os.statvfs(database.directory)
    logged = log.stat().st_size if log.exists() else 0
    return Size(page * pages, page * free, logged, space.f_bavail * space.f_frsize)


def rows(session: Session) -> dict[str, int]:
    """Count the rows of every table of ours, by name."""
    tables = sorted(Base.metadata.tables.values(), key=lambda table: table.name)
    counts = [sa.select(sa.func.count()).select_from(table).scalar_subquery() for table in tables]
    return dict(zip((table.name for table in tables), session.execute(sa.select(*counts)).one(), strict=True))


def bytes_by_table(session: Session, at_most: float = math.inf) -> dict[str, int]:
    """Add up what each table takes with its indexes, by name.

    SQLite reads its whole file for that (2 s a GB), so nothing is told of one larger than `at_most` bytes;
    nor by one that was built without dbstat.
    """
    if session.get_bind().dialect.name != "sqlite":
        query = (
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
        )
    elif _has_dbstat(session) and _pragma(session, "page_size") * _pragma(session, "page_count") <= at_most:
        query = (
            "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat AS s JOIN sqlite_master AS m ON m.name = s.name"
            " WHERE s.aggregate = 1 GROUP BY m.tbl_name"
        )
    else:
        return {}
    return {name: int(taken) for name, taken in session.execute(sa.text(query))}


def _has_dbstat(session: Session) -> bool:
    return session.scalar(sa.text("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'")) is not None


def give_back(database: Database, at_least: int = 0) -> int:
    """Give unused pages back to the disk, a few at a time, while others write; return how many bytes.

    None where fewer than `at_least` bytes are unused, or where the file was made by an earlier version: see
    `rewrite`. Raises StorageError.
    """
    if not database.is_sqlite or not can_give_back(database):
        return 0
    before = size(database)
    if before.free <= at_least:
        return 0
    left = before.free
    while (now := _give_some(database)) < left and now:
        left = now
        time.sleep(PAUSE_S)
    return before.total - size(database).total


def _give_some(database: Database) -> int:
    """Give some pages back; return how many are left."""
    with translated(database), database.engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None  # noqa: S101 - just connected
        # Each row of the answer is a page, and `execute` would take one only: a script is run to its end.
        driver.cursor().executescript(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")
    with database.read() as session:
        return _pragma(session, "freelist_count")


def can_give_back(database: Database) -> bool:
    """Say whether the file can become smaller while it is in use."""
    with database.read() as session:
        return database.is_sqlite and _pragma(session, "auto_vacuum") == INCREMENTAL


def rewrite(database: Database) -> int:
    """Write the whole file anew, so that it can give back later; return by how many bytes it shrank.

    Nobody writes meanwhile. It needs room for a second copy. Raises StorageError.
    """
    if not database.is_sqlite:
        raise StorageError("PostgreSQL gives back by itself (autovacuum): nothing is to be done")
    before = size(database)
    with translated(database), database.engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None  # noqa: S101 - just connected
        driver.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
        driver.execute("VACUUM")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before.total - size(database).total


def file_of(database: Database) -> Path:
    """Return the file of the embedded database."""
    return database.directory / Path(database.url.database or "").name


def _pragma(session: Session, name: str) -> int:
    return int(session.scalar(sa.text(f"PRAGMA {name}")) or 0)
