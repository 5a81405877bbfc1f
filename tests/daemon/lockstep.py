"""Scenarios that are played one by one on the demo Redmine, and all at once on the slower real one.

A scenario is a generator: it does something, yields what is to be run next (`POLL`, `RECONCILE`), and looks
at what came of it. It must mind its own issues only.
"""

from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.daemon.conftest import Engine

POLL, RECONCILE = "poll", "reconcile"
Play = Iterator[str]
Scenario = Callable[[Engine], Play]


def play(engine: Engine, scenarios: Sequence[Scenario]) -> None:
    """Play scenarios side by side; whoever waits for a poll gets it before others are reconciled."""
    plays = [scenario(engine) for scenario in scenarios]
    waiting = {number: next(one) for number, one in enumerate(plays)}
    while waiting:
        phase = POLL if POLL in waiting.values() else RECONCILE
        _run(engine, phase)
        for number in [number for number, wanted in waiting.items() if wanted == phase]:
            wanted = next(plays[number], "")
            if wanted:
                waiting[number] = wanted
            else:
                del waiting[number]


def _run(engine: Engine, phase: str) -> None:
    if phase == POLL:
        engine.poll()
    else:
        engine.reconcile()
    engine.settle()


def cases(*scenarios: Scenario) -> pytest.MarkDecorator:
    """Parametrise a test by `engine` and `scenarios`: each alone on the demo, all together on the real."""
    alone = [
        pytest.param("demo", (scenario,), id=f"{scenario.__name__.replace('_', '-')}-demo")
        for scenario in scenarios
    ]
    together = pytest.param("real", scenarios, marks=pytest.mark.real, id="all-at-once-real")
    return pytest.mark.parametrize(("any_redmine", "scenarios"), [*alone, together], indirect=["any_redmine"])
