"""Pure: what a sweep over many hosts leads to. Parents come before their children."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from daemon.hosts.state import Way, advance, hold, tell
from daemon.hosts.values import OWN_NETWORK, Check, HostNews, HostState, Network, Rules, Verdict, Watched


def judge(
    hosts: Sequence[Watched],
    known: Mapping[int, HostState],
    checks: Mapping[int, Check],
    network: Network,
    rules: Rules,
) -> Verdict:
    """Return what these checks lead to. `known` has the state of every host, `checks` of those asked now."""
    at = max(check.at for check in checks.values())
    by_name = {host.name: host for host in hosts}
    failing, total = suspects(hosts, known, checks)
    seems_lost = total >= rules.network_hosts and failing >= rules.network_share * total
    after_network, network_news = _follow(network, seems_lost, at, rules, (failing, total))
    states = dict(known)
    news: list[HostNews] = list(network_news)
    for host in parents_first(hosts):
        if host.id not in checks:
            continue
        before, check = known[host.id], checks[host.id]
        if seems_lost and check.has_answered is False and _is_believed(before):
            states[host.id] = hold(before, check, is_lost=after_network.is_lost)
            continue
        way, reason = _way(host, by_name, states, checks)
        moved = advance(before, replace(check, reason=reason or check.reason), host, way, rules)
        states[host.id], told = tell(moved, host, before.checked_at)
        news.extend([told] if told else [])
    return Verdict({number: states[number] for number in checks}, tuple(news), after_network)


def suspects(
    hosts: Sequence[Watched], known: Mapping[int, HostState], checks: Mapping[int, Check]
) -> tuple[int, int]:
    """Count the hosts that fail though they were up, and those that were up.

    A host behind one that fails says nothing of our own network, and one that was down nothing new.
    """
    by_name = {host.name: host for host in hosts}
    answers = {host.id: _answer(host, known, checks) for host in hosts}
    asked = [
        answers[host.id]
        for host in hosts
        if answers[host.id] is not None
        and host.maintenance_until is None
        and _is_believed(known[host.id])
        and all(answers[up.id] is not False for up in ancestors(host, by_name))
    ]
    return asked.count(False), len(asked)


def ancestors(host: Watched, by_name: Mapping[str, Watched]) -> Iterable[Watched]:
    """Return the hosts on the way to a host, the nearest first."""
    while host.parent:
        host = by_name[host.parent]
        yield host


def parents_first(hosts: Sequence[Watched]) -> list[Watched]:
    """Sort hosts by how many others are on the way to them."""
    by_name = {host.name: host for host in hosts}
    return sorted(hosts, key=lambda host: sum(1 for _ in ancestors(host, by_name)))


def _answer(host: Watched, known: Mapping[int, HostState], checks: Mapping[int, Check]) -> bool | None:
    return checks[host.id].has_answered if host.id in checks else known[host.id].has_answered


def _is_believed(state: HostState) -> bool:
    """Whether people believe that it is up, and nothing else is known."""
    is_open = state.state == "up" or (state.state == "unknown" and state.reason == OWN_NETWORK)
    return is_open and state.told in {"up", "flapping"}


def _way(
    host: Watched,
    by_name: Mapping[str, Watched],
    states: Mapping[int, HostState],
    checks: Mapping[int, Check],
) -> tuple[Way, str]:
    """Return how the way to a host is; where it is lost, with the ancestor that is nearest to us."""
    lost, is_failing = "", False
    for ancestor in ancestors(host, by_name):
        state = states[ancestor.id]
        if state.state in {"down", "unreachable"}:
            lost = ancestor.name
        is_failing = is_failing or _answer(ancestor, states, checks) is False
    if lost:
        return "lost", f"parent {lost}"
    return ("failing" if is_failing else "ok"), ""


def _follow(
    before: Network, seems_lost: bool, at: datetime, rules: Rules, counts: tuple[int, int]
) -> tuple[Network, list[HostNews]]:
    if not seems_lost:
        over = before.is_lost and before.is_told and before.since is not None
        return Network(), [HostNews("network_back", at, before.since or at)] if over else []
    failures = before.failures + 1
    since = before.since or at
    is_lost = before.is_lost or failures >= rules.network_sweeps
    now = Network(failures, since, is_lost, is_told=is_lost)
    if not is_lost or before.is_told:
        return now, []
    failing, total = counts
    return now, [HostNews("network_lost", at, since, failing=failing, total=total)]
