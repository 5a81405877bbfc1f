"""Many clients over real WebSockets, in one thread beside the test."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import socketio

from tests.web.served import wait_until

T = TypeVar("T")
CONNECT_S = 60.0


class PatientClient(socketio.AsyncClient):
    """Waits for the server's welcome as long as the browser's client does; its own patience is 1 s."""

    async def connect(self, *args: Any, **options: Any) -> None:
        await super().connect(*args, **({"wait_timeout": 20} | options))


@dataclass
class Member:
    """One open page: it remembers the last id it has and says so whenever it connects."""

    url: str
    cookie: str
    last: int | None
    user_id: int | None = None
    events: list[tuple[str, Any]] = field(default_factory=list)
    times: list[tuple[int, float]] = field(default_factory=list)
    connects: int = 0
    client: Any = None
    http: Any = None

    def ids(self) -> list[int]:
        """Return the ids of the notifications that came, in order."""
        return [row_id for row_id, _ in self.times]

    def named(self, name: str) -> list[Any]:
        """Return the contents of one kind of event."""
        return [content for event, content in self.events if event == name]

    async def open(self) -> None:
        """Connect; afterwards the client comes back by itself."""
        # A jar of its own: python-socketio puts the cookie there, and all members come from one address.
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.client = PatientClient(reconnection_delay=0.3, reconnection_delay_max=2, http_session=self.http)
        self.client.on("*", self._receive)
        self.client.on("connect", self._connected)
        headers = {"Cookie": self.cookie} if self.cookie else {}
        await self.client.connect(
            self.url,
            transports=["websocket"],
            headers=headers,
            auth=self._auth,
        )

    async def drop(self) -> None:
        """Lose the connection without a word, as a network does."""
        websocket = self.client.eio.ws
        connection = websocket._response.connection if websocket is not None else None
        if connection is not None:
            connection.transport.abort()

    def _auth(self) -> dict[str, Any]:
        return {"last": self.last, "user_id": self.user_id}

    async def _connected(self) -> None:
        self.connects += 1

    async def _receive(self, event: str, content: Any = None) -> None:
        if event == "new_notification":
            self.times.append((content["id"], time.time()))
            self.last = content["id"]
        else:
            self.events.append((event, content))


class Crowd:
    """Runs the members' event loop in a thread."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Crowd":
        self._thread.start()
        self.run(self._open())
        self.wait(lambda: all(member.connects for member in self.members))
        return self

    def __exit__(self, *_error: object) -> None:
        self.run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        for member in self.members:
            await member.open()

    async def _close(self) -> None:
        for member in self.members:
            await member.client.shutdown()
            await member.http.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait(others, timeout=5) if others else None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine among the members and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CONNECT_S)

    def wait(self, is_so: Callable[[], bool], deadline_s: float = CONNECT_S, otherwise: str = "") -> None:
        """Wait for a condition."""
        wait_until(is_so, deadline_s, lambda: otherwise or f"only {[len(m.times) for m in self.members]}")
