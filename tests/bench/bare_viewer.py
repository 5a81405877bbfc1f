"""The bare way to a frame: a table, a hint, an emit of JSON. What the product adds is measured against it.

`python -m tests.bench.bare_viewer serve|insert ORDER` with ORDER as JSON: folder, url (PostgreSQL or ""),
port, user_ids, total, rate_s.
"""

import json
import os
import selectors
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask
import psycopg
from flask_socketio import SocketIO, join_room
from gunicorn.app.base import BaseApplication

Order = dict[str, Any]
NEWER = "SELECT id, user_id, content FROM news WHERE id > {} ORDER BY id"


@contextmanager
def connected(order: Order) -> Iterator[Any]:
    """The database, committing each statement by itself."""
    if order["url"]:
        with psycopg.connect(order["url"].replace("+psycopg", ""), autocommit=True) as connection:
            yield connection
    else:
        connection = sqlite3.connect(Path(order["folder"]) / "bare.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        yield connection
        connection.close()


def make(order: Order) -> None:
    """Make the table."""
    kind = "bigserial" if order["url"] else "INTEGER"
    with connected(order) as connection:
        connection.execute(f"CREATE TABLE news (id {kind} PRIMARY KEY, user_id integer, content text)")


def insert(order: Order) -> None:
    """Commit rows at a steady rate, hint after each, and print `ID USER SECONDS` of each commit."""
    mark = "%s" if order["url"] else "?"
    hint = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    content = json.dumps({"subject": "Принтер горит", "text": "x" * 600})
    with connected(order) as connection:
        begin_at = time.monotonic()
        for number in range(order["total"]):
            time.sleep(max(0.0, begin_at + number / order["rate_s"] - time.monotonic()))
            user_id = order["user_ids"][number % len(order["user_ids"])]
            row = connection.execute(
                f"INSERT INTO news (user_id, content) VALUES ({mark}, {mark}) RETURNING id",
                (user_id, content),
            ).fetchone()
            committed_at = time.time()
            if order["url"]:
                connection.execute("NOTIFY bare")
            else:
                hint.sendto(b"!", str(Path(order["folder"]) / "bare.sock"))
            print(row[0], user_id, committed_at, flush=True)


def datagrams(order: Order) -> Callable[[], None]:
    """Return what waits for a datagram."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(Path(order["folder"]) / "bare.sock"))
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)

    def wait() -> None:
        if selector.select(1.0):
            listener.recv(16)

    return wait


def follow(order: Order, sio: SocketIO) -> None:
    """Emit each new row to its user's room."""
    last_id = 0
    with connected(order) as connection:
        if order["url"]:
            listener = psycopg.connect(order["url"].replace("+psycopg", ""), autocommit=True)
            listener.execute("LISTEN bare")

            def wait() -> None:
                for _ in listener.notifies(timeout=1.0, stop_after=1):
                    pass
        else:
            wait = datagrams(order)
        while True:
            for row_id, user_id, content in connection.execute(
                NEWER.format("%s" if order["url"] else "?"), (last_id,)
            ).fetchall():
                sio.emit("new_notification", {"id": row_id, **json.loads(content)}, to=f"user:{user_id}")
                last_id = row_id
            wait()


def serve(order: Order) -> None:
    """Serve under the same gunicorn settings as the product."""
    app = flask.Flask(__name__)
    sio = SocketIO(app, async_mode="threading", transports=["websocket"])

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    @sio.on("connect")
    def enter(auth: Any) -> None:
        join_room(f"user:{auth['user_id']}")

    inner = app.wsgi_app

    def without_extensions(environ: Any, start_response: Any) -> Any:
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        return inner(environ, start_response)

    app.wsgi_app = without_extensions

    class Bare(BaseApplication):
        def load_config(self) -> None:
            settings = {"bind": f"127.0.0.1:{order['port']}", "worker_class": "gthread", "threads": 512}
            settings |= {"worker_connections": 1024, "graceful_timeout": 3, "control_socket_disable": True}
            settings["post_fork"] = lambda _arbiter, _worker: sys.setswitchinterval(0.05)
            for name, value in settings.items():
                self.cfg.set(name, value)

        def load(self) -> flask.Flask:
            threading.Thread(target=follow, args=(order, sio), daemon=True).start()
            return app

    Bare().run()


if __name__ == "__main__":
    os.umask(0o077)
    {"serve": serve, "insert": insert, "make": make}[sys.argv[1]](json.loads(sys.argv[2]))
