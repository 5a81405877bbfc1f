"""The tables of `scheduler.toml` that the viewer reads: `[web]`, `[auth]`, `[storage]` and `[redmine]`."""

import importlib.util
import ipaddress
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from limits import parse_many
from pydantic import Field, ValidationError, field_validator, model_validator

from daemon.clients.erp_settings import ErpSettings
from daemon.clients.finesse_settings import FinesseSettings
from daemon.clients.push_endpoint import PushServices, push_services
from daemon.clients.settings import RedmineSettings, SettingsError
from storage.configuration import ConfigError, Settings, build, read_tables
from storage.origins import Origins
from storage.retention import KEEP_READ_DAYS, RetentionSettings
from storage.settings import StorageSettings
from storage.settings_watch import Signature, files_of, stamps_of
from web.feature_settings import FeatureSettings, QualitySettings, TaskSettings
from web.metrics_access import MetricsAccess

BACKENDS = ("local", "redmine")
LIMITER_SCHEMES = ("memory", "redis", "rediss")


class WebSettings(MetricsAccess):
    """The `[web]` table: where the viewer listens and how long a log-in lasts."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=5000, ge=1, le=65535)
    public_url: str = ""
    threads: int = Field(default=64, ge=2, le=1024)
    # Open tabs of one worker; each costs memory and a descriptor, but no thread.
    tabs: int = Field(default=4000, ge=1, le=100_000)
    workers: int = Field(default=1, ge=1, le=64)
    secret_key_file: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    cookie_secure: bool | None = None
    session_days: int = Field(default=30, ge=1, le=365)
    per_page: int = Field(default=20, ge=1, le=100)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_style: Literal["auto", "json", "console"] = "auto"

    @field_validator("public_url")
    @classmethod
    def _plain_web_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("must be a full address such as https://helpdesk.example.com, or empty")
        if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
            raise ValueError("must end after the host and port: the viewer cannot live below a path")
        return url.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            ipaddress.ip_network(proxy)
        return proxies

    @property
    def is_secure(self) -> bool:
        """Whether cookies are sent over https only."""
        if self.cookie_secure is None:
            return self.public_url.startswith("https:")
        return self.cookie_secure


class AuthSettings(Settings):
    """The `[auth]` table: who checks passwords, and how often one may be wrong.

    Empty `backends` means local users, and Redmine's where a Redmine is configured.
    """

    backends: tuple[str, ...] = ()
    failures_per_user: str = "10 per 15 minutes"
    # Instead of it where the ERP checks passwords: Oracle locks an account, often after ten.
    erp_failures_per_user: str = "5 per 15 minutes; 8 per day"
    failures_per_address: str = "50 per 15 minutes"
    limiter_url: str = "memory://"
    limiter_url_env: str = ""

    @field_validator("backends")
    @classmethod
    def _known(cls, backends: tuple[str, ...]) -> tuple[str, ...]:
        for name in backends:
            if name not in {*BACKENDS, "erp"}:
                raise ValueError(f"{name} is unknown; allowed: {', '.join((*BACKENDS, 'erp'))}")
        if len(set(backends)) < len(backends):
            raise ValueError("names a backend twice")
        return backends

    @field_validator("failures_per_user", "failures_per_address", "erp_failures_per_user")
    @classmethod
    def _limit(cls, text: str) -> str:
        try:
            parse_many(text)
        except ValueError as e:
            raise ValueError('must be a rate such as "10 per 15 minutes"') from e
        return text

    @property
    def user_limit(self) -> str:
        """How often a name may have a wrong password."""
        return self.erp_failures_per_user if "erp" in self.backends else self.failures_per_user

    def limit_of_one(self, workers: int) -> str:
        """Return how often a name may have a wrong password at each of so many workers.

        Oracle counts what all of them let through: those that count in their own memory have a share each.
        """
        if workers == 1 or "erp" not in self.backends or not self.limiter_storage().startswith("memory"):
            return self.user_limit
        shares = (type(rate)(rate.amount // workers, rate.multiples) for rate in parse_many(self.user_limit))
        return "; ".join(str(rate) for rate in shares)

    @model_validator(mode="after")
    def _check_limiter(self) -> Self:
        if self.limiter_url_env and self.limiter_url != "memory://":
            raise ValueError("set limiter_url or limiter_url_env, not both")
        if urlsplit(self.limiter_url).password:
            raise ValueError("limiter_url must not carry a password: name a variable in limiter_url_env")
        if not self.limiter_url_env:
            _check_limiter_url(self.limiter_url)
        return self

    def limiter_storage(self) -> str:
        """Return where the failures are counted. Raises ValueError."""
        if not self.limiter_url_env:
            return self.limiter_url
        url = os.environ.get(self.limiter_url_env, "")
        if not url:
            raise ValueError(
                f"auth.limiter_url_env names {self.limiter_url_env}, which is not set in the environment"
            )
        return _check_limiter_url(url)


def _check_limiter_url(url: str) -> str:
    scheme = urlsplit(url).scheme
    if scheme not in LIMITER_SCHEMES:
        raise ValueError("limiter_url must be memory:// or an address such as redis://localhost:6379/0")
    if scheme != "memory" and importlib.util.find_spec("redis") is None:
        raise ValueError('limiter_url needs the redis extra: pip install "helpdesk[redis]"')
    return url


@dataclass(frozen=True, slots=True)
class ViewerSettings:
    """All that the viewer is told; `redmine` is None where no Redmine is configured."""

    storage: StorageSettings
    web: WebSettings
    auth: AuthSettings
    redmine: RedmineSettings | None = None
    erp: ErpSettings | None = None
    features: FeatureSettings = field(default_factory=FeatureSettings)
    tasks: TaskSettings = field(default_factory=TaskSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    # Names of the [channel.<name>] tables that are not switched off; their options are the daemon's.
    channels: frozenset[str] = frozenset()
    push: PushServices = field(default_factory=PushServices)
    finesse: FinesseSettings | None = None
    has_hosts: bool = False  # the daemon checks the [[host]] tables
    # What the daemon forgets, and after how many days what was read.
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    keep_read_days: float = KEEP_READ_DAYS
    # Where all of this was read, and how the files that it names were then.
    path: Path | None = None
    stamps: Mapping[str, Signature] = field(default_factory=dict)

    @property
    def backends(self) -> tuple[str, ...]:
        """Who checks passwords, in the order of asking."""
        if self.auth.backends:
            return self.auth.backends
        return BACKENDS if self.redmine else ("local",)


def load(path: Path) -> ViewerSettings:
    """Read and check the viewer's tables. Raises ConfigError."""
    tables = read_tables(path)
    redmine, erp = tables.get("redmine") or None, tables.get("erp") or None
    finesse = tables.get("finesse") or None
    where = tables.origins
    settings = ViewerSettings(
        storage=build(StorageSettings, tables.get("storage", {}), "storage", where),
        web=build(WebSettings, tables.get("web", {}), "web", where),
        auth=build(AuthSettings, tables.get("auth", {}), "auth", where),
        redmine=build(RedmineSettings, redmine, "redmine", where) if redmine else None,
        erp=build(ErpSettings, erp, "erp", where) if erp else None,
        features=build(FeatureSettings, tables.get("features", {}), "features", where),
        tasks=build(TaskSettings, tables.get("tasks", {}), "tasks", where),
        quality=build(QualitySettings, tables.get("quality_control", {}), "quality_control", where),
        channels=_channels(tables.get("channel", {})),
        push=_push(tables.get("channel", {}), where),
        finesse=build(FinesseSettings, finesse, "finesse", where) if finesse else None,
        has_hosts=bool(tables.get("host")),
        retention=build(RetentionSettings, tables.get("retention", {}), "retention", where),
        keep_read_days=_keep_read_days(tables.get("inbox", {})),
        path=path,
    )
    _check_together(settings, where)
    return replace(settings, stamps=stamps_of(secret_files(settings)))


