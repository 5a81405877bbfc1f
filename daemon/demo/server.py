"""The demo Redmine as a server on a real socket, for the demo and as the tests' fake."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from daemon.demo.app import App
from daemon.demo.connections import DemoServer
from daemon.demo.exchange import Answer, Request, StopError
from daemon.demo.faults import Faults
from daemon.demo.load import key_of, load
from daemon.demo.model import User, utc_now
from daemon.demo.store import Store

KEPT_REQUESTS = 100_000


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request; `login` is who it acted as, "" for the anonymous or where signing in failed."""

    method: str
    path: str
    query: Mapping[str, str]
    login: str


class RequestLog(list[SeenRequest]):
    """All requests so far, the oldest half dropped when there are very many: a demo may be on for weeks."""

    def record(self, request: Request, user: User | StopError) -> None:
        login = user.login if isinstance(user, User) else ""
        if len(self) >= KEPT_REQUESTS:
            del self[: KEPT_REQUESTS // 2]
        self.append(SeenRequest(request.method, request.path, dict(request.query), login))


class DemoRedmine:
    """A Redmine 5.0 in memory that answers REST requests with JSON. Also a context manager.

    `world` as in `tests/world.json`, see `daemon.demo.load`. Every user's key is sha1 of the login, every
    password `password-<login>`. Started again after a stop it has the same port and still knows everything.
    """

    def __init__(
        self,
        world: Mapping[str, Any],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.app = App(load(world, now))
        self.faults = Faults()
        self.requests = RequestLog()
        self.admin_key = key_of("admin")
        self._address = (host, port)
        self._server: DemoServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def store(self) -> Store:
        """The tables; hold `app.lock` while using them beside running requests."""
        return self.app.store

    @property
    def url(self) -> str:
        """Without a slash at the end. RuntimeError before the first start: the port is not known."""
        if not self._address[1]:
            raise RuntimeError("the demo Redmine has no address before start()")
        host, port = self._address
        return f"http://{host}:{port}"

    def start(self) -> None:
        """Listen. OSError when the port is taken."""
        server = DemoServer(self._address, self.app, self.faults, self.requests)
        self._address = (self._address[0], server.server_address[1])
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="demo-redmine", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port and all connections; stalled answers are given up. A second call does nothing."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.close_all()
        self._thread.join(timeout=5)
        self._server = None

    def close_connections(self) -> None:
        """Hang up on all clients, as a server does with connections that were idle for too long."""
        if self._server is not None:
            self._server.hang_up()

    def act(self, login: str, method: str, path: str, fields: Mapping[str, Any] | None = None) -> Answer:
        """Do as this user without a socket: neither the log nor the faults see it. 404 for no such login."""
        user = self.store.user_by_login(login)
        if user is None:
            return Answer(404)
        return self.app.answer(Request.of_fields(method, path, fields), user)

    def disable_rest(self, *, disabled: bool = True) -> None:
        """Switch Redmine's REST API off or on again: then all keys are ignored and people are anonymous."""
        self.store.settings.rest_api_enabled = not disabled

    def require_login(self, *, required: bool = True) -> None:
        """Redmine's setting "authentication required"."""
        self.store.settings.login_required = required

    def revoke_key(self, login: str, key: str = "") -> None:
        """Replace the user's API key, by none unless one is given. KeyError for no such login."""
        user = self.store.user_by_login(login)
        if user is None:
            raise KeyError(login)
        user.api_key = key

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
