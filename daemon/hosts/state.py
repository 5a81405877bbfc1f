"""Pure: the state machine of one host, and what is told of it."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Literal

from daemon.hosts.values import Check, HostNews, HostState, Rules, State, Watched

# How the way to a host is: an ancestor is `lost`, or `failing` without that being decided.
Way = Literal["ok", "failing", "lost"]


def advance(before: HostState, check: Check, host: Watched, way: Way, rules: Rules) -> HostState:
    """Return where a host stands after a check. What it is told of does not change here."""
    if check.has_answered is None:
        return _unknown(before, check)
    counted = replace(before, has_answered=check.has_answered, checked_at=check.at)
    if check.has_answered:
        answering = _flap(replace(counted, failures=0, successes=before.successes + 1), rules)
        return _answered(answering, check, host)
    failing = replace(
        counted, successes=0, failures=before.failures + 1, outage_at=before.outage_at or check.at
    )
    return _failed(failing if way != "ok" else _flap(failing, rules), check, host, way)


def hold(before: HostState, check: Check, *, is_lost: bool) -> HostState:
    """Return where a host stands that failed while our own network is suspected or lost: nothing counts."""
    held = replace(before, has_answered=False, checked_at=check.at)
    return _enter(held, "unknown", check.at, "own_network") if is_lost else held


def tell(after: HostState, host: Watched, before_at: datetime | None) -> tuple[HostState, HostNews | None]:
    """Return what people must be told now, and the state that notes it.

    Compared is what they were told last, not what was a moment ago: what is silenced now is told
    later, if it is still so. `before_at` is when the check before this one was.
    """
    at = after.checked_at
    if at is None or after.state not in {"up", "down"}:
        return after, None
    if after.told == "":
        # A baseline. A host that never was up has nobody who misses it.
        return replace(after, told="up" if after.state == "up" else ""), None
    if host.maintenance_until is not None:
        return after, None
    if after.is_flapping:
        return _tell_flapping(after, host, at)
    if after.state == "up":
        return _tell_up(after, host, at)
    return _tell_down(after, host, at, before_at)


def _unknown(before: HostState, check: Check) -> HostState:
    reset = replace(before, has_answered=None, failures=0, successes=0, checked_at=check.at)
    return _enter(reset, "unknown", check.at, check.reason)


def _answered(now: HostState, check: Check, host: Watched) -> HostState:
    is_first = now.state == "unknown" and now.told != "down"
    if now.state == "up" or is_first or now.successes >= host.successes:
        up = _enter(now, "up", check.at, "")
        # The beginning of an outage that people know of is still needed to tell its end.
        return up if up.told == "down" else replace(up, outage_at=None)
    return now


def _failed(now: HostState, check: Check, host: Watched, way: Way) -> HostState:
    if now.state == "down":
        return replace(now, reason=check.reason)
    if way == "lost":
        return _enter(replace(now, failures=0), "unreachable", check.at, check.reason)
    if way == "failing" or now.failures < host.failures:
        return replace(
            now, failures=min(now.failures, host.failures - 1) if way == "failing" else now.failures
        )
    since = now.outage_at if now.state != "unreachable" and now.outage_at else check.at
    return _enter(now, "down", since, check.reason)


def _enter(now: HostState, state: State, since: datetime, reason: str) -> HostState:
    if now.state == state:
        return replace(now, reason=reason)
    return replace(now, state=state, state_since=since, reason=reason)


def _flap(now: HostState, rules: Rules) -> HostState:
    """Count how often the last checks changed; between the two thresholds it stays as it is."""
    results = (now.results + ("1" if now.has_answered else "0"))[-rules.window - 1 :]
    changes = sum(one != other for one, other in pairwise(results)) / rules.window
    limit = rules.flapping_until if now.is_flapping else rules.flapping_from
    return replace(now, results=results, is_flapping=changes >= limit)


def _acknowledged_until(now: HostState, host: Watched) -> datetime | None:
    """Return until when somebody looks after this outage; what was said of an earlier one ended with it."""
    said, began = host.acknowledgement, now.outage_at or now.state_since
    return said.until if said is not None and said.at >= began else None


def _is_acknowledged(now: HostState, host: Watched, at: datetime) -> bool:
    until = _acknowledged_until(now, host)
    return until is not None and at < until


def _tell_flapping(now: HostState, host: Watched, at: datetime) -> tuple[HostState, HostNews | None]:
    if now.told == "flapping" or _is_acknowledged(now, host, at):
        return now, None
    return replace(now, told="flapping"), HostNews("host_flapping", at, at, host)


def _tell_up(now: HostState, host: Watched, at: datetime) -> tuple[HostState, HostNews | None]:
    if now.told == "up":
        return now, None
    # What fails since is another outage: it must not pass for the one that is over.
    over = replace(now, told="up", outage_at=None if now.has_answered else at)
    since = now.outage_at or now.state_since
    return over, HostNews("host_up", at, since, host, is_settled=now.told == "flapping")


def _tell_down(
    now: HostState, host: Watched, at: datetime, before_at: datetime | None
) -> tuple[HostState, HostNews | None]:
    if _is_acknowledged(now, host, at):
        return now, None
    ended = _acknowledged_until(now, host)
    again = ended if ended and before_at and before_at < ended <= at else None
    if now.told == "down" and again is None:
        return now, None
    news = HostNews("host_down", at, now.outage_at or now.state_since, host, now.reason, again)
    return replace(now, told="down"), news
