"""Names to addresses: each by itself, and never longer than the time-out."""

import threading
from collections.abc import Iterator

import pytest

from daemon.clients.host_names import THREADS, Names, Resolved, system_lookup


class Resolver:
    """A resolver that knows some names; others hang until the test ends."""

    def __init__(self) -> None:
        self.known: dict[str, list[str]] = {"a.example": ["10.0.0.1", "10.0.0.2"], "none.example": []}
        self.hanging: set[str] = set()
        self.asked: list[str] = []
        self.go_on = threading.Event()
        self.now_s = 0.0

    def __call__(self, name: str, family: int) -> list[str]:
        self.asked.append(name)
        if name in self.hanging:
            self.go_on.wait(30)
        if name not in self.known:
            raise OSError(-2, "Name or service not known")
        return self.known[name]


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    """A resolver; what hangs in it ends with the test."""
    made = Resolver()
    yield made
    made.go_on.set()


def names(resolver: Resolver, timeout_s: float = 10.0) -> Names:
    return Names(timeout_s=timeout_s, lookup=resolver, clock=lambda: resolver.now_s)


def one(made: Names, name: str) -> Resolved:
    return made.resolve([(name, "any")])[name, "any"]


def test_addresses_are_not_looked_up(resolver: Resolver) -> None:
    for address in ("10.0.0.9", "fd00::1", "fe80::1%eth0"):
        assert one(names(resolver), address) == Resolved(address)
    assert resolver.asked == []


def test_each_name_is_looked_up_by_itself(resolver: Resolver) -> None:
    found = names(resolver).resolve([(name, "any") for name in ("a.example", "gone.example", "none.example")])
    assert [resolved.ip for resolved in found.values()].count("10.0.0.1") == 1
    assert found["gone.example", "any"] == Resolved("", "not_resolved Name or service not known")
    assert found["none.example", "any"] == Resolved("", "not_resolved no address")


def test_what_is_known_is_not_asked_again_until_it_is_old(resolver: Resolver) -> None:
    made = names(resolver)
    for now_s, times in ((0, 1), (299, 1), (301, 2)):
        resolver.now_s = now_s
        assert one(made, "a.example").ip == "10.0.0.1"
        assert len(resolver.asked) == times


def test_a_failure_is_forgotten_sooner(resolver: Resolver) -> None:
    made = names(resolver)
    assert one(made, "new.example").ip == ""
    resolver.known["new.example"] = ["10.0.0.3"]
    assert one(made, "new.example").ip == ""
    resolver.now_s = 31
    assert one(made, "new.example") == Resolved("10.0.0.3")


def test_a_name_that_fails_later_keeps_its_address(resolver: Resolver) -> None:
    made = names(resolver)
    one(made, "a.example")
    del resolver.known["a.example"]
    resolver.now_s = 301
    assert one(made, "a.example") == Resolved("10.0.0.1", "not_resolved Name or service not known")


def test_names_that_hang_hold_up_nobody_else(resolver: Resolver) -> None:
    resolver.hanging = {f"slow{n}.example" for n in range(THREADS - 1)}
    made = names(resolver, timeout_s=0.2)
    found = made.resolve([(name, "any") for name in (*resolver.hanging, "a.example")])
    assert {resolved.problem for (name, _), resolved in found.items() if name != "a.example"} == {
        "not_resolved_in_time"
    }
    assert one(names(resolver), "a.example").ip == "10.0.0.1"
    assert len([name for name in resolver.asked if name in resolver.hanging]) == THREADS - 1
    made.resolve([(name, "any") for name in resolver.hanging])
    assert len([name for name in resolver.asked if name in resolver.hanging]) == THREADS - 1


@pytest.mark.parametrize("name", ["with space", "x" * 300, "..", "имя." + "я" * 70 + ".example"])
def test_what_cannot_be_a_name_is_said_so(name: str) -> None:
    found = one(Names(timeout_s=20, lookup=system_lookup), name)
    assert found.ip == ""
    assert found.problem.startswith("not_resolved")


def test_the_system_knows_this_machine() -> None:
    assert one(Names(timeout_s=20), "localhost").ip in {"127.0.0.1", "::1"}
