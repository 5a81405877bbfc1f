"""Notices that `scheduler.toml` was saved, and has it applied whole or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from storage.columns import utc_now
from storage.configuration import ConfigError

log = structlog.get_logger()

Signature = tuple[int, int, int] | None


class FileWatch:
    """Looks at one file. A change counts once two looks saw the same file: then it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken = self._seen = signature(path)

    def has_changed(self) -> bool:
        """Say whether another file is there than the one taken last, and take it."""
        before, self._seen = self._seen, signature(self._path)
        if self._seen == self._taken or self._seen != before:
            return False
        self._taken = self._seen
        return True


def signature(path: Path) -> Signature:
    """Return what tells one saved file from the next; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def require_file(path: Path) -> None:
    """Raise ConfigError where there is no file."""
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file any more")


class Reloader:
    """Applies a saved file; one that is refused changes nothing, is logged once and kept as `fault`.

    `apply` reads the file and puts it in force, or raises ConfigError before it changed anything; it returns
    the names of tables that only a restart puts in force.
    """

    def __init__(self, path: Path, apply: Callable[[], list[str]]) -> None:
        self._path = path
        self._apply = apply
        self._watch = FileWatch(path)
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
