"""Notices that `scheduler.toml` was saved, and has it applied whole or not at all."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import structlog

from storage.columns import utc_now
from storage.configuration import ConfigError
from storage.settings_watch import Signature, signature

log = structlog.get_logger()


class FileWatch:
    """Looks at a file and at those that it names. It counts once two looks saw the same: all is whole."""

    def __init__(self, path: Path, named: Callable[[], Iterable[Path]] = tuple) -> None:
        self._path = path
        self._named = named
        self._taken = self._seen = self._look()

    def has_changed(self) -> bool:
        """Say whether other files are there than those taken last, and take them."""
        before, self._seen = self._seen, self._look()
        if self._seen == self._taken or self._seen != before:
            return False
        self._taken = self._seen
        return True

    def _look(self) -> tuple[Signature, ...]:
        return tuple(signature(path) for path in (self._path, *self._named()))


def require_file(path: Path) -> None:
    """Raise ConfigError where there is no file."""
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file any more")


class Reloader:
    """Applies a saved file; one that is refused changes nothing, is logged once and kept as `fault`.

    `apply` reads the file and puts it in force, or raises ConfigError before it changed anything; it returns
    the keys that only a restart puts in force. `named` gives the files of secrets that are in force.
    """

    def __init__(
        self, path: Path, apply: Callable[[], list[str]], named: Callable[[], Iterable[Path]] = tuple
    ) -> None:
        self._path = path
        self._apply = apply
        self._watch = FileWatch(path, named)
        self.status: dict[str, Any] = {
            "path": str(path),
            "loaded_at": utc_now().isoformat(timespec="seconds"),
            "fault": "",
            "fault_at": None,
            "restart": [],
        }

    def look(self) -> None:
        """Apply the file where it was saved since the last look."""
        if self._watch.has_changed():
            self._take()

    def _take(self) -> None:
        now = utc_now().isoformat(timespec="seconds")
        try:
            require_file(self._path)  # a missing file means the defaults at a start, and a mistake later
            restart = self._apply()
        except ConfigError as e:
            self.status |= {"fault": str(e), "fault_at": now}
            log.error("configuration_refused", file=str(self._path), error=str(e))  # noqa: TRY400 - no bug of ours
            return
        self.status |= {"fault": "", "fault_at": None, "loaded_at": now, "restart": restart}
        log.info("configuration_loaded", file=str(self._path), restart_needed=restart)
