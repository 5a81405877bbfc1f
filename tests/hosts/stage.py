"""Hosts that answer as a test says, minute after minute."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from daemon.clients.host_names import Resolved, Wanted
from daemon.clients.icmp import Echoes
from daemon.clients.icmp_packets import Family
from daemon.hosts.asking import Stop
from daemon.hosts.sweep import judge
from daemon.hosts.values import Acknowledgement, Check, HostNews, HostState, Network, Rules, Watched

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Stage:
    """Hosts in the state machine without a database: one sweep a minute asks all of them."""

    hosts: list[Watched]
    rules: Rules = field(default_factory=Rules)
    at: datetime = NOON
    network: Network = field(default_factory=Network)
    states: dict[int, HostState] = field(default_factory=dict)
    told: list[HostNews] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.states = {host.id: HostState("unknown", self.at) for host in self.hosts}

    def sweep(self, answers: Mapping[str, bool | None], *, only: Iterable[str] | None = None) -> list[str]:
        """Ask every host, or only some; those without an answer here do answer. Return what is told."""
        asked = [host for host in self.hosts if only is None or host.name in only]
        checks = {host.id: check(self.at, answers.get(host.name, True)) for host in asked}
        verdict = judge(self.hosts, self.states, checks, self.network, self.rules)
        self.states |= verdict.states
        self.network = verdict.network
        self.told += verdict.news
        self.at += MINUTE
        return [named(news) for news in verdict.news]

    def sweeps(self, count: int, answers: Mapping[str, bool | None]) -> list[str]:
        """Do so several times."""
        return [told for _ in range(count) for told in self.sweep(answers)]

    def play(self, name: str, script: str) -> list[str]:
        """Have one host answer (`+`), not answer (`-`) or not be asked (`?`), once for each sign."""
        return [told for sign in script for told in self.sweep({name: {"+": True, "-": False}.get(sign)})]

    def state(self, name: str) -> str:
        """Return the state of a host."""
        return self.states[self._host(name).id].state

    def silence(self, name: str, *, minutes: int, kind: str) -> None:
        """Begin a maintenance, or acknowledge, for so long."""
        until = self.at + minutes * MINUTE
        if kind == "maintenance":
            self._change(name, maintenance_until=until)
        else:
            self._change(name, acknowledgement=Acknowledgement(self.at, until))

    def end_maintenance(self, name: str) -> None:
        """End it."""
        self._change(name, maintenance_until=None)

    def _host(self, name: str) -> Watched:
        return next(host for host in self.hosts if host.name == name)

    def _change(self, name: str, **parts: object) -> None:
        place = self.hosts.index(self._host(name))
        self.hosts[place] = replace(self.hosts[place], **parts)


def check(at: datetime, has_answered: bool | None) -> Check:
    """Return a check with that outcome."""
    reason = {True: "", False: "no_answer", None: "not_permitted"}[has_answered]
    return Check(at, has_answered, reason, sent=5, rtts_ms=(1.0,) * 5 if has_answered else ())


def named(news: HostNews) -> str:
    """Return a piece of news in short: `down gw`."""
    kind = news.kind if news.host is None else f"{news.kind.partition('_')[2]} {news.host.name}"
    return kind + (" settled" if news.is_settled else "") + (" again" if news.again else "")


def alone(count: int = 2) -> Stage:
    """One host `a`, and others that always answer: too few for our own network to be blamed."""
    return Stage([Watched(number + 1, name) for number, name in enumerate("abcdefgh"[:count])])


def behind() -> Stage:
    """`gw` with `a` and `b` behind it, `c` behind `b`, and `x` elsewhere."""
    parents = {"gw": "", "a": "gw", "b": "gw", "c": "b", "x": ""}
    return Stage([Watched(n + 1, name, parent) for n, (name, parent) in enumerate(parents.items())])


@dataclass
class FakeProber:
    """A network: addresses in `dead` do not answer; `refusals` are families that are not permitted."""

    dead: set[str] = field(default_factory=set)
    refusals: dict[Family, str] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)

    def refusal(self, family: Family) -> str:
        return self.refusals.get(family, "")

    def probe(self, addresses: Sequence[str], stop: Stop) -> Mapping[str, Echoes]:
        if stop():
            return {}
        if addresses:
            self.asked.append(sorted(addresses))
        return {a: Echoes(5, [] if a in self.dead else [1.0, 2.0, 3.0, 4.0, 9.0]) for a in addresses}


@dataclass
class FakeNames:
    """A resolver: what is not in `known` cannot be resolved, except addresses."""

    known: dict[str, str] = field(default_factory=dict)

    def resolve(self, wanted: Iterable[Wanted]) -> Mapping[Wanted, Resolved]:
        return {name: self._one(name[0]) for name in wanted}

    def _one(self, name: str) -> Resolved:
        ip = name if name[0].isdigit() else self.known.get(name, "")
        return Resolved(ip, "" if ip else "not_resolved Name or service not known")
