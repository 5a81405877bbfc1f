"""Watches the hosts of the configuration: asks those that are due, tells of those that went or came back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from daemon.clients import tcp_check
from daemon.clients.host_names import Names
from daemon.clients.host_settings import HostSettings
from daemon.clients.icmp import Pace
from daemon.clients.icmp import Prober as IcmpProber
from daemon.hosts import rows
from daemon.hosts.asking import Asker, Prober, Resolver
from daemon.hosts.scene import Scene, scene_of
from daemon.hosts.sweep import ancestors, judge, suspects
from daemon.hosts.telling import addressed
from daemon.hosts.values import Check, Network, Rules, Verdict, Watched
from daemon.options import JobOptions
from daemon.source import Memory, StateSource
from daemon.values import Observation

NEEDS = "hosts"
EARLY = timedelta(seconds=1)


class Options(JobOptions):
    """Options of a job with `source = "hosts"`: how hosts are asked, and when our own network is blamed."""

    echoes: int = Field(default=5, ge=1, le=100)
    interval_ms: float = Field(default=1.0, ge=0.01, le=1000, description="between any two echoes")
    period_ms: float = Field(default=200.0, ge=1, le=10_000, description="between two echoes of one host")
    timeout_ms: float = Field(default=1000.0, ge=10, le=10_000)
    tcp_timeout_s: float = Field(default=2.0, ge=0.1, le=30)
    resolve_timeout_s: float = Field(default=3.0, ge=0.1, le=30)
    flapping_from: float = Field(default=0.30, gt=0, le=1)
    flapping_until: float = Field(default=0.25, gt=0, le=1)
    network_share: float = Field(default=0.8, gt=0, le=1)
    network_hosts: int = Field(default=3, ge=2)
    network_sweeps: int = Field(default=3, ge=1, le=100)

    def pace(self) -> Pace:
        """Return how hosts are pinged."""
        return Pace(self.echoes, self.interval_ms / 1000, self.period_ms / 1000, self.timeout_ms / 1000)

    def rules(self) -> Rules:
        """Return what holds for all hosts."""
        return Rules(
            flapping_from=self.flapping_from,
            flapping_until=self.flapping_until,
            network_share=self.network_share,
            network_hosts=self.network_hosts,
            network_sweeps=self.network_sweeps,
        )


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Source(StateSource):
    """Asks hosts. What it knows of them is in the database, so that it survives a restart."""

    def __init__(
        self,
        settings: Sequence[HostSettings],
        options: Options,
        *,
        prober: Prober | None = None,
        names: Resolver | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._settings = {host.name: host for host in settings}
        self._rules = options.rules()
        self._now = now
        self._asker = Asker(
            prober or IcmpProber(options.pace()),
            names or Names(timeout_s=options.resolve_timeout_s),
            tcp_check.check,
            options.tcp_timeout_s,
        )

    def observations(
        self, cursor: Mapping[str, Any] | None, memory: Memory, stop: Callable[[], bool]
    ) -> Iterator[Observation]:
        """Ask the hosts that are due; nothing where none is. One step, as the news depend on each other."""
        at = self._now()
        stored = {number: dict(row) for number, row in memory.kept("hosts").items()}
        scene = scene_of(self._settings, stored, memory, at)
        network = rows.network_of(cursor)
        due = [name for name, row in self._watched_rows(scene) if _is_due(row, at)]
        changed = {number: row for number, row in scene.rows.items() if row != stored.get(number)}
        if not due and not changed:
            return
        checks = self._ask(due, scene, network, at, stop)
        if stop():
            return
        self.requests_made += len(checks)
        verdict = Verdict(network=network)
        if checks:
            verdict = judge(scene.watched, scene.states, checks, network, self._rules)
        yield self._observation(scene, checks, verdict, changed, memory)

    def _watched_rows(self, scene: Scene) -> list[tuple[str, rows.Row]]:
        return [(name, scene.rows[scene.ids[name]]) for name in self._settings]

    def _ask(
        self, due: Sequence[str], scene: Scene, network: Network, at: datetime, stop: Callable[[], bool]
    ) -> dict[int, Check]:
        """Ask the hosts that are due, and those on whose answers it depends what a failure means."""
        checks = self._answers(due, scene, at, stop)
        failing = {number for number, check in checks.items() if check.has_answered is False}
        if failing and not stop():
            more = self._witnesses(failing, checks, scene, network, at)
            checks |= self._answers(more, scene, at, stop)
        return checks

    def _answers(
        self, names: Sequence[str], scene: Scene, at: datetime, stop: Callable[[], bool]
    ) -> dict[int, Check]:
        if not names:
            return {}
        ips = {name: scene.rows[scene.ids[name]]["ip"] for name in names}
        found = self._asker.ask([self._settings[name] for name in names], ips, at, stop)
        return {scene.ids[name]: check for name, check in found.items()}

    def _witnesses(
        self, failing: set[int], checks: Mapping[int, Check], scene: Scene, network: Network, at: datetime
    ) -> list[str]:
        """Return who else must be asked: hosts on the way to those that fail; all where most do."""
        by_name = {host.name: host for host in scene.watched}
        on_the_way = {
            up.name for host in scene.watched if host.id in failing for up in ancestors(host, by_name)
        }
        asked = [host for host in scene.watched if host.id in checks]
        alone = {host.name: host for host in asked}
        orphans = [_alone(host, alone) for host in asked]
        lost, total = suspects(orphans, scene.states, checks)
        is_likely = network.failures > 0 or (lost > 1 and lost >= self._rules.network_share * total)
        others = by_name if is_likely else on_the_way
        return [
            name
            for name in others
            if scene.ids[name] not in checks
            and _is_stale(scene.rows[scene.ids[name]], at, self._settings[name].retry_s)
        ]

    def _observation(
        self, scene: Scene, checks: Mapping[int, Check], verdict: Verdict, changed: rows.Rows, memory: Memory
    ) -> Observation:
        is_suspect = verdict.network.failures > 0
        saved = dict(changed)
        names = {number: name for name, number in scene.ids.items()}
        for number, state in verdict.states.items():
            check = checks[number]
            following = rows.next_check_at(
                state, self._settings[names[number]], check.at, is_suspect=is_suspect
            )
            saved[number] = (
                scene.rows[number]
                | rows.state_columns(state)
                | rows.check_columns(check)
                | {"next_check_at": following}
            )
        asked = {number: check for number, check in checks.items() if check.has_answered is not None}
        moved = [(number, scene.states[number], state) for number, state in verdict.states.items()]
        moved += scene.left
        return Observation(
            rows.cursor_of(verdict.network),
            self._now(),
            listed=tuple(checks),
            told=addressed(verdict.news, scene.watched, memory.colleagues()) if verdict.news else (),
            stored={
                "hosts": tuple(saved.values()),
                "host_checks": tuple(rows.history_row(number, check) for number, check in asked.items()),
                "host_outages": rows.outage_rows(moved),
            },
        )


def _alone(host: Watched, asked: Mapping[str, Watched]) -> Watched:
    """Return a host with the parent that it has among those asked."""
    parent = host.parent if host.parent in asked else ""
    return Watched(host.id, host.name, parent, maintenance_until=host.maintenance_until)


def _is_due(row: Mapping[str, Any], at: datetime) -> bool:
    """Say whether it is time; a clock that was set back does not stop anything for long.

    A run that begins a moment early asks now: the next one would be a whole interval late.
    """
    following = row["next_check_at"]
    return following is None or following <= at + EARLY or following > at + timedelta(days=1)


def _is_stale(row: Mapping[str, Any], at: datetime, fresh_s: float) -> bool:
    checked_at = row["checked_at"]
    return checked_at is None or not at - timedelta(seconds=fresh_s) < checked_at <= at
