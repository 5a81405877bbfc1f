"""Asks hosts whether they are there: names to addresses, pings, and TCP where pings are not permitted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from daemon.clients.host_names import Resolved, Wanted
from daemon.clients.host_settings import HostSettings
from daemon.clients.icmp import Echoes, family_of
from daemon.clients.icmp_packets import Family
from daemon.clients.tcp_check import Connected, Target
from daemon.hosts.values import Check

Stop = Callable[[], bool]


class Prober(Protocol):
    """What pings."""

    def refusal(self, family: Family) -> str:
        """Return why addresses of this family cannot be pinged, "" where they can."""

    def probe(self, addresses: Sequence[str], stop: Stop) -> Mapping[str, Echoes]:
        """Ping addresses; those that may not be pinged are absent, all where it was stopped."""


class Resolver(Protocol):
    """What knows the addresses of names."""

    def resolve(self, wanted: Iterable[Wanted]) -> Mapping[Wanted, Resolved]:
        """Return an address of each, or why there is none."""


TcpCheck = Callable[[Iterable[Target], float, Stop], Mapping[Target, Connected]]


class Asker:
    """Asks many hosts at once."""

    def __init__(self, prober: Prober, names: Resolver, tcp: TcpCheck, tcp_timeout_s: float) -> None:
        self._prober = prober
        self._names = names
        self._tcp = tcp
        self._tcp_timeout_s = tcp_timeout_s

    def ask(
        self, hosts: Sequence[HostSettings], last_ips: Mapping[str, str], at: datetime, stop: Stop
    ) -> dict[str, Check]:
        """Return a check of each host by its name; none where it was stopped.

        A name that cannot be resolved now is asked at its last address.
        """
        found = self._names.resolve((host.address, host.family) for host in hosts)
        ips = {h.name: found[h.address, h.family].ip or last_ips.get(h.name, "") for h in hosts}
        echoes = self._prober.probe([ip for ip in ips.values() if ip and self._may_ping(ip)], stop)
        ports = [
            (ips[h.name], h.tcp_port)
            for h in hosts
            if h.tcp_port and ips[h.name] and not self._may_ping(ips[h.name])
        ]
        connected = self._tcp(ports, self._tcp_timeout_s, stop) if ports and not stop() else {}
        if stop():
            return {}
        return {h.name: self._check(h, ips[h.name], found, echoes, connected, at) for h in hosts}

    def _may_ping(self, ip: str) -> bool:
        return not self._prober.refusal(family_of(ip))

    def _check(
        self,
        host: HostSettings,
        ip: str,
        found: Mapping[Wanted, Resolved],
        echoes: Mapping[str, Echoes],
        connected: Mapping[Target, Connected],
        at: datetime,
    ) -> Check:
        if not ip:
            return Check(at, None, found[host.address, host.family].problem)
        if ip in echoes:
            return of_echoes(echoes[ip], ip, at)
        if host.tcp_port and (ip, host.tcp_port) in connected:
            return of_connection(connected[ip, host.tcp_port], ip, at)
        return Check(at, None, self._prober.refusal(family_of(ip)) or "not_asked", ip=ip)


def of_echoes(echoes: Echoes, ip: str, at: datetime) -> Check:
    """Return the check that these pings are."""
    reason = "" if echoes.received else echoes.problem or "no_answer"
    return Check(at, bool(echoes.received), reason, "icmp", ip, echoes.sent, tuple(echoes.rtts_ms))


def of_connection(connected: Connected, ip: str, at: datetime) -> Check:
    """Return the check that this attempt to connect is."""
    rtts_ms = () if connected.rtt_ms is None else (connected.rtt_ms,)
    return Check(at, bool(rtts_ms), connected.problem, "tcp", ip, 1, rtts_ms)
