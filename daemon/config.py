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
from storage.configuration import ConfigError, Settings, build, read_tables
from storage.retention import KEEP_READ_DAYS, RetentionSettings
from storage.settings import StorageSettings

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


def load(path: Path) -> Config:
    """Read and check the configuration. Raises ConfigError with file, key, value and what is allowed."""
    tables = read_tables(path)
    return Config(
        path=path,
        storage=build(StorageSettings, tables.get("storage", {}), "storage", path),
        daemon=build(DaemonSettings, tables.get("daemon", {}), "daemon", path),
        redmine=_optional(RedmineSettings, tables, "redmine", path),
        erp=_optional(ErpSettings, tables, "erp", path),
        finesse=_optional(FinesseSettings, tables, "finesse", path),
        hosts=_hosts(tables.get("host", []), path),
        jobs=_jobs(tables.get("job", DEFAULT_JOBS), path),
        inbox=build(InboxSettings, tables.get("inbox", {}), "inbox", path),
        retention=build(RetentionSettings, tables.get("retention", {}), "retention", path),
        channels=_channels(tables.get("channel", {}), path),
        public_url=_public_url(tables.get("web", {})),
    )


def _optional(model: type[M], tables: Mapping[str, Any], name: str, path: Path) -> M | None:
    table = tables.get(name) or None
    return None if table is None else build(model, table, name, path)


def _hosts(tables: object, path: Path) -> tuple[HostSettings, ...]:
    """Check the hosts by themselves and together: names once, parents known, no circles."""
    if not isinstance(tables, list):
        raise ConfigError(f"{path}: host: must be a list: write [[host]], with two brackets")
    hosts = [build(HostSettings, table, f"host[{n}]", path) for n, table in enumerate(tables, 1)]
    parents = {host.name: host.parent for host in hosts}
    if len(parents) < len(hosts):
        twice = next(h.name for n, h in enumerate(hosts) if h.name in {other.name for other in hosts[:n]})
        raise ConfigError(f"{path}: host: two hosts have the name {twice!r}")
    for host in hosts:
        _check_parents(host.name, parents, path)
    return tuple(hosts)


def _check_parents(name: str, parents: Mapping[str, str], path: Path) -> None:
    seen = [name]
    while parent := parents[seen[-1]]:
        if parent not in parents:
            raise ConfigError(f"{path}: host {seen[-1]!r}: parent = {parent!r}: there is no such host")
        if parent in seen:
            raise ConfigError(
                f"{path}: host {name!r}: parents go in a circle: {' -> '.join([*seen, parent])}"
            )
        seen.append(parent)


def _channels(tables: object, path: Path) -> tuple[ChannelConfig, ...]:
    if not isinstance(tables, Mapping):
        raise ConfigError(f"{path}: channel: must hold tables such as [channel.webpush]")
    found = (_channel(name, table, path) for name, table in {**DEFAULT_CHANNELS, **tables}.items())
    return tuple(channel for channel in found if channel.options.enabled)


def _channel(name: str, table: object, path: Path) -> ChannelConfig:
    if name not in channel_names():
        raise ConfigError(
            f"{path}: channel.{name}: there is no such channel; allowed: {', '.join(channel_names())}"
        )
    module = channel_module(name)
    return ChannelConfig(name, build(module.Options, table, f"channel.{name}", path), module)


def _public_url(web: object) -> str:
    """Return where the viewer is found. Its own table is checked by the viewer."""
    table = web if isinstance(web, Mapping) else {}
    own = f"http://{table.get('host', '127.0.0.1')}:{table.get('port', 5000)}"
    return str(table.get("public_url") or own).rstrip("/")


def _jobs(tables: object, path: Path) -> tuple[JobConfig, ...]:
    if not isinstance(tables, Mapping):
        raise ConfigError(f"{path}: job: must hold tables such as [job.redmine]")
    return tuple(_job(name, table, path) for name, table in tables.items())


def changed_job(job: JobConfig, every_s: float, options: Mapping[str, Any], path: Path) -> JobConfig:
    """Return a job with another interval and other options, checked as the file is. Raises ConfigError."""
    laid_over = {**job.settings.options, **options}
    return _job(job.name, job.settings.model_dump() | {"every_s": every_s, "options": laid_over}, path)


def _job(name: str, table: object, path: Path) -> JobConfig:
    settings = build(JobSettings, table, f"job.{name}", path)
    if settings.source not in source_names():
        raise ConfigError(
            f"{path}: job.{name}.source = {settings.source!r}: there is no such source; "
            f"allowed: {', '.join(source_names())}"
        )
    module = source_module(settings.source)
    return JobConfig(
        name, settings, build(module.Options, settings.options, f"job.{name}.options", path), module
    )
