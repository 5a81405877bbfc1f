"""A demo Redmine whose clock the test holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemon.demo.server import DemoRedmine
from tests.redmines import RedmineUnderTest


@dataclass
class Clock:
    """Stands still until it is told to go on."""

    now: datetime = datetime(2024, 3, 1, 10, 0, 0, 400_000, UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def redmine(world: dict[str, Any], clock: Clock) -> Iterator[RedmineUnderTest]:
    """A fresh demo Redmine at 2024-03-01 10:00:00.4 UTC."""
    with DemoRedmine(world, now=clock) as demo:
        yield RedmineUnderTest("demo", demo.url, demo=demo)
