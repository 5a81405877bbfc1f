"""What was saved in `scheduler.toml` since the viewer read it: only a restart puts that in force."""

from dataclasses import fields
from functools import lru_cache

import structlog

from storage.configuration import ConfigError
from storage.settings_watch import differing, stamps_of
from web.settings import ViewerSettings, load, secret_files

log = structlog.get_logger(__name__)
OURS = {"quality": "quality_control", "channels": "channel", "push": "channel.webpush", "has_hosts": "host"}
NO_SETTINGS = frozenset({"path", "stamps"})


def restart_keys(settings: ViewerSettings) -> list[str]:
    """Return the keys whose saved values are not in force here; logged when they are others than before.

    A file that has a mistake is in force nowhere: the daemon says so.
    """
    if settings.path is None:
        return []
    try:
        saved = load(settings.path)
    except ConfigError:
        return []
    keys = [key for name in _tables() for key in _differing(settings, saved, name)]
    now = stamps_of(secret_files(settings))
    keys += [key for key, stamp in now.items() if stamp != settings.stamps.get(key)]
    _tell(tuple(keys))
    return keys


@lru_cache(1)
def _tell(keys: tuple[str, ...]) -> None:
    if keys:
        log.warning("restart_needed", keys=list(keys))


def _tables() -> list[str]:
    return [one.name for one in fields(ViewerSettings) if one.name not in NO_SETTINGS]


def _differing(before: ViewerSettings, after: ViewerSettings, name: str) -> list[str]:
    return differing(getattr(before, name), getattr(after, name), OURS.get(name, name))
