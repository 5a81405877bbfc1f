"""The state machine: what each course of answers makes of a host, and what of it is told."""

import pytest

from daemon.hosts.values import Watched
from tests.hosts.stage import MINUTE, NOON, Stage, alone, behind

COURSES = [
    ("++++", [], "up"),
    ("+--+", [], "up"),
    ("+---", ["down a"], "down"),
    ("+---------", ["down a"], "down"),
    ("+---+", ["down a"], "down"),
    ("+---++", ["down a", "up a"], "up"),
    ("+---++++", ["down a", "up a"], "up"),
    ("+---+-++", ["down a", "up a"], "up"),
    ("+---++---++", ["down a", "up a", "down a", "up a"], "up"),
    ("---", [], "down"),
    ("--", [], "unknown"),
    ("---++", [], "up"),
    ("---++---", ["down a"], "down"),
    ("?", [], "unknown"),
    ("+?", [], "unknown"),
    ("+?+", [], "up"),
    ("+?---", ["down a"], "down"),
    ("+--?--", [], "unknown"),
    ("+---?", ["down a"], "unknown"),
    ("+---?+", ["down a"], "unknown"),
    ("+---?++", ["down a", "up a"], "up"),
    ("+---?---", ["down a"], "down"),
]


@pytest.mark.parametrize(("script", "told", "state"), COURSES, ids=[course[0] for course in COURSES])
def test_a_course_of_answers(script: str, told: list[str], state: str) -> None:
    stage = alone()
    assert stage.play("a", script) == told
    assert stage.state("a") == state


@pytest.mark.parametrize(("failures", "successes"), [(1, 1), (2, 1), (1, 3), (5, 4)])
def test_it_takes_as_many_checks_as_are_configured(failures: int, successes: int) -> None:
    stage = Stage([Watched(1, "a", failures=failures, successes=successes)])
    stage.play("a", "+")
    assert stage.play("a", "-" * (failures - 1)) == []
    assert stage.play("a", "-") == ["down a"]
    assert stage.play("a", "+" * (successes - 1)) == []
    assert stage.play("a", "+") == ["up a"]


def test_an_outage_lasts_from_the_first_failure_to_the_last_success() -> None:
    stage = alone()
    stage.play("a", "++---++")
    down, up = stage.told
    assert down.since == up.since == NOON + 2 * MINUTE
    assert (down.at, up.at) == (NOON + 4 * MINUTE, NOON + 6 * MINUTE)
    assert down.reason == "no_answer"


def test_what_is_behind_a_gateway_is_unreachable_and_told_of_by_the_gateway_alone() -> None:
    stage = behind()
    stage.sweep({})
    gone = dict.fromkeys(("gw", "a", "b", "c"), False)
    assert stage.sweeps(6, gone) == ["down gw"]
    assert [stage.state(name) for name in ("gw", "a", "b", "c", "x")] == [
        "down", "unreachable", "unreachable", "unreachable", "up",
    ]  # fmt: skip
    assert stage.states[4].reason == "parent gw"
    assert stage.sweeps(3, {}) == ["up gw"]
    assert {stage.state(name) for name in ("gw", "a", "b", "c", "x")} == {"up"}


def test_what_stays_away_when_the_gateway_is_back_is_down_after_all() -> None:
    stage = behind()
    stage.sweep({})
    stage.sweeps(4, dict.fromkeys(("gw", "a", "b", "c"), False))
    stage.told.clear()
    assert stage.sweeps(2, {"a": False}) == ["up gw"]
    assert stage.sweeps(1, {"a": False}) == []
    assert stage.sweeps(3, {"a": False}) == ["down a"]


def test_a_child_waits_for_the_verdict_on_its_gateway() -> None:
    """The child may take fewer failures than the gateway: it is still the gateway that is told of."""
    stage = Stage([Watched(1, "gw", failures=5), Watched(2, "a", "gw", failures=1), Watched(3, "x")])
    stage.sweep({})
    assert stage.sweeps(8, {"gw": False, "a": False}) == ["down gw"]
    assert stage.state("a") == "unreachable"


def test_a_child_that_was_down_before_stays_down() -> None:
    stage = behind()
    stage.sweep({})
    assert stage.sweeps(4, {"a": False}) == ["down a"]
    assert stage.sweeps(4, {"gw": False, "a": False, "b": False, "c": False}) == ["down gw"]
    assert stage.state("a") == "down"
    assert stage.sweeps(3, {}) == ["up gw", "up a"]


