"""What every part of the viewer shares: settings, database and the services built from them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

from daemon.clients.erp import ErpClient
from daemon.clients.redmine import RedmineClient
from storage.session import Database
from web.settings import ViewerSettings

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

    from web.live import Live
    from web.passwords import Passwords
    from web.rights import Rights
    from web.tasks.rights import TaskRights
    from web.throttle import Throttle

EXTENSION = "helpdesk"


@dataclass(frozen=True, slots=True)
class Viewer:
    """One viewer process."""

    settings: ViewerSettings
    database: Database
    redmine: RedmineClient | None
    passwords: "Passwords"
    rights: "Rights"
    live: "Live"
    throttle: "Throttle"
    task_rights: "TaskRights"
    erp: ErpClient | None = None
    figures: "tuple[Collector, ...]" = ()  # what /metrics shows


def viewer() -> Viewer:
    """Return the parts of the application that answers the present request."""
    found: Viewer = current_app.extensions[EXTENSION]
    return found
