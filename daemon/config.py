"""`scheduler.toml` and the environment, to the settings of the daemon. It refuses what it does not know."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field

from daemon.clients.erp_settings import ErpSettings
from daemon.clients.finesse_settings import FinesseSettings
from daemon.clients.host_settings import HostSettings
from daemon.clients.settings import RedmineSettings
from daemon.lookup import (
    ChannelModule,
    SourceModule,
    channel_module,
    channel_names,
    source_module,
    source_names,
)
from daemon.options import ChannelOptions, JobOptions
from storage.configuration import ConfigError, Settings, Tables, build, read_tables
from storage.origins import Origins
from storage.retention import KEEP_READ_DAYS, RetentionSettings
from storage.settings import StorageSettings
from storage.toml_lines import Keys

M = TypeVar("M", bound=BaseModel)

DEFAULT_JOBS: Mapping[str, Any] = {
    "redmine": {"source": "redmine", "every_s": 5.0},
    "reconcile": {"source": "redmine_reconcile", "every_s": 300.0},
    "reminders": {"source": "redmine_reminders", "every_s": 300.0},
    "hosts": {"source": "hosts", "every_s": 10.0},
    "erp": {"source": "erp", "every_s": 300.0},
}


# On unless its table says otherwise: it needs nothing but a key, which is made on the first run.
DEFAULT_CHANNELS: Mapping[str, Any] = {"webpush": {}}


class DaemonSettings(Settings):
    """The `[daemon]` table."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_style: Literal["auto", "json", "console"] = "auto"
    # A second daemon takes over when the first has not renewed its lease for so long.
    lease_s: float = Field(default=10.0, ge=2, le=300)
    stop_timeout_s: float = Field(default=8.0, ge=1, le=300)
    # What a daemon that was killed was sending is sent again after so long.
    claim_s: float = Field(default=60.0, ge=5, le=3600)
    # A run that hangs in one call is given up when it is so much longer than the job's timeout_s.
    give_up_s: float = Field(default=60.0, ge=1, le=86_400)
    # Administrators are told of a job that failed so often in a row.
    tell_after: int = Field(default=5, ge=1, le=1000)


class JobSettings(Settings):
    """A `[job.<name>]` table. `timeout_s` ends a run between two steps; calls have their own."""

    source: str
    every_s: float = Field(ge=1, le=86_400)
    enabled: bool = True
    timeout_s: float = Field(default=180.0, ge=5, le=86_400)
    options: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobConfig:
    """A job's table with its options checked by its source."""

    name: str
    settings: JobSettings
    options: JobOptions
    module: SourceModule


