"""A scripted server, and a client of it for which time passes only as the test says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr

from daemon.clients.redmine import RedmineClient
from daemon.clients.settings import RedmineSettings
from tests.clients.scripted import ScriptedServer
from tests.redmines import RealRedmine, RedmineUnderTest

KEY = SecretStr("0123456789abcdef0123456789abcdef01234567")


@dataclass
class FakeTime:
    """A clock that only sleeping moves, or each look at it by `tick_s`; `chance` is what random() says."""

    now: float = 1000.0
    tick_s: float = 0.0
    chance: float = 1.0
    sleeps: list[float] = field(default_factory=list)

    def clock(self) -> float:
        self.now += self.tick_s
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def random(self) -> float:
        return self.chance


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


ClientFor = Callable[..., RedmineClient]


@pytest.fixture
def client_for(fake_time: FakeTime) -> Iterator[ClientFor]:
    """`client_for(url, **settings)`, on fake time unless `real_time=True`."""
    made = []

    def make(url: str, *, real_time: bool = False, **settings: Any) -> RedmineClient:
        fake: Any = {"clock": fake_time.clock, "sleep": fake_time.sleep, "rng": fake_time.random}
        client = RedmineClient(
            RedmineSettings(url=url, **settings), api_key=KEY, **({} if real_time else fake)
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(server: ScriptedServer, client_for: ClientFor) -> RedmineClient:
    return client_for(server.url)


def client_of(redmine: RedmineUnderTest, login: str = "admin", **settings: Any) -> RedmineClient:
    """A client with the API key of `login`, on real time."""
    return RedmineClient(RedmineSettings(url=redmine.url, **settings), api_key=SecretStr(redmine.key(login)))


@pytest.fixture
def admin(any_redmine: RedmineUnderTest) -> Iterator[RedmineClient]:
    """A client of the demo Redmine or the real one, with an administrator's key."""
    client = client_of(any_redmine)
    yield client
    client.close()


@pytest.fixture
def real_admin(real_redmine: RealRedmine) -> Iterator[RedmineClient]:
    """A client of the real Redmine, for what only its database can bring about."""
    client = client_of(real_redmine)
    yield client
    client.close()