def secret_files(settings: ViewerSettings) -> dict[str, Path]:
    """Return the files with secrets and certificates that the settings name, by their keys."""
    names = ("redmine", "erp", "finesse", "storage", "web")
    tables: dict[str, object] = {name: getattr(settings, name) for name in names}
    found = (files_of(table, name) for name, table in tables.items())
    return {key: path for files in found for key, path in files.items()}


def _keep_read_days(table: object) -> float:
    """Return after how many days what was read is forgotten; the daemon checks the rest of that table."""
    given = table.get("keep_read_days", KEEP_READ_DAYS) if isinstance(table, dict) else KEEP_READ_DAYS
    return float(given) if isinstance(given, int | float) else KEEP_READ_DAYS


def _channels(tables: object) -> frozenset[str]:
    """Return the channels that are on: Web Push, unless its table says otherwise, and those named."""
    given = tables.items() if isinstance(tables, dict) else ()
    named: dict[str, object] = {"webpush": {}, **dict(given)}
    return frozenset(
        str(name) for name, table in named.items() if isinstance(table, dict) and table.get("enabled", True)
    )


def _push(tables: object, where: Origins) -> PushServices:
    """Return which push services subscriptions may name; the daemon checks the rest of that table."""
    table = tables.get("webpush", {}) if isinstance(tables, dict) else {}
    try:
        return push_services(table if isinstance(table, dict) else {})
    except ValidationError as e:
        fault = e.errors()[0]
        keys = ("channel", "webpush", *fault["loc"])
        raise ConfigError(where.fault(keys, f"{'.'.join(map(str, keys))}: {fault['msg']}")) from e