def many(count: int = 10) -> Stage:
    stage = Stage([Watched(n + 1, f"h{n}") for n in range(count)])
    stage.sweep({})
    return stage


def test_when_everything_fails_our_own_network_is_told_of_once() -> None:
    stage = many()
    gone = {host.name: False for host in stage.hosts}
    assert stage.sweeps(2, gone) == []
    assert {stage.state(host.name) for host in stage.hosts} == {"up"}
    assert stage.sweeps(10, gone) == ["network_lost"]
    assert {stage.state(host.name) for host in stage.hosts} == {"unknown"}
    assert stage.sweeps(3, {}) == ["network_back"]
    assert {stage.state(host.name) for host in stage.hosts} == {"up"}
    lost, back = stage.told
    assert (lost.failing, lost.total, lost.since) == (10, 10, NOON + MINUTE)
    assert back.since == lost.since


def test_a_breath_of_loss_everywhere_is_nothing() -> None:
    stage = many()
    gone = {host.name: False for host in stage.hosts}
    assert stage.sweeps(2, gone) + stage.sweeps(2, {}) + stage.sweeps(2, gone) + stage.sweeps(1, {}) == []
    assert stage.network.failures == 0


def test_what_stays_away_when_our_network_is_back_is_told_by_itself() -> None:
    stage = many()
    stage.sweeps(5, {host.name: False for host in stage.hosts})
    assert stage.sweeps(4, {"h0": False}) == ["network_back", "down h0"]


@pytest.mark.parametrize(
    ("total", "failing", "told"),
    [(10, 7, 7), (10, 8, 1), (2, 2, 2), (3, 3, 1), (3, 2, 2)],
    ids=["most-but-not-enough", "enough", "too-few-to-tell", "just-enough-hosts", "two-of-three"],
)
def test_how_many_must_fail_for_our_own_network(total: int, failing: int, told: int) -> None:
    stage = many(total)
    said = stage.sweeps(5, {f"h{n}": False for n in range(failing)})
    assert len(said) == told
    assert ("network_lost" in said) == (told == 1)


def test_hosts_that_never_were_up_say_nothing_of_our_network() -> None:
    stage = Stage([Watched(n + 1, f"h{n}") for n in range(10)])
    gone = {f"h{n}": False for n in range(1, 10)}
    assert stage.sweeps(5, gone) == []
    assert stage.sweeps(5, gone | {"h0": False}) == ["down h0"]


def test_a_gateway_is_no_network() -> None:
    """Everything behind one gateway: it is the gateway that is told of, as that says more."""
    stage = Stage([Watched(1, "gw"), *(Watched(n, f"h{n}", "gw") for n in range(2, 12))])
    stage.sweep({})
    assert stage.sweeps(6, {host.name: False for host in stage.hosts}) == ["down gw"]


def test_hosts_asked_again_by_themselves_are_no_network() -> None:
    """Those that fail are asked more often than those that do not: the others' last answers count."""
    stage = many()
    gone = {"h0": False, "h1": False, "h2": False}
    stage.sweep(gone)
    assert stage.sweep(gone, only=gone) == []
    assert sorted(stage.sweep(gone, only=gone)) == ["down h0", "down h1", "down h2"]


def test_a_host_that_flaps_is_told_of_once_and_once_when_it_is_stable() -> None:
    stage = Stage([Watched(1, "a", failures=1, successes=1), Watched(2, "x")])
    stage.play("a", "+" * 20)
    told = stage.play("a", "-+" * 20)
    assert told == ["down a", "up a", "down a", "up a", "down a", "flapping a"]
    assert stage.play("a", "+" * 14) == []
    assert stage.play("a", "+" * 10) == ["up a settled"]
    assert stage.play("a", "-") == ["down a"]


