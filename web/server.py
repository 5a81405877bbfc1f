# mypy: allow-untyped-calls
"""The viewer under gunicorn: threads, WebSocket only, settings as measured (README, design notes)."""

import contextlib
import faulthandler
import gc
import logging
import os
import resource
import threading
import time
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from daemon.clients.notify import Notify
from storage.session import Database
from web import create_app
from web.metrics import sharing
from web.settings import ViewerSettings, WebSettings
from web.share import Shares
from web.viewer import EXTENSION, Viewer
from web.watchdog import Vitals, WatchedArbiter, worker_timeout_s

GRACE_S = 3  # for requests under way
KEEPALIVE_S = 75
SPARE_CONNECTIONS = 512
REFUSED_S, REFUSED_BYTES = 5, 64 << 20
MOST_YOUNG = 20_000  # objects before they are looked through; Python's 700 would be a few requests' worth
SHARES = Shares()


class StdlibLogger(Logger):
    """Leaves gunicorn's messages to the chain that everything else is logged through."""

    def setup(self, cfg: Config) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)


class Worker(ThreadWorker):
    """A worker that closes its WebSockets when it is told to stop, so that a stop takes no grace period.

    It tells its arbiter when it last really got on: one that stands still is replaced.
    """

    vitals: Vitals | None = None
    closing: threading.Thread | None = None

    def notify(self) -> None:
        """Leave the time of the last movement where the arbiter looks."""
        if self.vitals is None:
            parts: Viewer = self.wsgi.extensions[EXTENSION]
            threads: Any = self.tpool
            self.vitals = Vitals(self.wsgi, parts.live.tail.pulse, threads.submit)
        self._count()
        at = self.vitals.moved_at() if self.alive else time.monotonic()
        os.utime(self.tmp.fileno(), (at, at))

    def handle_abort(self, sig: int, frame: FrameType | None) -> None:
        """Show in the log where everything stands, and end: the arbiter found us standing still."""
        faulthandler.dump_traceback()  # safe in this handler of Python's, which holds the lock of all threads
        super().handle_abort(sig, frame)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        app = getattr(self, "wsgi", None)  # not there yet where the stop comes during the start
        if self.alive and isinstance(app, Flask):
            parts: Viewer = app.extensions[EXTENSION]
            # Not in the signal handler itself: whatever it interrupted may hold a lock.
            self.closing = threading.Thread(target=parts.live.stop, daemon=True)
            self.closing.start()
        super().handle_exit(sig, frame)

    def accept(self, listener: Any) -> None:
        """Take a connection, unless a worker that holds far fewer does so first."""
        self._count()
        SHARES.give_way(self.age)
        super().accept(listener)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Take in what was sent on although it was refused: to hang up on it would tear the answer away."""
        conn.parser.finish_body(deadline=time.monotonic() + REFUSED_S, max_bytes=REFUSED_BYTES)
        return bool(super()._keepalive_after(conn, keepalive))

    def finish_request(self, conn: Any, fs: Any) -> None:
        if conn.sock.fileno() == -1:  # a WebSocket, which the hub has taken over
            self.nr_conns -= 1
            return
        super().finish_request(conn, fs)

    def _count(self) -> None:
        parts: Viewer = self.wsgi.extensions[EXTENSION]
        SHARES.hold(self.age, self.nr_conns + parts.live.connections())


class Server(BaseApplication):
    """gunicorn, configured by `[web]` and nothing else."""

    def __init__(self, settings: ViewerSettings) -> None:
        self._settings = settings
        self._notify = Notify.from_environment()
        super().__init__()

    def run(self) -> None:
        """Serve until a signal."""
        WatchedArbiter(self, self._notify).run()

    def load_config(self) -> None:
        """Hand the settings over."""
        cfg: Any = self.cfg
        for name, value in options(self._settings.web).items():
            cfg.set(name, value)
        cfg.set("timeout", round(worker_timeout_s(self._notify)) or 1)

    def load(self) -> Flask:
        """Build the application; called in each worker."""
        app = create_app(self._settings, Database(self._settings.storage))
        parts: Viewer = app.extensions[EXTENSION]
        parts.live.start()
        gc.collect()
        gc.set_threshold(MOST_YOUNG, 10, 10)
        gc.freeze()  # looking through the program itself again and again would hold up the news
        return app


def options(web: WebSettings) -> dict[str, Any]:
    """Return gunicorn's settings."""
    host = f"[{web.host}]" if ":" in web.host else web.host
    return {
        "bind": f"{host}:{web.port}",
        "workers": web.workers,
        "worker_class": Worker,
        "threads": web.threads,
        "worker_connections": web.threads + SPARE_CONNECTIONS,
        "keepalive": KEEPALIVE_S,
        "graceful_timeout": GRACE_S,
        "logger_class": StdlibLogger,
        "pre_fork": lambda _arbiter, worker: SHARES.begin(worker.age),
        "post_fork": _after_fork,
        "worker_exit": _leave,
        "child_exit": _after_exit,
        "on_exit": lambda _arbiter: sharing.unshare(),
        "forwarded_allow_ips": "",  # our own layer decides whom to believe
        "control_socket_disable": True,
        "proc_name": "helpdesk-web",
    }


def _after_exit(_arbiter: Arbiter, worker: Worker) -> None:
    SHARES.end(worker.age)
    sharing.forget(int(worker.pid))


def _after_fork(_arbiter: Arbiter, _worker: Worker) -> None:
    """Let the worker open as many files as it may: each open page holds one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # where that is forbidden, what there is must do
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _leave(_arbiter: Arbiter, worker: Worker) -> None:
    """End at once when the pages are told: to take the interpreter apart costs a second and helps nobody."""
    if worker.closing is None:
        return  # it did not begin, or breaks off: the arbiter shall learn how
    worker.closing.join(GRACE_S)
    logging.shutdown()
    os._exit(0)
