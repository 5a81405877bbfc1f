"""Pure: the history of a host to the shapes of its graph, in the units of the viewBox.

As SmokePing draws it: a band from the least to the most, the median in the colour of the loss. Where
nothing came back the whole height is red.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from storage.host_history import Bucket
from storage.models import HostOutage

WIDTH, HEIGHT = 960.0, 230.0
LEFT, BOTTOM, TOP = 52.0, 26.0, 10.0
BASE = HEIGHT - BOTTOM
BAR = 14.0
LOSSES = ((0.0, "none"), (0.05, "little"), (0.2, "some"), (0.5, "much"), (1.0, "most"))
STEPS = (1.0, 2.0, 2.5, 5.0)


@dataclass(frozen=True, slots=True)
class Stroke:
    """The median of one part; `loss` names its colour, "all" where nothing came back."""

    x: float
    width: float
    y: float
    loss: str
    bucket: Bucket


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the scale (`value` in ms), or the place of a time."""

    at: float
    value: float = 0.0
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the availability bar."""

    x: float
    width: float
    state: str  # of the table, or "up", or "none" before anything is known
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Graph:
    """All shapes; `bands` are points of polygons."""

    bands: tuple[str, ...]
    strokes: tuple[Stroke, ...]
    lines: tuple[Mark, ...]
    times: tuple[Mark, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    top: float = TOP
    base: float = BASE


def graph(buckets: Sequence[Bucket], labels: int) -> Graph:
    """Return the graph of equal parts of time, oldest first, with so many times below it."""
    slot = (WIDTH - LEFT) / len(buckets)
    step = _step(_highest(buckets))
    top = step * 4
    strokes = tuple(
        stroke for place, bucket in enumerate(buckets) if (stroke := _stroke(place, bucket, slot, top))
    )
    every = max(1, len(buckets) // labels)
    times = [Mark(_x(place, slot), moment=buckets[place].at) for place in range(0, len(buckets), every)]
    lines = [Mark(round(_y(step * n, top), 2), step * n) for n in range(5)]
    return Graph(tuple(_bands(buckets, slot, top)), strokes, tuple(lines), tuple(times))


def loss_of(bucket: Bucket) -> str:
    """Return the name of the class of its loss."""
    ratio = bucket.loss_ratio or 0.0
    if bucket.received == 0:
        return "all"
    return next(name for limit, name in LOSSES if ratio <= limit)


def availability(
    outages: Iterable[HostOutage], known_since: datetime | None, since: datetime, until: datetime
) -> tuple[tuple[Segment, ...], float | None]:
    """Return the bar, and the part of the known time in which it was up; None where nothing is known.

    Time in which nothing could be known of the host does not count.
    """
    begins_at = max(since, min(known_since or until, until))
    pieces = [("none", since, begins_at)]
    at = begins_at
    for outage in outages:
        start, end = max(at, outage.started_at), min(until, outage.ended_at or until)
        if end > start:
            pieces += [("up", at, start), (outage.state, start, end)]
            at = end
    pieces.append(("up", at, until))
    segments = tuple(_segment(*piece, since, until) for piece in pieces if piece[2] > piece[1])
    lengths = {state: _length(segments, state) for state in ("up", "down", "unreachable")}
    known = sum(lengths.values(), timedelta())
    return segments, lengths["up"] / known if known else None


def _length(segments: Iterable[Segment], state: str) -> timedelta:
    return sum((s.ends_at - s.begins_at for s in segments if s.state == state), timedelta())


def _segment(state: str, begins_at: datetime, ends_at: datetime, since: datetime, until: datetime) -> Segment:
    whole = until - since
    x = LEFT + (begins_at - since) / whole * (WIDTH - LEFT)
    width = (ends_at - begins_at) / whole * (WIDTH - LEFT)
    return Segment(round(x, 2), round(max(width, 0.8), 2), state, begins_at, ends_at)


def _stroke(place: int, bucket: Bucket, slot: float, top: float) -> Stroke | None:
    if bucket.sent == 0:
        return None
    y = TOP if bucket.median_ms is None else _y(bucket.median_ms, top)
    return Stroke(_x(place, slot), round(slot, 2), round(y, 2), loss_of(bucket), bucket)


def _bands(buckets: Sequence[Bucket], slot: float, top: float) -> Iterable[str]:
    """Return a polygon for each run of parts with answers: along the most, and back along the least."""
    places = list(enumerate(buckets))
    for is_answered, group in groupby(places, key=lambda pair: pair[1].median_ms is not None):
        if not is_answered:
            continue
        run = list(group)
        upper = [point for n, b in run for point in _edge(n, slot, _y(b.max_ms or 0.0, top))]
        lower = [
            point for n, b in reversed(run) for point in reversed(_edge(n, slot, _y(b.min_ms or 0.0, top)))
        ]
        yield " ".join(upper + lower)


def _edge(place: int, slot: float, y: float) -> list[str]:
    x = _x(place, slot)
    return [f"{x:g},{y:.1f}", f"{round(x + slot, 2):g},{y:.1f}"]


def _x(place: int, slot: float) -> float:
    return round(LEFT + place * slot, 2)


def _y(value_ms: float, top: float) -> float:
    """Return the height of a time; what is above the scale is cut off."""
    return BASE - min(value_ms / top, 1.0) * (BASE - TOP)


def _highest(buckets: Sequence[Bucket]) -> float:
    """Return what the scale must hold: all but the highest twentieth, so that one peak hides nothing."""
    highs = sorted(bucket.max_ms for bucket in buckets if bucket.max_ms is not None)
    medians = [bucket.median_ms for bucket in buckets if bucket.median_ms is not None]
    return max([*medians, highs[int(len(highs) * 0.95)]]) if highs else 1.0


def _step(highest: float) -> float:
    """Return a round distance of four lines."""
    power = 0.001
    while True:
        for factor in STEPS:
            if factor * power * 4 >= highest:
                return factor * power
        power *= 10
