"""All hosts at the beginning of a run: the configuration, what is stored, and what administrators said."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from daemon.clients.host_settings import HostSettings
from daemon.hosts import maintenance, rows
from daemon.hosts.values import Acknowledgement, HostState, Watched
from daemon.source import Memory


@dataclass(frozen=True, slots=True)
class Scene:
    """Rows and states by id, ids by name. `left` are hosts that the configuration lost: id, before, after."""

    rows: rows.Rows
    ids: Mapping[str, int]
    watched: Sequence[Watched]
    states: Mapping[int, HostState]
    left: Sequence[tuple[int, HostState, HostState]]


def scene_of(settings: Mapping[str, HostSettings], stored: rows.Rows, memory: Memory, at: datetime) -> Scene:
    """Bring the stored hosts in line with the configuration."""
    gone = {n: row for n, row in stored.items() if row["is_watched"] and row["name"] not in settings}
    current = stored | {number: _left(row, at) for number, row in gone.items()}
    ids = {row["name"]: number for number, row in stored.items()}
    free = iter(range(max(stored, default=0) + 1, max(stored, default=0) + 1 + len(settings)))
    acknowledged = memory.kept("host_acknowledgements")
    windows = list(memory.kept("host_maintenance").values())
    watched = []
    for position, host in enumerate(settings.values()):
        number = ids[host.name] = ids.get(host.name) or next(free)
        above = {ids.get(name, 0) for name in _above(host, settings)}
        until = maintenance.until(_windows(host, number, above, windows, at), at)
        known = stored.get(number) or rows.new_row(number, at)
        current[number] = known | rows.configured(host, position) | {"maintenance_until": until}
        watched.append(_watched(host, number, until, acknowledged.get(number)))
    return Scene(
        current,
        ids,
        watched,
        {host.id: rows.state_of(current[host.id]) for host in watched},
        [(number, rows.state_of(row), HostState("up", at)) for number, row in gone.items()],
    )


def _left(row: rows.Row, at: datetime) -> rows.Row:
    """Return the row of a host that is not in the configuration any more: if it comes back, it is new."""
    fresh = rows.state_columns(HostState("unknown", at, reason="not_watched"))
    return row | fresh | {"is_watched": False, "next_check_at": None, "rtt_ms": None}


def _watched(
    host: HostSettings, number: int, until: datetime | None, acknowledged: Mapping[str, Any] | None
) -> Watched:
    return Watched(
        number,
        host.name,
        host.parent,
        host.failures,
        host.successes,
        host.told,
        until,
        Acknowledgement(acknowledged["at"], acknowledged["until"]) if acknowledged else None,
    )


def _above(host: HostSettings, settings: Mapping[str, HostSettings]) -> Iterator[str]:
    """Return the names of the hosts behind which this one lies, the nearest first. There are no circles."""
    while host.parent:
        yield host.parent
        host = settings[host.parent]


def _windows(
    host: HostSettings, number: int, above: Set[int], said: Iterable[Mapping[str, Any]], at: datetime
) -> Iterator[maintenance.Window]:
    """Return the windows of a host: its own, its group's, those of hosts before it, the configured ones."""
    for row in said:
        is_behind = row["with_behind"] and row["host_id"] in above
        if is_behind or row["host_id"] == number or (row["group_name"] and row["group_name"] == host.group):
            yield row["begins_at"], row["ends_at"]
    yield from maintenance.configured(host.maintenance, at)
