"""The viewer tells systemd of life only while its workers get on, and replaces one that does not."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from flask import Flask

from daemon.clients.notify import Pulse
from storage.settings import StorageSettings
from tests.daemon.listening import Ear, listening
from tests.web.served import ServedViewer, wait_until
from web import watchdog
from web.watchdog import Vitals


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    with listening(tmp_path) as ear:
        yield ear


def at_once(act: Callable[[], None]) -> "Future[None]":
    done: Future[None] = Future()
    act()
    done.set_result(None)
    return done


def test_a_worker_gets_on_while_its_tail_and_its_requests_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "ASK_EVERY_S", 0.0)
    tail = Pulse()
    vitals = Vitals(Flask("answers"), tail, at_once)
    before = vitals.moved_at()
    assert vitals.moved_at() == before == tail.at  # the tail is the one that stands still
    tail.beat()
    assert vitals.moved_at() > before


def test_a_worker_that_cannot_answer_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "ASK_EVERY_S", 0.0)
    app, tail, end = Flask("hangs"), Pulse(), threading.Event()
    asked: list[int] = []

    @app.get("/healthz")
    def healthz() -> str:
        asked.append(1)
        assert end.wait(20)
        return ""

    with ThreadPoolExecutor(4) as threads:
        vitals = Vitals(app, tail, threads.submit)
        tail.beat()
        born = vitals.moved_at()
        for _ in range(5):
            tail.beat()
            assert vitals.moved_at() == born
        end.set()
        wait_until(lambda: vitals.moved_at() > born, 10)
    assert len(asked) < 5  # no second question while the first is open


def served(storage: StorageSettings, folder: Path, ear: Ear, watchdog_s: float) -> ServedViewer:
    environ = {
        "NOTIFY_SOCKET": ear.address,
        "WATCHDOG_USEC": str(round(watchdog_s * 1_000_000)),
        "HELPDESK_WEB__WORKERS": "2",
        "HELPDESK_WEB__LOG_STYLE": "json",
    }
    return ServedViewer(storage, folder, environ)


def workers(viewer: ServedViewer) -> set[int]:
    assert viewer.process is not None
    return {child.pid for child in psutil.Process(viewer.process.pid).children()}


def test_it_is_ready_once_all_workers_serve_and_says_when_it_stops(
    storage: StorageSettings, tmp_path: Path, ear: Ear
) -> None:
    viewer = served(storage, tmp_path, ear, 60)
    viewer.spawn()
    try:
        assert "2 workers serve" in ear.wait_for("READY=1", 60)
        assert viewer.is_well()
        ear.wait_for("WATCHDOG=1", 10)
        assert not any("booted" in message for message in ear.heard)  # gunicorn's own word would be too early
        assert viewer.stop() == 0
        assert "STOPPING=1" in "".join(ear.listen())
    finally:
        if viewer.process is not None and viewer.process.poll() is None:
            viewer.kill()


@pytest.mark.long
def test_a_worker_that_is_frozen_is_replaced_and_life_goes_on(
    storage: StorageSettings, tmp_path: Path, ear: Ear
) -> None:
    viewer = served(storage, tmp_path, ear, 12)
    viewer.spawn()
    try:
        ear.wait_for("READY=1", 60)
        before = workers(viewer)
        frozen = min(before)
        os.kill(frozen, signal.SIGSTOP)
        wait_until(lambda: frozen not in workers(viewer), 40, viewer.log.read_text)
        wait_until(lambda: len(workers(viewer)) == 2, 20)
        wait_until(viewer.is_well, 20)
        assert not any("trigger" in message for message in [*ear.heard, *ear.listen()])
        ear.wait_for("WATCHDOG=1", 10)
    finally:
        viewer.kill()


@pytest.mark.long
def test_an_arbiter_that_is_frozen_is_heard_no_more(
    storage: StorageSettings, tmp_path: Path, ear: Ear
) -> None:
    viewer = served(storage, tmp_path, ear, 12)
    viewer.spawn()
    try:
        ear.wait_for("READY=1", 60)
        assert viewer.process is not None
        os.kill(viewer.process.pid, signal.SIGSTOP)
        ear.listen()
        with pytest.raises(AssertionError, match="no WATCHDOG"):
            ear.wait_for("WATCHDOG", 5)
    finally:
        viewer.kill()
