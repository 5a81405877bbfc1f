"""One line of `helpdesk check`: what was looked at, how it is, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "off", "warning", "fault"]
# What monitoring programs expect of a check: 0 well, 1 to be looked at, 2 broken.
EXIT_CODES: dict[State, int] = {"ok": 0, "off": 0, "warning": 1, "fault": 2}


@dataclass(frozen=True, slots=True)
class Row:
    """`name` is that of a table in the file, and a part of it; `cure` is empty only where nothing is wrong.

    `off`: there is nothing to look at, or it cannot be looked at because of another row.
    """

    name: str
    state: State
    found: str
    cure: str = ""


def well(name: str, found: str) -> Row:
    """Return a line of what is as it should be."""
    return Row(name, "ok", found)


def off(name: str, why: str) -> Row:
    """Return a line of what was not looked at."""
    return Row(name, "off", why)


def warning(name: str, found: str, cure: str) -> Row:
    """Return a line of what works, and should not stay so."""
    return Row(name, "warning", found, cure)


def fault(name: str, found: str, cure: str) -> Row:
    """Return a line of what does not work."""
    return Row(name, "fault", found, cure)


def worst(rows: Iterable[Row]) -> State:
    """Return the state of all together."""
    return max((row.state for row in rows), key=lambda state: (EXIT_CODES[state], state), default="ok")
