"""The job of hosts, run when a test says so, on a network that a test makes up or made of namespaces."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from daemon.clients.host_settings import HostSettings
from daemon.hosts.asking import Prober, Resolver
from daemon.pipeline import Job, run_job
from daemon.sources import hosts as source
from daemon.values import JobResult
from storage import jobs, states, users
from storage.columns import utc_now
from storage.models import Host, HostCheck, HostOutage, Notification, User
from storage.session import Database
from tests.hosts.stage import NOON, FakeNames, FakeProber

OWNER = "test"


@dataclass
class Watch:
    """A daemon that only watches hosts; its clock moves by hand."""

    database: Database
    hosts: list[HostSettings]
    prober: Prober = field(default_factory=FakeProber)
    names: Resolver = field(default_factory=FakeNames)
    options: source.Options = field(default_factory=source.Options)
    at: datetime = NOON
    stop: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        with self.database.write() as session:
            assert jobs.acquire_lease(session, OWNER, utc_now(), 3600)

    def add_user(self, username: str, **columns: Any) -> int:
        """Make somebody a user."""
        with self.database.write() as session:
            return users.add(session, User(username=username, **columns)).id

    def run(self, *, after_s: float = 60.0) -> list[str]:
        """Run the job once, some time after the last; return what was told: `ann: web is down: …`."""
        before = len(self.told())
        result = self.result(after_s=after_s)
        assert result.status == "ok", result.error
        return self.told()[before:]

    def runs(self, count: int, *, after_s: float = 60.0) -> list[str]:
        """Do so several times."""
        return [told for _ in range(count) for told in self.run(after_s=after_s)]

    def result(self, *, after_s: float = 60.0) -> JobResult:
        """Run the job once; return how it went. Each run has a source of its own, as after a restart."""
        self.at += timedelta(seconds=after_s)
        fresh = source.Source(
            self.hosts, self.options, prober=self.prober, names=self.names, now=lambda: self.at
        )
        return run_job(Job("hosts", fresh, 10.0, 60.0), self.database, OWNER, stop=self.stop)

    def told(self) -> list[str]:
        """Return all notifications so far."""
        query = sa.select(User.username, Notification.message).join(User, User.id == Notification.user_id)
        with self.database.read() as session:
            rows = session.execute(query.order_by(Notification.id)).all()
        return [f"{row.username}: {row.message}" for row in rows]

    def row(self, name: str) -> Host:
        """Return what is stored of a host."""
        with self.database.read() as session:
            return session.scalars(sa.select(Host).where(Host.name == name)).one()

    def states(self) -> dict[str, str]:
        """Return the state of each host."""
        with self.database.read() as session:
            return {row.name: row.state for row in session.scalars(sa.select(Host))}

    def checks(self, name: str) -> list[HostCheck]:
        """Return a host's history."""
        query = sa.select(HostCheck).where(HostCheck.host_id == self.row(name).id)
        with self.database.read() as session:
            return list(session.scalars(query.order_by(HostCheck.checked_at)))

    def outages(self, name: str) -> list[tuple[str, bool]]:
        """Return a host's outages: the state, and whether it is over."""
        query = sa.select(HostOutage).where(HostOutage.host_id == self.row(name).id)
        with self.database.read() as session:
            rows = session.scalars(query.order_by(HostOutage.started_at))
            return [(row.state, row.ended_at is not None) for row in rows]

    def write(self, table: str, **columns: Any) -> None:
        """Write what the viewer would."""
        with self.database.write() as session:
            states.save(session, table, [columns])


def host(name: str, number: int, **settings: Any) -> HostSettings:
    """Return the settings of a host at 10.0.0.`number`."""
    return HostSettings(name=name, **({"address": f"10.0.0.{number}"} | settings))


def kill(watch: Watch, *names: str) -> None:
    """Have these hosts answer no more."""
    prober = watch.prober
    assert isinstance(prober, FakeProber)
    prober.dead |= set(addresses(watch, names))


def revive(watch: Watch, *names: str) -> None:
    """Have these hosts answer again."""
    prober = watch.prober
    assert isinstance(prober, FakeProber)
    prober.dead -= set(addresses(watch, names))


def addresses(watch: Watch, names: Iterable[str]) -> list[str]:
    """Return the addresses of hosts."""
    return [one.address for one in watch.hosts if one.name in set(names)]
