# mypy: allow-untyped-calls
"""What other systems say, and how the viewer is set up: projects, statuses, ERP, features.

A system that is not configured is a 503 whose code says so; its source brings it to life.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NoReturn

from flask import Blueprint, Response, jsonify

from daemon.clients.values import Status, Tracker
from storage import reference
from storage.models import Status as KnownStatus
from web.answers import Problem
from web.contract import documented
from web.integration_answers import ConfigShown, ProjectList, StatusList
from web.people import person
from web.policy import Policy, allow
from web.redmine import acting_as, translated
from web.task.colours import status_colour
from web.viewer import viewer

bp = Blueprint("integrations", __name__)


@bp.get("/api/redmine/projects")
@allow(Policy.SIGNED_IN)
@documented(ProjectList, 401, 403, 404, 409, 503, tags=["redmine"])  # type: ignore[untyped-decorator]
def redmine_projects() -> Response:
    """Return the projects that Redmine shows the asker."""
    with translated():
        found = acting_as(person()).projects()
    names = ("id", "name", "identifier", "description")
    return jsonify({"projects": [{name: getattr(project, name) for name in names} for project in found]})


@bp.get("/api/redmine/statuses")
@allow(Policy.SIGNED_IN)
@documented(StatusList, 401, 403, 404, 409, 503, tags=["redmine"])  # type: ignore[untyped-decorator]
def redmine_statuses() -> Response:
    """Return the statuses of Redmine's issues, with our colours."""
    with viewer().database.read() as reading:
        known: list[KnownStatus] | tuple[Status, ...] = reference.statuses(reading)
    with translated():
        client = acting_as(person())
        known = known or client.statuses()
        first = _default_status(client.trackers())
    return jsonify(
        {
            "statuses": [
                {
                    "id": status.id,
                    "name": status.name,
                    "color": status_colour(status.id, status.name, status.is_closed),
                    "is_default": status.id == first,
                    "is_closed": status.is_closed,
                }
                for status in known
            ]
        }
    )


@bp.get("/api/config")
@allow(Policy.SIGNED_IN)
@documented(ConfigShown, 401, 503, tags=["configuration"])  # type: ignore[untyped-decorator]
def config() -> Response:
    """Return what a page must know of the configuration."""
    settings = viewer().settings
    return jsonify(
        {
            "redmine": {
                "url": settings.redmine.url if settings.redmine else "",
                "api_enabled": settings.redmine is not None,
            },
            "notifications": {
                "push_enabled": "webpush" in settings.channels,
                "email_enabled": "email" in settings.channels,
                "sound_enabled": settings.features.sound_enabled,
            },
            "features": {
                "kanban_enabled": settings.features.kanban_enabled,
                "quality_control_enabled": settings.features.quality_control_enabled,
            },
        }
    )


def _default_status(trackers: Iterable[Tracker]) -> int | None:
    """Return the status that most trackers give to new issues; Redmine has none of its own."""
    counted = Counter(tracker.default_status.id for tracker in trackers if tracker.default_status)
    return counted.most_common(1)[0][0] if counted else None


def _not_configured(what: str, text: str) -> NoReturn:
    raise Problem(503, f"{what}_not_configured", text)
