"""Pure: which calls have begun to ring, and whom that concerns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from daemon.clients.finesse import Calls
from daemon.clients.finesse_values import Call
from daemon.values import Addressed, Change, Colleague, Concerned, FieldChange, Person

REASON = "agent"
Rings = Mapping[str, Mapping[str, int]]  # {agent: {dialog: second in which it was first seen ringing}}


@dataclass(frozen=True, slots=True)
class Ringing:
    """What rings, and of that what has not been told yet."""

    rings: Rings
    new: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class People:
    """Who takes the calls of which agent, and whose numbers are known: {number: name}."""

    by_agent: Mapping[str, Colleague]
    names: Mapping[str, str] = field(default_factory=dict)


def rings_of(cursor: Mapping[str, Any] | None) -> Rings:
    """Return what rang at the last look."""
    rings: Rings = (cursor or {}).get("ringing", {})
    return rings


def compare(before: Rings, seen: Calls, at: datetime) -> Ringing:
    """Return what rings now. A call keeps its place when a transfer gives it another dialog.

    What rang at an agent who could not be read may ring still; what the others do not have any more is over.
    """
    rings: dict[str, dict[str, int]] = {a: dict(before[a]) for a in seen.failed if a in before}
    new = []
    for agent, calls in seen.of.items():
        known = before.get(agent, {})
        now = {}
        for call in (one for one in calls if one.is_ringing):
            since = known.get(call.id) or known.get(call.secondary_id)
            now[call.id] = since or int(at.timestamp())
            if since is None:
                new.append(call)
        if now:
            rings[agent] = now
    return Ringing(rings, tuple(new))


def addressed(ringing: Ringing, people: People, at: datetime) -> tuple[Addressed, ...]:
    """Return each call that began to ring for the one whom it rings for."""
    return tuple(
        Addressed(_change(call, ringing, people, at), people.by_agent[call.agent].member(), (REASON,))
        for call in ringing.new
        if call.agent in people.by_agent
    )


def _change(call: Call, ringing: Ringing, people: People, at: datetime) -> Change:
    # Finesse numbers dialogs anew after its restart: the moment makes the key unique for ever.
    key = f"finesse:{call.agent}:{call.id}:{ringing.rings[call.agent][call.id]}"
    said = {"call_number": call.number, "call_queue": call.queue}
    return Change(
        key=key,
        type="call",
        item_id=0,
        at=at,
        actor=Person(0, people.names.get(call.number, "")),
        concerned=Concerned(),
        details=tuple(FieldChange(name, None, value) for name, value in said.items() if value),
        thread=f"call:{call.id}",
    )
