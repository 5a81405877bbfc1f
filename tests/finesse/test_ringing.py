"""When a call that rings is told, and when not."""

from datetime import UTC, datetime, timedelta

import pytest

from daemon import render
from daemon.clients.errors import SourceUnavailable
from daemon.clients.finesse import Calls
from daemon.clients.finesse_values import Call
from daemon.finesse.ringing import People, Rings, addressed, compare
from daemon.values import Colleague

AT = datetime(2024, 1, 16, 14, 15, tzinfo=UTC)
NOW = int(AT.timestamp())
BEFORE = NOW - 5
DOWN = SourceUnavailable("out of service")
ANN = Colleague(1, "ann", "", "user", "en", "UTC")


def call(dialog: str, state: str = "ALERTING", **changed: object) -> Call:
    given = {"secondary_id": "", "agent": "1001", "call_id": dialog, "is_outgoing": False}
    rest = {"number": "84951234567", "queue": "", "since": AT, "changed_at": AT}
    return Call(id=dialog, state=state, **{**given, **rest, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "calls", "told", "rings"),
    [
        pytest.param({}, (call("1"),), ["1"], {"1": NOW}, id="it begins to ring"),
        pytest.param({"1": BEFORE}, (call("1"),), [], {"1": BEFORE}, id="it rings on"),
        pytest.param({"1": BEFORE}, (call("1", "ACTIVE"),), [], {}, id="it is taken"),
        pytest.param({"1": BEFORE}, (), [], {}, id="it is over"),
        pytest.param({}, (call("1", "ACTIVE"),), [], {}, id="taken before we looked"),
        pytest.param({}, (call("1", is_outgoing=True),), [], {}, id="the agent calls"),
        pytest.param({}, (call("1"), call("2")), ["1", "2"], {"1": NOW, "2": NOW}, id="two at once"),
        pytest.param({"1": BEFORE}, (call("1"), call("2")), ["2"], {"1": BEFORE, "2": NOW}, id="another one"),
        pytest.param(
            {"1": BEFORE}, (call("2", secondary_id="1"),), [], {"2": BEFORE}, id="transferred while it rings"
        ),
        pytest.param({}, (call("2", secondary_id="1"),), ["2"], {"2": NOW}, id="transferred to this agent"),
        pytest.param({}, (call("1", "OFFERED"), call("2", "ODD")), [], {}, id="states that do not ring"),
    ],
)
def test_what_is_told(
    before: dict[str, int], calls: tuple[Call, ...], told: list[str], rings: dict[str, int]
) -> None:
    found = compare({"1001": before} if before else {}, Calls({"1001": calls}), AT)
    assert [one.id for one in found.new] == told
    assert found.rings == ({"1001": rings} if rings else {})


def test_who_could_not_be_read_is_not_told_again_afterwards() -> None:
    before: Rings = {"1001": {"1": BEFORE}, "1002": {"2": BEFORE}}
    missed = compare(before, Calls({"1002": ()}, {"1001": DOWN}), AT)
    assert missed.rings == {"1001": {"1": BEFORE}}
    assert compare(missed.rings, Calls({"1001": (call("1"),)}), AT).new == ()


def test_the_same_dialog_rings_two_agents_and_each_is_told() -> None:
    bob = Colleague(2, "bob", "", "user", "ru", "UTC")
    found = compare({}, Calls({"1001": (call("1"),), "1002": (call("1", agent="1002"),)}), AT)
    news = addressed(found, People({"1001": ANN, "1002": bob}), AT)
    assert [(one.member.user_id, one.reasons) for one in news] == [(1, ("agent",)), (2, ("agent",))]
    assert len({one.change.key for one in news}) == 2


def test_a_number_of_a_dialog_that_is_used_again_is_another_call() -> None:
    keys = set()
    for moment in (AT, AT + timedelta(days=1)):
        [one] = addressed(compare({}, Calls({"1001": (call("1"),)}), moment), People({"1001": ANN}), moment)
        keys.add(one.change.key)
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("changed", "names", "english", "russian"),
    [
        ({}, {"84951234567": "Eve"}, "Eve is calling: 84951234567", "Звонит Eve: 84951234567"),
        ({}, {}, "84951234567 is calling", "Звонит 84951234567"),
        ({"number": ""}, {}, "A withheld number is calling", "Звонит скрытый номер"),
        ({"number": ""}, {"": "Eve"}, "Eve is calling", "Звонит Eve"),
        (
            {"queue": "Sales"},
            {},
            "84951234567 is calling (queue Sales)",
            "Звонит 84951234567 (очередь Sales)",
        ),
    ],
)
def test_the_words(changed: dict[str, str], names: dict[str, str], english: str, russian: str) -> None:
    seen = Calls({"1001": (call("dialog7", **changed),)})
    [one] = addressed(compare({}, seen, AT), People({"1001": ANN}, names), AT)
    assert render.texts(one.change, "call", "en") == ("Incoming call", english)
    assert render.texts(one.change, "call", "ru") == ("Входящий звонок", russian)
    row = render.row(one)
    assert (row["thread"], row["issue_id"], row["type"]) == ("call:dialog7", None, "call")