def _check_together(settings: ViewerSettings, where: Origins) -> None:
    """Refuse what only shows when several tables and the environment are seen together."""
    backends = ("auth", "backends")
    if "redmine" in settings.backends and settings.redmine is None:
        text = "auth.backends names redmine, but there is no [redmine] with a url"
        raise ConfigError(where.fault(backends, text))
    if "erp" in settings.backends and settings.erp is None:
        raise ConfigError(where.fault(backends, "auth.backends names erp, but there is no [erp] with a url"))
    for name, secret in _secrets(settings):
        try:
            secret()
        except SettingsError as e:
            raise ConfigError(where.fault_named((name,), f"[{name}]: {e}")) from e
        except (ConfigError, ValueError) as e:
            raise ConfigError(where.fault_named((name,), str(e))) from e
    _check_erp(settings, where)


def _secrets(settings: ViewerSettings) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what reads each secret, with its table."""
    if settings.finesse is not None:
        yield "finesse", settings.finesse.credentials
    yield "storage", settings.storage.engine_url
    yield "auth", settings.auth.limiter_storage
    yield "web", settings.web.metrics_token
    if settings.redmine is not None:
        yield "redmine", settings.redmine.api_key


def _check_erp(settings: ViewerSettings, where: Origins) -> None:
    if "erp" not in settings.backends or settings.erp is None:
        return
    fewest = min(rate.amount for rate in parse_many(settings.auth.user_limit))
    workers = settings.web.workers
    if workers > fewest and settings.auth.limiter_storage().startswith("memory"):
        text = (
            f"{workers} workers cannot share {fewest} wrong passwords of a name, and the ERP locks accounts "
            f"after more: set auth.limiter_url to a redis://, or at most {fewest} workers"
        )
        raise ConfigError(where.fault(("web", "workers"), text))
    if settings.erp.mode == "query" and not settings.erp.check_sql:
        text = 'auth.backends names erp, but [erp] has no check_sql; or set mode = "connect"'
        raise ConfigError(where.fault(("erp", "check_sql"), text))
    try:
        if settings.erp.has_reader:
            settings.erp.reader_url()
    except SettingsError as e:
        raise ConfigError(where.fault_named(("erp",), f"[erp]: {e}")) from e
