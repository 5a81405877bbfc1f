"""A saved `scheduler.toml` in a running viewer: whether there are hosts, and which channels are on.

Pages only ask for these, so they are exchanged while it runs; what sockets, connections and cookies were
made with waits for a restart. A file with a mistake changes nothing; it is logged once, as is its end.
"""

import time
from dataclasses import replace

import structlog
from flask import Flask

from storage.settings_watch import signature
from web.restart import FOLLOWED, saved
from web.settings import ViewerSettings
from web.viewer import EXTENSION, Viewer

WHOLE_S = 1.0  # a file that nobody touched for so long is no longer being written
log = structlog.get_logger(__name__)


class Following:
    """What one viewer process knows of the file."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._taken: object = None
        self._seen: object = None
        self._seen_s = 0.0
        self._fault = ""

    def round(self) -> None:
        """Look at the file, a second or so after the last time."""
        self.look(time.monotonic())

    def look(self, now_s: float) -> None:
        """Take the file where it was saved; `now_s` is the time by a clock that never goes back."""
        settings = self._viewer.settings
        if settings.path is None:
            return
        stamp = signature(settings.path)
        if stamp != self._seen:
            self._seen, self._seen_s = stamp, now_s
        if stamp != self._taken and now_s - self._seen_s >= WHOLE_S:
            self._taken = stamp
            self._take(settings)

    def _take(self, settings: ViewerSettings) -> None:
        found = saved(settings)
        if found.fault != self._fault:
            self._fault = found.fault
            self._tell(settings)
        if found.settings is not None:
            new = {name: getattr(found.settings, name) for name in FOLLOWED}
            self._app.extensions[EXTENSION] = replace(self._viewer, settings=replace(settings, **new))

    def _tell(self, settings: ViewerSettings) -> None:
        if self._fault:
            log.error("viewer_settings_refused", file=str(settings.path), error=self._fault)
        else:
            log.info("viewer_settings_mended", file=str(settings.path))

    @property
    def _viewer(self) -> Viewer:
        found: Viewer = self._app.extensions[EXTENSION]
        return found
