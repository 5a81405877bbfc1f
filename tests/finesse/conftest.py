"""Nodes of Finesse on loopback and clients that ask them."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from daemon.clients.finesse import FinesseClient
from daemon.clients.finesse_settings import FinesseSettings
from tests.channels.certificates import Authority
from tests.finesse.server import FinesseUnderTest, settings_of

Configure = Callable[..., FinesseSettings]
MakeClient = Callable[..., FinesseClient]


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A private certificate authority."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def finesse(authority: Authority) -> Iterator[FinesseUnderTest]:
    """The first node."""
    node = FinesseUnderTest(authority.issue("localhost"))
    yield node
    node.close()


@pytest.fixture
def second(authority: Authority) -> Iterator[FinesseUnderTest]:
    """The second node."""
    node = FinesseUnderTest(authority.issue("localhost"))
    yield node
    node.close()


@pytest.fixture
def configure(finesse: FinesseUnderTest, authority: Authority, tmp_path: Path) -> Configure:
    """Return what makes settings of the first node."""
    return partial(settings_of, finesse, authority, tmp_path)


@pytest.fixture
def clock() -> Clock:
    """The time of clients."""
    return Clock()


@pytest.fixture
def make_client(configure: Configure, clock: Clock) -> Iterator[MakeClient]:
    """Return what makes clients whose time stands still."""
    made: list[FinesseClient] = []

    def make(**changed: Any) -> FinesseClient:
        made.append(FinesseClient(configure(**changed), clock))
        return made[-1]

    yield make
    for client in made:
        client.close()