def test_flapping_ends_below_where_it_begins() -> None:
    """30 % of the last 20 checks: six changes begin it, five keep it, four end it."""
    stage = Stage([Watched(1, "a", failures=1, successes=1), Watched(2, "x")])
    stage.play("a", "+" * 21)
    seen = []
    for sign in "-+-+-" + "+" * 20:
        stage.play("a", sign)
        changes = sum(
            a != b for a, b in zip(stage.states[1].results, stage.states[1].results[1:], strict=False)
        )
        seen.append((changes, stage.states[1].is_flapping))
    begun = seen.index((6, True))
    assert not any(flaps for changes, flaps in seen[:begun])
    assert (5, True) in seen[begun:]
    assert (4, False) in seen[begun:]
    assert (4, True) not in seen


def test_a_host_that_settles_down_is_told_to_be_down() -> None:
    stage = Stage([Watched(1, "a", failures=1, successes=1), Watched(2, "x")])
    stage.play("a", "+" * 20 + "-+" * 5)
    stage.told.clear()
    assert stage.play("a", "-" * 20)[-1] == "down a"
    assert len(stage.told) == 1


def test_maintenance_silences_and_what_is_left_of_it_is_told_after() -> None:
    stage = alone()
    stage.play("a", "+")
    stage.silence("a", minutes=60, kind="maintenance")
    assert stage.play("a", "-----++--") == []
    stage.end_maintenance("a")
    assert stage.play("a", "-") == ["down a"]
    stage.silence("a", minutes=60, kind="maintenance")
    assert stage.play("a", "+++") == []
    stage.end_maintenance("a")
    assert stage.play("a", "+") == ["up a"]


def test_an_outage_within_maintenance_is_never_told() -> None:
    stage = alone()
    stage.play("a", "+")
    stage.silence("a", minutes=60, kind="maintenance")
    stage.play("a", "-----++")
    stage.end_maintenance("a")
    assert stage.play("a", "+++") == []


def test_an_acknowledged_host_is_told_again_when_that_runs_out() -> None:
    stage = alone()
    assert stage.play("a", "+---") == ["down a"]
    stage.silence("a", minutes=5, kind="acknowledgement")
    assert stage.play("a", "-----") == []
    assert stage.play("a", "---") == ["down a again"]


def test_an_acknowledgement_ends_with_its_outage() -> None:
    """Nobody has looked after the next outage yet: it is told, or it would be silent for up to a month."""
    stage = alone()
    assert stage.play("a", "+---") == ["down a"]
    stage.silence("a", minutes=60, kind="acknowledgement")
    assert stage.play("a", "-++---") == ["up a", "down a"]
    assert stage.play("a", "-" * 60) == []  # nor is it told when the old one would have run out


def test_an_acknowledgement_of_what_was_not_told_yet_holds() -> None:
    """Whoever saw it on the page before it was certain looks after this outage too."""
    stage = alone()
    stage.play("a", "+-")
    stage.silence("a", minutes=10, kind="acknowledgement")
    assert stage.play("a", "-----") == []
    assert stage.play("a", "------") == ["down a again"]


def test_an_acknowledged_outage_that_flaps_is_silent_until_it_settles() -> None:
    """A breath of an answer is no recovery: it takes two."""
    stage = alone()
    assert stage.play("a", "+" * 20 + "---") == ["down a"]
    stage.silence("a", minutes=600, kind="acknowledgement")
    assert stage.play("a", "+-" * 15) == []
    assert stage.states[1].is_flapping
    assert stage.play("a", "++--" * 5) == []
    assert stage.play("a", "-" * 30) == []
    assert stage.play("a", "++") == ["up a"]


def test_a_host_that_flaps_slowly_after_an_acknowledgement_is_damped_as_any() -> None:
    stage = alone()
    assert stage.play("a", "+" * 20 + "---") == ["down a"]
    stage.silence("a", minutes=600, kind="acknowledgement")
    assert stage.play("a", "++---" * 20) == ["up a", "down a", "up a", "down a", "flapping a"]


def test_what_fails_when_the_end_of_an_outage_is_told_is_another_one() -> None:
    stage = alone()
    stage.play("a", "+---")
    stage.silence("a", minutes=600, kind="maintenance")
    stage.play("a", "++++-")
    stage.end_maintenance("a")
    assert stage.play("a", "---") == ["up a", "down a"]
    first, _, second = stage.told
    assert second.since > first.since


def test_no_check_is_no_state_of_its_own() -> None:
    """Without permission, or without an address, nothing is told, whatever was before."""
    stage = alone()
    assert stage.play("a", "+??????") == []
    assert stage.states[1].reason == "not_permitted"
