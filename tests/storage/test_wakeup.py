"""The hint from whoever wrote to whoever tails. It may be lost, late or doubled, and never does harm."""

import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import wakeup
from storage.session import Database
from storage.settings import StorageSettings
from storage.wakeup import Listener
from tests.storage.test_faults import end_connections

LONG_S = 10.0  # a wait that is to end by a hint, not by this


@pytest.fixture
def listener(database: Database) -> Iterator[Listener]:
    """A listener that is listening: PostgreSQL's begins with its first wait."""
    listener = wakeup.listen(database)
    listener.wait(0)
    yield listener
    listener.close()


def sockets(database: Database) -> list[Path]:
    return sorted((database.directory / "wake").glob("*.sock"))


def test_a_hint_wakes_a_listener_at_once(database: Database, listener: Listener) -> None:
    woken: list[float] = []

    def wait() -> None:
        assert listener.wait(LONG_S)
        woken.append(time.monotonic())

    waiting = threading.Thread(target=wait)
    waiting.start()
    sent = time.monotonic()
    while waiting.is_alive():  # a hint sent before the thread waits is kept for it, too
        wakeup.send(database)
        waiting.join(0.05)
    assert woken[0] - sent < LONG_S / 2


def test_without_a_hint_a_listener_waits_its_time(database: Database, listener: Listener) -> None:
    started = time.monotonic()
    assert not listener.wait(0.1)
    assert time.monotonic() - started >= 0.09


def test_a_hint_that_came_before_the_wait_is_not_lost(database: Database, listener: Listener) -> None:
    wakeup.send(database)
    assert listener.wait(LONG_S)
    assert not listener.wait(0)


def test_every_listener_is_woken(database: Database, another: Callable[..., Database]) -> None:
    """Each as if in a process of its own, on one database."""
    listeners = [wakeup.listen(another()) for _ in range(3)]
    for listener in listeners:
        listener.wait(0)
    wakeup.send(database)
    assert [listener.wait(LONG_S) for listener in listeners] == [True] * 3
    listeners[0].close()
    wakeup.send(database)
    assert [listener.wait(LONG_S) for listener in listeners[1:]] == [True] * 2
    for listener in listeners:
        listener.close()
        listener.close()


def test_nobody_listening_is_nothing_to_fail_over(database: Database) -> None:
    wakeup.send(database)


# --- the datagram sockets beside SQLite ----------------------------------------------------------------


def test_many_hints_wake_once_and_never_make_the_sender_wait(sqlite: Database) -> None:
    listener = wakeup.listen(sqlite)
    started = time.monotonic()
    for _ in range(3000):  # more than the socket's queue holds
        wakeup.send(sqlite)
    assert time.monotonic() - started < LONG_S
    assert listener.wait(LONG_S)
    assert not listener.wait(0)
    listener.close()


def test_the_socket_of_a_dead_process_is_removed(sqlite: Database) -> None:
    folder = sqlite.directory / "wake"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(folder / "123-1.sock"))
    living = wakeup.listen(sqlite)
    wakeup.send(sqlite)
    assert living.wait(LONG_S)
    assert len(sockets(sqlite)) == 1
    living.close()
    assert sockets(sqlite) == []


def test_a_socket_that_cannot_be_written_does_not_keep_the_others_asleep(sqlite: Database) -> None:
    first = wakeup.listen(sqlite)
    (sqlite.directory / "wake" / "0-0.sock").mkdir()  # no socket, and not to be removed as a file either
    last = wakeup.listen(sqlite)
    wakeup.send(sqlite)
    assert (first.wait(LONG_S), last.wait(LONG_S)) == (True, True)
    first.close()
    last.close()


def test_a_folder_that_is_gone_loses_the_hint_and_nothing_else(sqlite: Database) -> None:
    (sqlite.directory / "wake").write_text("not a folder")
    wakeup.send(sqlite)


