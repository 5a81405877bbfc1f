"""Whether hosts answer on a TCP port: for those that may not be pinged."""

import contextlib
import errno
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

AT_ONCE = 256
LONGEST_WAIT_S = 0.1
Target = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Connected:
    """What came of one attempt; `rtt_ms` is None where there was no answer, and `problem` says why."""

    rtt_ms: float | None
    problem: str = ""


@dataclass(slots=True)
class _Attempt:
    target: Target
    began_s: float


def check(
    targets: Iterable[Target], timeout_s: float, stop: Callable[[], bool] = lambda: False
) -> Mapping[Target, Connected]:
    """Connect to each once, many at a time. A host that refuses the connection is there."""
    waiting = list(dict.fromkeys(targets))
    found: dict[Target, Connected] = {}
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        while (waiting or selector.get_map()) and not stop():
            while waiting and len(selector.get_map()) < AT_ONCE:
                _begin(waiting.pop(), selector, stack, found)
            _finish(selector, timeout_s, found)
    return found


def _begin(
    target: Target,
    selector: selectors.BaseSelector,
    stack: contextlib.ExitStack,
    found: dict[Target, Connected],
) -> None:
    family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
    attempt = _Attempt(target, time.monotonic())
    try:
        opened = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        opened.setblocking(False)
        code = opened.connect_ex(target)
    except OSError as e:
        found[target] = Connected(None, f"not_sent {e.strerror}")
        return
    if code == errno.EINPROGRESS:
        selector.register(opened, selectors.EVENT_WRITE, attempt)
    else:
        found[target] = _outcome(code, attempt)


def _finish(selector: selectors.BaseSelector, timeout_s: float, found: dict[Target, Connected]) -> None:
    for key, _ in selector.select(min(LONGEST_WAIT_S, timeout_s)):
        opened, attempt = key.fileobj, key.data
        assert isinstance(opened, socket.socket)  # noqa: S101 - narrowed for the type checker
        found[attempt.target] = _outcome(opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), attempt)
        _end(selector, opened)
    late_s = time.monotonic() - timeout_s
    for key in list(selector.get_map().values()):
        if key.data.began_s <= late_s:
            found[key.data.target] = Connected(None, "no_answer")
            _end(selector, key.fileobj)


def _end(selector: selectors.BaseSelector, opened: object) -> None:
    assert isinstance(opened, socket.socket)  # noqa: S101 - narrowed for the type checker
    selector.unregister(opened)
    opened.close()


def _outcome(code: int, attempt: _Attempt) -> Connected:
    if code in {0, errno.ECONNREFUSED, errno.ECONNRESET}:
        return Connected((time.monotonic() - attempt.began_s) * 1000)
    return Connected(None, "no_answer" if code == errno.ETIMEDOUT else f"not_sent {os.strerror(code)}")
