"""Pure: stored rows to the values of the state machine and back."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from daemon.clients.host_settings import HostSettings
from daemon.hosts.values import Check, HostState, Network

Row = dict[str, Any]
Rows = dict[int, Row]
_STATE = tuple(f.name for f in fields(HostState))
LONGEST_REASON = 255


def new_row(host_id: int, now: datetime) -> Row:
    """Return the row of a host that was never asked."""
    return {
        "id": host_id,
        "ip": "",
        "method": "icmp",
        "maintenance_until": None,
        "sent": 0,
        "received": 0,
        "rtt_min_ms": None,
        "rtt_ms": None,
        "rtt_max_ms": None,
        "next_check_at": None,
    } | state_columns(HostState("unknown", now))


def configured(settings: HostSettings, position: int) -> Row:
    """Return the columns that the configuration decides."""
    return {
        "name": settings.name,
        "address": settings.address,
        "group_name": settings.group,
        "parent": settings.parent,
        "position": position,
        "is_watched": True,
    }


def state_of(row: Mapping[str, Any]) -> HostState:
    """Return the state that a row keeps."""
    return HostState(**{name: row[name] for name in _STATE})


def state_columns(state: HostState) -> Row:
    """Return the columns that keep a state."""
    columns = {name: getattr(state, name) for name in _STATE}
    return columns | {"reason": state.reason[:LONGEST_REASON]}


def check_columns(check: Check) -> Row:
    """Return the columns of a host that tell of its last check."""
    return {
        "method": check.method,
        "sent": check.sent,
        "received": len(check.rtts_ms),
        "rtt_min_ms": min(check.rtts_ms, default=None),
        "rtt_ms": statistics.median(check.rtts_ms) if check.rtts_ms else None,
        "rtt_max_ms": max(check.rtts_ms, default=None),
    } | ({"ip": check.ip} if check.ip else {})


def history_row(host_id: int, check: Check) -> Row:
    """Return the row of the history."""
    columns = check_columns(check)
    return {
        "host_id": host_id,
        "checked_at": check.at,
        "span_s": 0,
        "sent": columns["sent"],
        "received": columns["received"],
        "rtt_min_ms": columns["rtt_min_ms"],
        "rtt_median_ms": columns["rtt_ms"],
        "rtt_max_ms": columns["rtt_max_ms"],
    }


def outage_rows(changed: Iterable[tuple[int, HostState, HostState]]) -> tuple[Row, ...]:
    """Return what ended and what began with these changes of state: id, before, after."""
    rows: dict[tuple[int, datetime], Row] = {}
    for host_id, before, after in changed:
        if before.state == after.state:
            continue
        if before.state != "up" and before.checked_at is not None:
            ended_at = max(before.state_since, after.state_since)
            rows[host_id, before.state_since] = _outage(host_id, before, ended_at)
        if after.state != "up":
            rows[host_id, after.state_since] = _outage(host_id, after, None)
    return tuple(rows.values())


def _outage(host_id: int, state: HostState, ended_at: datetime | None) -> Row:
    return {
        "host_id": host_id,
        "started_at": state.state_since,
        "state": state.state,
        "ended_at": ended_at,
        "reason": state.reason[:LONGEST_REASON],
    }


def next_check_at(state: HostState, settings: HostSettings, at: datetime, *, is_suspect: bool) -> datetime:
    """Return when to ask again: soon while something is not decided."""
    soon = state.is_undecided or (is_suspect and state.has_answered is False)
    pause_s = min(settings.retry_s, settings.interval_s) if soon else settings.interval_s
    return at + timedelta(seconds=pause_s)


def network_of(cursor: Mapping[str, Any] | None) -> Network:
    """Return what the cursor keeps of our own network."""
    if not cursor or not cursor.get("since"):
        return Network()
    since = datetime.fromisoformat(cursor["since"])
    return Network(cursor["failures"], since, cursor["is_lost"], cursor["is_told"])


def cursor_of(network: Network) -> dict[str, Any]:
    """Return the cursor that keeps it."""
    since = network.since.isoformat() if network.since else None
    return {
        "failures": network.failures,
        "since": since,
        "is_lost": network.is_lost,
        "is_told": network.is_told,
    }