def test_a_path_longer_than_a_socket_address_works(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-folder-with-a-rather-long-name"] * 6)
    assert len(str(deep)) > 150
    database = Database(StorageSettings(directory=deep))
    listener = wakeup.listen(database)
    wakeup.send(database)
    assert listener.wait(LONG_S)
    listener.close()
    database.dispose()


def test_two_listeners_of_one_thread_do_not_take_each_others_socket(sqlite: Database) -> None:
    first, second = wakeup.listen(sqlite), wakeup.listen(sqlite)
    wakeup.send(sqlite)
    assert (first.wait(LONG_S), second.wait(LONG_S)) == (True, True)
    first.close()
    wakeup.send(sqlite)
    assert second.wait(LONG_S)
    second.close()


def test_the_sockets_are_for_their_user_alone(sqlite: Database) -> None:
    listener = wakeup.listen(sqlite)
    assert stat.S_IMODE((sqlite.directory / "wake").stat().st_mode) == 0o700
    assert [path.name.split("-")[0] for path in sockets(sqlite)] == [str(os.getpid())]
    listener.close()


def test_a_listener_leaves_no_descriptor_behind(sqlite: Database) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    wakeup.send(sqlite)
    before = descriptors()
    for _ in range(20):
        listener = wakeup.listen(sqlite)
        wakeup.send(sqlite)
        listener.close()
    assert descriptors() == before


# --- LISTEN and NOTIFY on PostgreSQL ---------------------------------------------------------------------


@pytest.mark.real
def test_the_first_wait_says_look_for_what_came_before_the_listening(postgres: Database) -> None:
    listener = wakeup.listen(postgres)
    wakeup.send(postgres)  # nobody listened yet
    assert listener.wait(0)
    assert not listener.wait(0)
    listener.close()


@pytest.mark.real
def test_a_listener_whose_connection_broke_connects_again_and_says_look(postgres: Database) -> None:
    listener = wakeup.listen(postgres)
    assert listener.wait(0)
    end_connections(postgres.url)
    assert not listener.wait(0.01)
    assert listener.wait(LONG_S)  # connected anew: what came meanwhile must be looked for
    wakeup.send(postgres)
    assert listener.wait(LONG_S)
    listener.close()


@pytest.mark.real
def test_a_connection_that_breaks_during_the_wait_ends_it(postgres: Database) -> None:
    listener = wakeup.listen(postgres)
    assert listener.wait(0)
    ended: list[bool] = []
    waiting = threading.Thread(target=lambda: ended.append(listener.wait(LONG_S)))
    waiting.start()
    while waiting.is_alive():
        end_connections(postgres.url)
        waiting.join(0.05)
    assert ended == [False]
    assert listener.wait(LONG_S)
    listener.close()


@pytest.mark.parametrize("use", ["send", "wait"])
def test_a_server_that_is_away_makes_neither_side_fail(tmp_path: Path, use: str) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    away = Database(StorageSettings(directory=tmp_path, url=url, connect_timeout_s=1))
    if use == "send":
        wakeup.send(away)
    else:
        listener = wakeup.listen(away)
        assert not listener.wait(0.05)
        listener.close()
    away.dispose()


@pytest.mark.real
def test_a_pool_without_a_free_connection_makes_the_listener_wait_and_try_again(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.session.POOL_TIMEOUT_S", 0.05)
    small = Database(postgres.settings.model_copy(update={"pool_size": 1}))
    listener = wakeup.listen(small)
    with small.engine.connect(), small.engine.connect():
        assert not listener.wait(0.05)
        wakeup.send(small)
    assert listener.wait(LONG_S)
    listener.close()
    small.dispose()


@pytest.mark.real
def test_a_hint_reaches_listeners_of_the_same_database_only(postgres: Database, postgres_url: str) -> None:
    other = Database(StorageSettings(url=postgres_url))
    listener = wakeup.listen(other)
    listener.wait(0)
    wakeup.send(postgres)
    assert not listener.wait(0.2)
    with other.engine.begin() as connection:
        connection.execute(sa.text("NOTIFY another_channel"))
    assert not listener.wait(0.2)
    listener.close()
    other.dispose()
