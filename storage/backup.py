"""Copies of the embedded database: made while others write, and put in the place of one that is broken.

A copy is one file that needs no other beside it. PostgreSQL has tools of its own for this.
"""

import contextlib
import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from storage import migrate
from storage.session import Database, StorageError

# Where SQLite locks a file: one pending byte, one reserved, 510 shared ones (www.sqlite.org/fileformat.html).
LOCKS_BEGIN, LOCKS_LENGTH = 0x40000000, 512
BESIDE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a database that was looked through: nothing in it is torn."""

    file: Path
    schema: str
    size: int  # bytes


def save(database: Database, to: Path, *, force: bool = False) -> Copy:
    """Copy the database into a file of its own, as it is at one moment; nobody who writes waits for it.

    The file appears whole, or not at all. Raises StorageError where there is one already, or no room.
    """
    source = file_of(database, "pg_dump --format=custom --file={file} {address}", to)
    _refuse_overwriting(source, to, force=force)
    with _explained(to), _part_of(to) as part:
        _copy(source, part)
        found = inspect(part)
        _sync(part)
        part.replace(to)
        _sync(to.parent)
    return Copy(to, found.schema, found.size)


def restore(database: Database, copy: Path, now: datetime) -> tuple[Copy, Path | None]:
    """Put a copy in the place of the database; return it, and where the replaced one is kept.

    Raises StorageError where the copy is damaged or of a newer version, and while anybody has the database
    open: they would go on writing into the file that was replaced.
    """
    target = file_of(database, "pg_restore --clean --if-exists --dbname={address} {file}", copy)
    with _explained(copy):
        inspect(copy)
    with _explained(target), _part_of(target) as part:
        _copy(copy, part)
        found = inspect(part)
        _sync(part)
        with _alone(target):
            kept = _put_aside(target, now)
            part.replace(target)
        _sync(target.parent)
    return Copy(target, found.schema, found.size), kept


def inspect(file: Path) -> Copy:
    """Look through every page and row of a database's file. Raises StorageError where something is wrong."""
    if not file.is_file():
        raise StorageError(f"{file}: there is no such file")
    with contextlib.closing(_opened(file)) as connection:
        said = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
        if said != "ok":
            raise StorageError(f"{file} is damaged ({said.splitlines()[-1]}): take another copy")
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise StorageError(f"{file} is damaged (row {broken[1]} of {broken[0]}): take another copy")
        schema = _schema(file, connection)
    return Copy(file, schema, file.stat().st_size)


def file_of(database: Database, instead: str, file: Path) -> Path:
    """Return the embedded database. Raises StorageError, with what else to use, for PostgreSQL."""
    if not database.is_sqlite:
        address = database.url.set(drivername="postgresql", password=None).render_as_string()
        command = instead.format(file=file, address=address)
        raise StorageError(f"PostgreSQL is copied by its own tools: {command}")
    return database.directory / Path(database.url.database or "").name


def _schema(file: Path, connection: sqlite3.Connection) -> str:
    try:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as e:
        raise StorageError(f"{file} is no database of helpdesk") from e
    if found is None:
        raise StorageError(f"{file} is no database of helpdesk")
    schema = str(found[0])
    if not migrate.is_known(schema):
        newest = migrate.head()
        raise StorageError(f"{file} has schema {schema}, newer than this program's {newest}: update helpdesk")
    return schema


def _refuse_overwriting(source: Path, to: Path, *, force: bool) -> None:
    if not source.exists():
        raise StorageError(f"{source}: there is no database yet: run `helpdesk db upgrade`")
    if to.exists() and to.samefile(source):
        raise StorageError(f"{to} is the database itself: name another file")
    if to.exists() and not force:
        raise StorageError(f"{to} exists: name another file, or say --force")


def _copy(source: Path, to: Path) -> None:
    """Copy all pages in one step: what is committed meanwhile is left out, and no writer waits."""
    with contextlib.closing(_opened(source)) as reading, contextlib.closing(sqlite3.connect(to)) as writing:
        reading.backup(writing)
        writing.execute("PRAGMA journal_mode = DELETE")


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=30)


@contextlib.contextmanager
def _part_of(file: Path) -> Iterator[Path]:
    """Give an empty file beside another, that only its owner may read; it is gone afterwards."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield part
    finally:
        for rest in ("", *BESIDE):
            part.with_name(part.name + rest).unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Hold every lock of a database's file: whoever has it open holds one. A damaged file can be held too."""
    if not file.exists():
        yield
        return
    with file.open("r+b") as held:
        try:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCKS_LENGTH, LOCKS_BEGIN)
        except OSError as e:
            if e.errno not in {errno.EACCES, errno.EAGAIN}:
                raise
            raise StorageError(f"{file} is in use: end the daemon and the viewer first") from e
        yield


def _put_aside(file: Path, now: datetime) -> Path | None:
    """Rename what is there, with what was not yet written back into it."""
    if not file.exists():
        return None
    kept = file.with_name(f"{file.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
    if kept.exists():
        raise StorageError(f"{kept} exists: try again in a second")
    for rest in (*BESIDE, ""):
        beside = file.with_name(file.name + rest)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + rest))
    return kept


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _explained(place: Path) -> Iterator[None]:
    """Turn what the system or SQLite complain of into one line."""
    try:
        yield
    except OSError as e:
        raise StorageError(f"{e.filename or place}: {e.strerror}") from e
    except sqlite3.Error as e:
        raise StorageError(f"{place}: {e}") from e
