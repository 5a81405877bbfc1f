"""`scheduler.toml` and the environment, to the settings of the daemon. It refuses what it does not know."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from daemon.clients.settings import RedmineSettings
from daemon.lookup import SourceModule, source_module, source_names
from daemon.options import JobOptions
from storage.configuration import ConfigError, Settings, build, read_tables
from storage.settings import StorageSettings

DEFAULT_JOBS: Mapping[str, Any] = {
    "redmine": {"source": "redmine", "every_s": 5.0},
    "reconcile": {"source": "redmine_reconcile", "every_s": 300.0},
}


class DaemonSettings(Settings):
    """The `[daemon]` table."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_style: Literal["auto", "json", "console"] = "auto"
    # A second daemon takes over when the first has not renewed its lease for so long.
    lease_s: float = Field(default=10.0, ge=2, le=300)
    stop_timeout_s: float = Field(default=8.0, ge=1, le=300)


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


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the daemon is configured with. `redmine` is None where no address is given."""

    path: Path
    storage: StorageSettings
    daemon: DaemonSettings
    redmine: RedmineSettings | None
    jobs: tuple[JobConfig, ...]


def load(path: Path) -> Config:
    """Read and check the configuration. Raises ConfigError with file, key, value and what is allowed."""
    tables = read_tables(path)
    redmine = tables.get("redmine") or {}
    return Config(
        path=path,
        storage=build(StorageSettings, tables.get("storage", {}), "storage", path),
        daemon=build(DaemonSettings, tables.get("daemon", {}), "daemon", path),
        redmine=build(RedmineSettings, redmine, "redmine", path) if redmine else None,
        jobs=_jobs(tables.get("job", DEFAULT_JOBS), path),
    )


def _jobs(tables: object, path: Path) -> tuple[JobConfig, ...]:
    if not isinstance(tables, Mapping):
        raise ConfigError(f"{path}: job: must hold tables such as [job.redmine]")
    return tuple(_job(name, table, path) for name, table in tables.items())


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