class InboxSettings(Settings):
    """The `[inbox]` table. Without names of priorities Redmine's two most urgent ones pass quiet hours."""

    urgent_priorities: tuple[str, ...] = ()
    # How long what was read, and is not starred, is kept; 0 keeps it for ever.
    keep_read_days: int = Field(default=KEEP_READ_DAYS, ge=0, le=36_500)


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """A channel's table, checked by its module."""

    name: str
    options: ChannelOptions
    module: ChannelModule


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the daemon is configured with. `redmine` is None where no address is given."""

    path: Path
    storage: StorageSettings
    daemon: DaemonSettings
    redmine: RedmineSettings | None
    erp: ErpSettings | None
    finesse: FinesseSettings | None
    hosts: tuple[HostSettings, ...]
    jobs: tuple[JobConfig, ...]
    inbox: InboxSettings
    retention: RetentionSettings
    channels: tuple[ChannelConfig, ...]  # those that are switched on
    public_url: str  # the viewer's address as people type it
    origins: Origins  # where each key comes from


def load(path: Path) -> Config:
    """Read and check the configuration. Raises ConfigError: file, line, key, value and what is allowed."""
    tables = read_tables(path)
    where = tables.origins
    return Config(
        path=path,
        storage=build(StorageSettings, tables.get("storage", {}), "storage", where),
        daemon=build(DaemonSettings, tables.get("daemon", {}), "daemon", where),
        redmine=_optional(RedmineSettings, tables, "redmine"),
        erp=_optional(ErpSettings, tables, "erp"),
        finesse=_optional(FinesseSettings, tables, "finesse"),
        hosts=_hosts(tables.get("host", []), where),
        jobs=_jobs(tables.get("job", DEFAULT_JOBS), where),
        inbox=build(InboxSettings, tables.get("inbox", {}), "inbox", where),
        retention=build(RetentionSettings, tables.get("retention", {}), "retention", where),
        channels=_channels(tables.get("channel", {}), where),
        public_url=_public_url(tables.get("web", {})),
        origins=where,
    )


def _optional(model: type[M], tables: Tables, name: str) -> M | None:
    table = tables.get(name) or None
    return None if table is None else build(model, table, name, tables.origins)


def _hosts(tables: object, where: Origins) -> tuple[HostSettings, ...]:
    """Check the hosts by themselves and together: names once, parents known, no circles."""
    if not isinstance(tables, list):
        text = "host: must be a list: write [[host]], with two brackets"
        raise ConfigError(where.fault(("host",), text))
    hosts = [
        build(HostSettings, table, f"host[{n + 1}]", where, ("host", n)) for n, table in enumerate(tables)
    ]
    places: dict[str, int] = {}
    for n, host in enumerate(hosts):
        if host.name in places:
            text = f"host: two hosts have the name {host.name!r}"
            raise ConfigError(where.fault(("host", n, "name"), text))
        places[host.name] = n
    parents = {host.name: host.parent for host in hosts}
    for host in hosts:
        if wrong := _wrong_parent(host.name, parents):
            raise ConfigError(where.fault(("host", places[wrong[0]], "parent"), wrong[1]))
    return tuple(hosts)


def _wrong_parent(name: str, parents: Mapping[str, str]) -> tuple[str, str] | None:
    """Return a host with what is wrong with its parent, None where all above this one is right."""
    seen = [name]
    while parent := parents[seen[-1]]:
        if parent not in parents:
            return seen[-1], f"host {seen[-1]!r}: parent = {parent!r}: there is no such host"
        if parent in seen:
            return name, f"host {name!r}: parents go in a circle: {' -> '.join([*seen, parent])}"
        seen.append(parent)
    return None


def _channels(tables: object, where: Origins) -> tuple[ChannelConfig, ...]:
    if not isinstance(tables, Mapping):
        text = "channel: must hold tables such as [channel.webpush]"
        raise ConfigError(where.fault(("channel",), text))
    found = (_channel(name, table, where) for name, table in {**DEFAULT_CHANNELS, **tables}.items())
    return tuple(channel for channel in found if channel.options.enabled)


def _channel(name: str, table: object, where: Origins) -> ChannelConfig:
    if name not in channel_names():
        text = f"channel.{name}: there is no such channel; allowed: {', '.join(channel_names())}"
        raise ConfigError(where.fault(("channel", name), text))
    module = channel_module(name)
    return ChannelConfig(name, build(module.Options, table, f"channel.{name}", where), module)


def _public_url(web: object) -> str:
    """Return where the viewer is found. Its own table is checked by the viewer."""
    table = web if isinstance(web, Mapping) else {}
    own = f"http://{table.get('host', '127.0.0.1')}:{table.get('port', 5000)}"
    return str(table.get("public_url") or own).rstrip("/")


def _jobs(tables: object, where: Origins) -> tuple[JobConfig, ...]:
    if not isinstance(tables, Mapping):
        raise ConfigError(where.fault(("job",), "job: must hold tables such as [job.redmine]"))
    return tuple(_job(name, table, where) for name, table in tables.items())


def changed_job(job: JobConfig, every_s: float, options: Mapping[str, Any], path: Path) -> JobConfig:
    """Return a job with another interval and other options, checked as the file is. Raises ConfigError.

    What is wrong with them stands on no line of the file: an administrator gave it.
    """
    laid_over = {**job.settings.options, **options}
    changed = job.settings.model_dump() | {"every_s": every_s, "options": laid_over}
    return _job(job.name, changed, Origins(path))


def _job(name: str, table: object, where: Origins) -> JobConfig:
    keys: Keys = ("job", name)
    settings = build(JobSettings, table, f"job.{name}", where, keys)
    if settings.source not in source_names():
        text = (
            f"job.{name}.source = {settings.source!r}: there is no such source; "
            f"allowed: {', '.join(source_names())}"
        )
        raise ConfigError(where.fault((*keys, "source"), text))
    module = source_module(settings.source)
    options = build(module.Options, settings.options, f"job.{name}.options", where, (*keys, "options"))
    return JobConfig(name, settings, options, module)
