"""A hint from whoever wrote to whoever tails: "look now". The table is the truth, a hint may be lost.

Beside SQLite it is a datagram to a socket of each listener (1.0 ms from commit to frame at the
median, no idle cost; inotify on the write-ahead log would wake before the commit is visible).
On PostgreSQL it is LISTEN/NOTIFY.
"""

import contextlib
import os
import selectors
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from storage.session import Database

CHANNEL = "helpdesk"
RETRY_S = 1.0


class Listener(Protocol):
    """Waits for hints."""

    def wait(self, timeout_s: float) -> bool:
        """Wait for a hint; True when one came, False when time ran out. Queued hints count as one."""

    def close(self) -> None:
        """Stop listening."""


def send(database: Database) -> None:
    """Wake every listener. Call it after the commit; it never fails and never waits."""
    with contextlib.suppress(OSError, SQLAlchemyError):  # a hint may be lost: the tail looks once a second
        if database.is_sqlite:
            _send_datagrams(_folder(database))
        else:
            with database.engine.begin() as connection:
                connection.execute(sa.text(f"NOTIFY {CHANNEL}"))


def listen(database: Database) -> Listener:
    """Start to listen on this database."""
    return SocketListener(_folder(database)) if database.is_sqlite else PostgresListener(database)


def _folder(database: Database) -> Path:
    return database.directory / "wake"


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _address(descriptor: int, name: str) -> str:
    """Name a socket in an open folder so that it fits the 107 bytes a socket address may have."""
    return f"/proc/self/fd/{descriptor}/{name}"


def _send_datagrams(folder: Path) -> None:
    """Send one to each socket. Whoever writes waits for this, so nothing here is done twice or in vain."""
    with _opened(folder) as descriptor, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        with os.scandir(descriptor) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            try:
                sender.sendto(b"!", _address(descriptor, name))
            except ConnectionRefusedError:
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=descriptor)  # its process is gone
            except OSError:
                continue  # its queue is full, so it is awake already; or it is not ours to wake


class SocketListener:
    """A datagram socket in the folder beside the SQLite file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / f"{os.getpid()}-{os.urandom(4).hex()}.sock"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with _opened(folder) as descriptor:
            self._socket.bind(_address(descriptor, self._path.name))
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)

    def wait(self, timeout_s: float) -> bool:
        """Wait for a datagram, then drain what else is queued."""
        if not self._selector.select(timeout_s):
            return False
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(16):
                pass
        return True

    def close(self) -> None:
        """Close and remove the socket."""
        self._selector.close()
        self._socket.close()
        self._path.unlink(missing_ok=True)


class PostgresListener:
    """A connection of its own that LISTENs; one that breaks is opened again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: sa.Connection | None = None

    def wait(self, timeout_s: float) -> bool:
        """Wait for a NOTIFY. While the database is away this is a plain sleep."""
        try:
            if self._connection is None:
                self._connect()
                return True  # whatever came before the LISTEN must be looked for
            return self._wait(timeout_s)
        except (SQLAlchemyError, OSError, self._driver_error()):
            self.close()
            time.sleep(min(timeout_s, RETRY_S))
            return False

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None

    def _connect(self) -> None:
        engine = self._database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connection = engine.connect()
        self._connection.execute(sa.text(f"LISTEN {CHANNEL}"))

    def _wait(self, timeout_s: float) -> bool:
        assert self._connection is not None  # noqa: S101 - narrowed for the type checker
        driver = self._connection.connection.driver_connection
        woken = False
        for _ in driver.notifies(timeout=timeout_s, stop_after=1):  # type: ignore[union-attr]
            woken = True
        return woken

    @staticmethod
    def _driver_error() -> type[Exception]:
        import psycopg

        return psycopg.Error
