"""Trouble on order: what a network, a proxy or a broken Redmine may do to a request.

A fault applies to the next `times` requests that fit `method` and `path` (a regular expression searched in
the path), after letting `skip` of them through; faults are tried in the order of adding.
"""

import re
import threading
from dataclasses import dataclass
from typing import Literal

from daemon.demo.exchange import HTML_TYPE, JSON_TYPE, Answer

Kind = Literal["answer", "stall", "reset", "hang_up", "truncate"]

_UNAVAILABLE = Answer(503)
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Redmine</title></head><body>%s</body></html>"


@dataclass(frozen=True, slots=True)
class Aim:
    """Which requests a fault hits; `times` None = all until the faults are cleared."""

    path: str = ""
    method: str = ""
    times: int | None = 1
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """`performed`: Redmine does what was asked, and only its answer suffers.

    answer: `answer` goes out instead. stall: nothing for `seconds`, then the real answer; with `mid_body`
    half of it comes first. reset: the connection is torn down (RST), hang_up: closed (FIN); with `mid_body`
    after half of the answer. truncate: only half of the body, with a Content-Length that fits it.
    """

    kind: Kind
    performed: bool = True
    answer: Answer = _UNAVAILABLE
    seconds: float = 0.0
    mid_body: bool = False


class _Order:
    """A fault with the count of requests it has still to let through and to hit."""

    def __init__(self, fault: Fault, aim: Aim) -> None:
        self.fault = fault
        self._aim = aim
        self._path = re.compile(aim.path)
        self._skip = aim.skip
        self._left = aim.times

    @property
    def done(self) -> bool:
        return self._left == 0

    def hits(self, method: str, path: str) -> bool:
        if self.done or self._aim.method not in ("", method) or not self._path.search(path):
            return False
        if self._skip:
            self._skip -= 1
            return False
        if self._left is not None:
            self._left -= 1
        return True


class Faults:
    """The faults on order. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[_Order] = []

    def add(self, fault: Fault, aim: Aim | None = None) -> None:
        """Order the fault, for the next request of any kind unless `aim` says otherwise."""
        with self._lock:
            self._orders.append(_Order(fault, aim or Aim()))

    def status(
        self,
        status: int,
        aim: Aim | None = None,
        *,
        retry_after: str | None = None,
        body: bytes = b"",
        performed: bool = False,
    ) -> None:
        """Answer with the status, `Retry-After` and body given."""
        headers = () if retry_after is None else (("Retry-After", retry_after),)
        self.add(Fault("answer", performed, Answer(status, body, JSON_TYPE, headers)), aim)

    def conflict(self, aim: Aim | None = None) -> None:
        """422 with an empty list, nothing done: Redmine's answer when two people save at once."""
        self.add(Fault("answer", performed=False, answer=Answer.errors([])), aim)

    def html(self, aim: Aim | None = None, *, status: int = 200, text: str = "Log in") -> None:
        """A page for people where JSON was asked for, as a proxy or a log-in form sends it."""
        self.add(
            Fault("answer", performed=False, answer=Answer(status, _PAGE % text.encode(), HTML_TYPE)), aim
        )

    def redirect(self, location: str, aim: Aim | None = None) -> None:
        """302 to the address; a path stays on this server."""
        answer = Answer(302, _PAGE % b"redirected", HTML_TYPE, (("Location", location),))
        self.add(Fault("answer", performed=False, answer=answer), aim)

    def stall(self, seconds: float, aim: Aim | None = None, *, mid_body: bool = False) -> None:
        """Silence for so long, then the answer; cut short by the server's stop."""
        self.add(Fault("stall", seconds=seconds, mid_body=mid_body), aim)

    def reset(self, aim: Aim | None = None, *, mid_body: bool = False, performed: bool = True) -> None:
        """Tear the connection down."""
        self.add(Fault("reset", performed, mid_body=mid_body), aim)

    def hang_up(self, aim: Aim | None = None, *, mid_body: bool = False, performed: bool = True) -> None:
        """Close the connection without the whole answer."""
        self.add(Fault("hang_up", performed, mid_body=mid_body), aim)

    def truncate(self, aim: Aim | None = None) -> None:
        """Half a JSON text that claims to be whole."""
        self.add(Fault("truncate"), aim)

    def clear(self) -> None:
        """Cancel all orders."""
        with self._lock:
            self._orders.clear()

    @property
    def pending(self) -> int:
        """How many orders are not used up."""
        with self._lock:
            return len(self._orders)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, if any; each order counts only requests that reach it."""
        with self._lock:
            for order in self._orders:
                if order.hits(method, path):
                    self._orders = [o for o in self._orders if not o.done]
                    return order.fault
        return None
