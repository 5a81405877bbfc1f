"""What was saved in `scheduler.toml` since the viewer read it: only a restart puts most of that in force."""

from dataclasses import dataclass, fields
from functools import lru_cache

import structlog

from storage.configuration import ConfigError
from storage.settings_watch import differing, stamps_of
from web.settings import ViewerSettings, load, secret_files

log = structlog.get_logger(__name__)
OURS = {"quality": "quality_control", "push": "channel.webpush"}
FOLLOWED = frozenset({"channels", "has_hosts"})  # see web/following.py
NOT_COMPARED = FOLLOWED | {"path", "stamps"}


@dataclass(frozen=True, slots=True)
class Saved:
    """The file as it is now: the keys that wait for a restart, or why the viewer would not start with it."""

    settings: ViewerSettings | None = None
    keys: tuple[str, ...] = ()
    fault: str = ""


def saved(settings: ViewerSettings) -> Saved:
    """Return what was saved since these settings were read; keys are logged when they are others than before.

    A file that has a mistake is in force nowhere. The daemon checks its own tables, the viewer these.
    """
    if settings.path is None:
        return Saved()
    try:
        found = load(settings.path)
    except ConfigError as e:
        return Saved(fault=str(e))
    keys = [key for name in _tables() for key in _differing(settings, found, name)]
    now = stamps_of(secret_files(settings))
    keys += [key for key, stamp in now.items() if stamp != settings.stamps.get(key)]
    _tell(tuple(keys))
    return Saved(found, tuple(keys))


@lru_cache(1)
def _tell(keys: tuple[str, ...]) -> None:
    if keys:
        log.warning("restart_needed", keys=list(keys))


def _tables() -> list[str]:
    return [one.name for one in fields(ViewerSettings) if one.name not in NOT_COMPARED]


def _differing(before: ViewerSettings, after: ViewerSettings, name: str) -> list[str]:
    return differing(getattr(before, name), getattr(after, name), OURS.get(name, name))
