"""Pure: runs to the bars of a graph of their durations, in the units of its viewBox."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.models import JobRun

WIDTH, HEIGHT, LEAST = 600.0, 80.0, 2.0
MOST = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One run."""

    x: float
    y: float
    width: float
    height: float
    run: JobRun


@dataclass(frozen=True, slots=True)
class Graph:
    """The bars, oldest first, and the duration that the highest stands for."""

    bars: tuple[Bar, ...]
    top_ms: int
    width: float = WIDTH
    height: float = HEIGHT


def graph(runs: Sequence[JobRun]) -> Graph:
    """Return the graph of these runs (newest first, as they are listed); those under way are left out."""
    ended = [run for run in runs if run.duration_ms is not None][:MOST][::-1]
    top_ms = max((run.duration_ms or 0 for run in ended), default=0)
    slot = WIDTH / MOST
    bars = []
    for place, run in enumerate(ended):
        height = LEAST + (HEIGHT - LEAST) * (run.duration_ms or 0) / max(1, top_ms)
        bars.append(
            Bar(round(place * slot, 2), round(HEIGHT - height, 2), slot * 0.75, round(height, 2), run)
        )
    return Graph(tuple(bars), top_ms)
