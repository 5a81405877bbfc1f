"""A source that only counts, and a plan of jobs made of such ones."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import Field

from daemon.clients.errors import SourceError, SourceUnavailable
from daemon.options import JobOptions
from daemon.pipeline import Job
from daemon.schedule_plan import PlannedJob
from daemon.source import Memory, StateSource
from daemon.values import Observation
from storage.columns import utc_now
from storage.configuration import build


class Options(JobOptions):
    """Options to be wrong about."""

    size: int = Field(default=10, ge=1, le=100)


@dataclass
class Beats:
    """What the sources of a test did: with which options, which are closed, what holds them up."""

    sizes: list[int] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    errors: list[SourceError] = field(default_factory=list)
    hold: threading.Event | None = None
    steps: int = 1
    breaks: int = 0  # so many runs fail after their first step


class Source(StateSource):
    """Yields its steps; while `hold` is there it waits for it after the first."""

    def __init__(self, beats: Beats, size: int) -> None:
        self._beats, self._size = beats, size

    def observations(
        self, cursor: Mapping[str, Any] | None, memory: Memory, stop: Callable[[], bool]
    ) -> Iterator[Observation]:
        del memory
        beats = self._beats
        beats.sizes.append(self._size)
        beats.at.append(utc_now())
        if beats.errors:
            raise beats.errors.pop(0)
        for number in range(beats.steps):
            yield Observation(
                {"n": (cursor or {}).get("n", 0) + number + 1}, utc_now(), done=number + 1, total=9
            )
            if beats.hold is not None:
                assert beats.hold.wait(20)
            if beats.breaks:
                beats.breaks -= 1
                raise SourceUnavailable("broke off")
            if stop():
                return
        beats.ended.append(self._size)

    def close(self) -> None:
        self._beats.closed.append(self._size)


def planned(name: str, beats: Beats, every_s: float = 3600.0, **options: int) -> PlannedJob:
    """Return a job of this name whose sources count in `beats`."""

    def make(interval_s: float, changed: Mapping[str, Any]) -> Job:
        checked = build(Options, {**options, **changed}, f"job.{name}.options", "scheduler.toml")
        return Job(name, Source(beats, checked.size), interval_s, 60.0)

    return PlannedJob(
        name=name,
        source="ticking",
        every_s=every_s,
        timeout_s=60.0,
        all_options={"size": options.get("size", 10)},
        mark=repr((every_s, options)),
        build=make,
    )


def until(holds: Callable[[], object], what: str, timeout_s: float = 15.0) -> None:
    """Wait until something holds; fail the test where it does not in time."""
    ends = time.monotonic() + timeout_s
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < ends, f"not within {timeout_s:g} s: {what}"
        pause.wait(0.02)
