"""Hosts as pages and the API show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.host_history import Bucket
from storage.hosts import Shown
from storage.models import Host, HostAcknowledgement, HostMaintenance, HostOutage
from web.answers import iso

Item = dict[str, Any]
# The words of the contract for the states that the table knows.
STATUSES = {"up": "online", "down": "offline", "unreachable": "unreachable"}
PER_PAGE, MANY = 200, 100
PROBLEMS = ("down", "unreachable", "unknown")


@dataclass(frozen=True, slots=True)
class Group:
    """Hosts of one group on a page, in the order of the configuration; its sums are of all pages."""

    name: str
    hosts: Sequence[Shown]
    total: int
    problems: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class HostPage:
    """Some of the hosts that were asked for, by group."""

    groups: Sequence[Group]
    page: int
    pages: int
    total: int


def status_item(host: Host) -> Item:
    """Return what the contract says of a host."""
    return {
        "name": host.name,
        "ip": host.ip or host.address,
        "status": status_of(host.state),
        "response_time": None if host.rtt_ms is None else round(host.rtt_ms),
        "last_check": _moment(host.checked_at),
    }


def status_of(state: str) -> str:
    """Return the contract's word for a state."""
    return STATUSES.get(state, "unknown")


def host_item(shown: Shown) -> Item:
    """Return all of a host but its history."""
    host = shown.host
    return status_item(host) | {
        "group": host.group_name,
        "address": host.address,
        "parent": host.parent,
        "reason": host.reason,
        "since": iso(host.state_since),
        "is_flapping": host.is_flapping,
        "method": host.method,
        "sent": host.sent,
        "received": host.received,
        "rtt_ms": [host.rtt_min_ms, host.rtt_ms, host.rtt_max_ms],
        "maintenance_until": _moment(host.maintenance_until),
        "acknowledgement": _acknowledged(shown.acknowledgement),
    }


def window_item(window: HostMaintenance) -> Item:
    """Return a maintenance."""
    return {
        "id": window.id,
        "begins_at": iso(window.begins_at),
        "ends_at": iso(window.ends_at),
        "note": window.note,
        "by": window.by_name,
        "group": window.group_name,
        "with_behind": window.with_behind,
    }


def outage_item(outage: HostOutage, name: str) -> Item:
    """Return an outage."""
    return {
        "host": name,
        "status": status_of(outage.state),
        "reason": outage.reason,
        "started_at": iso(outage.started_at),
        "ended_at": _moment(outage.ended_at),
    }


def point_item(bucket: Bucket) -> Item:
    """Return a part of the history."""
    return {
        "at": iso(bucket.at),
        "sent": bucket.sent,
        "received": bucket.received,
        "min_ms": bucket.min_ms,
        "median_ms": bucket.median_ms,
        "max_ms": bucket.max_ms,
    }


def page_of(hosts: Iterable[Shown], page: int) -> HostPage:
    """Return one page of these hosts by group; groups come in the order of their first host.

    Where there are many, groups in which all is well begin closed.
    """
    found: dict[str, list[Shown]] = {}
    for shown in hosts:
        found.setdefault(shown.host.group_name, []).append(shown)
    ordered = [shown for members in found.values() for shown in members]
    pages = max(1, -(-len(ordered) // PER_PAGE))
    page = min(page, pages)
    is_short = len(ordered) <= MANY
    here: dict[str, list[Shown]] = {}
    for shown in ordered[(page - 1) * PER_PAGE : page * PER_PAGE]:
        here.setdefault(shown.host.group_name, []).append(shown)
    groups = [_group(name, members, found[name], is_short) for name, members in here.items()]
    return HostPage(groups, page, pages, len(ordered))


def _group(name: str, here: Sequence[Shown], everywhere: Sequence[Shown], is_short: bool) -> Group:
    problems = sum(1 for shown in everywhere if shown.host.state in PROBLEMS)
    return Group(name, here, len(everywhere), problems, is_open=is_short or problems > 0)


def is_asked_for(host: Host, show: str, text: str) -> bool:
    """Say whether a host is in a state that is asked for and holds a text in its words."""
    states = {"all": (*STATUSES, *PROBLEMS), "problems": PROBLEMS}.get(show, (show,))
    words = (host.name, host.ip, host.address, host.group_name)
    return host.state in states and any(text.casefold() in word.casefold() for word in words)


def counts_of(hosts: Iterable[Shown]) -> dict[str, int]:
    """Count hosts by state."""
    states = [shown.host.state for shown in hosts]
    return {state: states.count(state) for state in ("up", *PROBLEMS)}


def _acknowledged(given: HostAcknowledgement | None) -> Item | None:
    if given is None:
        return None
    return {"note": given.note, "by": given.by_name, "until": iso(given.until)}


def _moment(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None
