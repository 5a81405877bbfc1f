"""Names of hosts to addresses: each by itself, apart from whoever asks, with a time-out and a memory.

The system's resolver cannot be interrupted. A lookup that hangs holds one of our threads until the
resolver gives up, and its name keeps the address that it had.
"""

import ipaddress
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

THREADS = 16
Lookup = Callable[[str, int], list[str]]
Wanted = tuple[str, Literal["any", "ipv4", "ipv6"]]
_FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


@dataclass(frozen=True, slots=True)
class Resolved:
    """An address, or why there is none: `ip` is "" where there never was one."""

    ip: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    found: Resolved
    until_s: float


def system_lookup(name: str, family: int) -> list[str]:
    """Ask the system. Raises OSError or UnicodeError (a name that cannot be one)."""
    found = socket.getaddrinfo(name, None, family=family, type=socket.SOCK_DGRAM)
    return [str(entry[4][0]) for entry in found]


class Names:
    """Resolves many names at once."""

    def __init__(
        self,
        *,
        timeout_s: float,
        fresh_s: float = 300.0,
        failed_fresh_s: float = 30.0,
        lookup: Lookup = system_lookup,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout_s = timeout_s
        self._fresh_s = {True: fresh_s, False: failed_fresh_s}
        self._lookup = lookup
        self._clock = clock
        self._known: dict[Wanted, _Known] = {}
        self._queue: deque[Wanted] = deque()
        self._asked: set[Wanted] = set()
        self._threads = 0
        self._changed = threading.Condition()

    def resolve(self, wanted: Iterable[Wanted]) -> Mapping[Wanted, Resolved]:
        """Return what is known of each after the time-out at the latest.

        A name whose lookup failed or takes too long keeps the address that it had, with the problem.
        """
        names = set(wanted)
        literal = {name: Resolved(name[0]) for name in names if _is_literal(name[0])}
        with self._changed:
            for name in names - literal.keys():
                self._ask(name)
            self._changed.wait_for(lambda: not self._asked & names, self._timeout_s)
            return literal | {name: self._state(name) for name in names - literal.keys()}

    def _ask(self, name: Wanted) -> None:
        known = self._known.get(name)
        if name in self._asked or (known and known.until_s > self._clock()):
            return
        self._asked.add(name)
        self._queue.append(name)
        if self._threads < THREADS:
            self._threads += 1
            threading.Thread(target=self._work, name="host-names", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._queue:
                    self._threads -= 1
                    return
                name = self._queue.popleft()
            found = self._look_up(name)
            with self._changed:
                self._remember(name, found)
                self._asked.discard(name)
                self._changed.notify_all()

    def _look_up(self, name: Wanted) -> Resolved:
        try:
            addresses = self._lookup(name[0], _FAMILIES[name[1]])
        except (OSError, UnicodeError) as e:
            return Resolved("", f"not_resolved {getattr(e, 'strerror', None) or 'it is no name'}")
        return Resolved(addresses[0]) if addresses else Resolved("", "not_resolved no address")

    def _remember(self, name: Wanted, found: Resolved) -> None:
        before = self._known.get(name)
        kept = found if found.ip or before is None else Resolved(before.found.ip, found.problem)
        self._known[name] = _Known(kept, self._clock() + self._fresh_s[bool(found.ip)])

    def _state(self, name: Wanted) -> Resolved:
        known = self._known.get(name)
        if name in self._asked:
            return Resolved(known.found.ip if known else "", "not_resolved_in_time")
        return known.found if known else Resolved("", "not_resolved_in_time")


def _is_literal(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True
