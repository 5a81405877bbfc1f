"""The values of the state machine: frozen, times aware UTC.

Reasons are a word and its details, divided by a space: `no_answer`, `refused 10.0.0.1`, `not_sent No route
to host`, `parent gw-1`, `own_network`, `not_permitted`, `not_resolved Name or service not known`,
`not_resolved_in_time`. Templates and `daemon.hosts.words` say them in people's words.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

State = Literal["unknown", "up", "down", "unreachable"]
Told = Literal["", "up", "down", "flapping"]
OWN_NETWORK = "own_network"


@dataclass(frozen=True, slots=True)
class Check:
    """What one sweep found of one host. `has_answered` is None where it could not be asked."""

    at: datetime
    has_answered: bool | None
    reason: str = ""
    method: str = "icmp"
    ip: str = ""
    sent: int = 0
    rtts_ms: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class HostState:
    """Where a host stands between two sweeps; `storage.models.Host` says what the parts are."""

    state: State
    state_since: datetime
    reason: str = ""
    told: Told = ""
    outage_at: datetime | None = None
    has_answered: bool | None = None
    failures: int = 0
    successes: int = 0
    results: str = ""
    is_flapping: bool = False
    checked_at: datetime | None = None

    @property
    def is_undecided(self) -> bool:
        """Whether the last check says something else than the state does."""
        if self.has_answered is None:
            return False
        if self.state == "unreachable":
            return self.has_answered
        return self.state == "unknown" or self.has_answered != (self.state == "up")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody looks after an outage: that it lasts is not told until then; it ends with the outage."""

    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Watched:
    """A host as it is watched: its place in the network and what silences it at this moment."""

    id: int
    name: str
    parent: str = ""
    failures: int = 3
    successes: int = 2
    people: tuple[str, ...] = ()  # user names; empty: administrators
    maintenance_until: datetime | None = None
    acknowledgement: Acknowledgement | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """Whether our own network seems to be lost: since when, and after how many sweeps that said so."""

    failures: int = 0
    since: datetime | None = None
    is_lost: bool = False
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all hosts: when a host flaps, and when it is our own network that is lost.

    Of the last `window` checks so many parts must be changes. The network is lost where at least
    `network_hosts` are looked at and this share of them fails in `network_sweeps` sweeps in a row.
    """

    window: int = 20
    flapping_from: float = 0.30
    flapping_until: float = 0.25
    network_share: float = 0.8
    network_hosts: int = 3
    network_sweeps: int = 3


@dataclass(frozen=True, slots=True)
class HostNews:
    """Something to tell: of a host, or of our own network where there is none.

    `since` is when the outage began, `again` when an acknowledgement of it ran out; `is_settled` says that
    it flapped until now.
    """

    kind: Literal["host_down", "host_up", "host_flapping", "network_lost", "network_back"]
    at: datetime
    since: datetime
    host: Watched | None = None
    reason: str = ""
    again: datetime | None = None
    is_settled: bool = False
    failing: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sweep leads to: new states by host id, what to tell, and how our own network does."""

    states: dict[int, HostState] = field(default_factory=dict)
    news: tuple[HostNews, ...] = ()
    network: Network = Network()
