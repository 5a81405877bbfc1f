"""What is to run: the jobs of the file, each with the way to build it as an administrator changed it."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import uniform
from typing import Any

from apscheduler.triggers.base import BaseTrigger

from daemon.pipeline import Job

JITTER_SHARE, MOST_JITTER_S, LEAST_INTERVAL_S = 0.05, 30.0, 60.0


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job as the file has it. `mark` is another where anything that it is built from is.

    `build(every_s, options)` builds it with that interval and with these options laid over the file's; it
    raises ConfigError as the file would. `all_options` are the file's, with the defaults of the others.
    """

    name: str
    source: str
    every_s: float
    timeout_s: float
    all_options: Mapping[str, Any]
    mark: str
    build: Callable[[float, Mapping[str, Any]], Job] = field(repr=False, compare=False)

    def facts(self, every_s: float) -> dict[str, Any]:
        """Return what pages show of it; `every_s` is the effective interval."""
        return {
            "source": self.source,
            "every_s": self.every_s,
            "timeout_s": self.timeout_s,
            "options": json.loads(json.dumps(dict(self.all_options), default=str)),
            "jitter_s": jitter_s(every_s),
        }


def jitter_s(every_s: float) -> float:
    """Return by how much a run may begin later than its time: nothing where people wait for it."""
    return 0.0 if every_s < LEAST_INTERVAL_S else round(min(every_s * JITTER_SHARE, MOST_JITTER_S), 1)


class Steady(BaseTrigger):
    """Fires on a grid that never drifts, each time later than the grid by up to the jitter.

    APScheduler's own interval counts from the last run, jitter included: that walks away from the grid.
    """

    def __init__(self, every_s: float, start: datetime) -> None:
        self._every = timedelta(seconds=every_s)
        self._jitter_s = jitter_s(every_s)
        self._start = start

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        """Return the next time after `now`."""
        place = math.floor((now - self._start) / self._every) + 1
        late = timedelta(seconds=uniform(0.0, self._jitter_s))  # noqa: S311 - not a secret
        return self._start + place * self._every + late
