"""Pure: counts by period to the shapes of a bar chart, in the units of its viewBox."""

from dataclasses import dataclass

from web.quality.counts import Period

WIDTH, HEIGHT = 960.0, 240.0
LEFT, BOTTOM, TOP = 40.0, 26.0, 10.0
WIDEST = 56.0
LABELS = 12
STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a period's bar; `series` is the place of its tracker."""

    x: float
    y: float
    width: float
    height: float
    series: int
    period: Period
    count: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the scale, or the place of a period's name."""

    at: float
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    """All shapes of a chart; `labels` are places of periods by their index."""

    bars: tuple[Bar, ...]
    lines: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    base: float = HEIGHT - BOTTOM


def chart(periods: tuple[Period, ...]) -> Chart:
    """Return the chart of these periods: stacked bars, from the bottom in the order of the trackers."""
    step = _step(max((period.count for period in periods), default=0))
    top = step * max(1, -(-max((period.count for period in periods), default=0) // step))
    scale = (HEIGHT - BOTTOM - TOP) / top
    slot = (WIDTH - LEFT) / max(1, len(periods))
    bars = [bar for place, period in enumerate(periods) for bar in _bars(period, place, slot, scale)]
    lines = [Mark(HEIGHT - BOTTOM - value * scale, value) for value in range(0, top + 1, step)]
    every = max(1, -(-len(periods) // LABELS))
    labels = [Mark(LEFT + slot * (place + 0.5), place) for place in range(0, len(periods), every)]
    return Chart(tuple(bars), tuple(lines), tuple(labels))


def _bars(period: Period, place: int, slot: float, scale: float) -> list[Bar]:
    width = min(WIDEST, slot * 0.8)
    x, y = LEFT + slot * place + (slot - width) / 2, HEIGHT - BOTTOM
    found = []
    for series, count in enumerate(period.parts):
        height = count * scale
        y -= height
        if count:
            found.append(
                Bar(round(x, 2), round(y, 2), round(width, 2), round(height, 2), series, period, count)
            )
    return found


def _step(highest: int) -> int:
    """Return a round distance between lines, so that there are at most six."""
    power = 1
    while True:
        for factor in STEPS:
            if factor * power * 5 >= highest:
                return factor * power
        power *= 10
