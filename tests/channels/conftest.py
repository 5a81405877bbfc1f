"""Push services on loopback and the channel that sends to them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.channel import Surroundings
from daemon.channels.webpush import Channel, Options
from tests.channels.certificates import Authority
from tests.channels.sink import Sink


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A private certificate authority."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def sink(authority: Authority) -> Iterator[Sink]:
    """A push service with TLS, called localhost."""
    sink = Sink(authority.issue("localhost"))
    yield sink
    sink.close()


@pytest.fixture
def make_channel(sink: Sink, authority: Authority, tmp_path: Path) -> Iterator[Callable[..., Channel]]:
    """Return a maker of channels that may send to that service."""
    made: list[Channel] = []

    def make(resolve: Any = None, **options: Any) -> Channel:
        given = {
            "timeout_s": 5.0,
            "extra_origins": (sink.origin(),),
            "ca_file": authority.ca_file,
            "contact": "mailto:admin@example.com",
        }
        surroundings = Surroundings("https://helpdesk.example.com", tmp_path)
        made.append(Channel(Options(**{**given, **options}), surroundings, resolve=resolve))
        return made[-1]

    yield make
    for channel in made:
        channel.close()
