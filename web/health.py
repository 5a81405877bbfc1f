"""Whether this viewer process works, and what it lacks."""

from functools import cache

from alembic.runtime.migration import MigrationContext
from flask import Blueprint, Response, jsonify

from storage import migrate, notifications
from storage.session import StorageError
from web.contract import Health, Readiness, documented
from web.policy import Policy, allow
from web.viewer import viewer

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@allow(Policy.ANYBODY)
@documented(Health, status=(200, 503), tags=["operation"])  # type: ignore[untyped-decorator]
def healthz() -> tuple[Response, int]:
    """Return 200 while all is well, else 503; no details, as anybody may ask."""
    try:
        with viewer().database.read() as session:
            notifications.newest_id(session)
    except StorageError:
        return jsonify({"status": "no database"}), 503
    if not viewer().live.is_fresh():
        return jsonify({"status": "live channel stands still"}), 503
    return jsonify({"status": "ok"}), 200


@bp.get("/readyz")
@allow(Policy.ANYBODY)
@documented(Readiness, status=(200, 503), tags=["operation"])  # type: ignore[untyped-decorator]
def readyz() -> tuple[Response, int]:
    """Say whether people may be sent here; else 503 and each reason, in words that give nothing away."""
    reasons = [*_of_database(), *_of_tail()]
    answer = {"status": "not ready" if reasons else "ready", "reasons": reasons}
    return jsonify(answer), 503 if reasons else 200


def _of_database() -> list[dict[str, str]]:
    try:
        with viewer().database.read() as session:
            revision = MigrationContext.configure(session.connection()).get_current_revision()
    except StorageError:
        return [{"check": "database", "reason": "the database does not answer"}]
    if revision != _head():
        reason = f"the database has schema {revision or 'none'}, this version needs {_head()}"
        return [{"check": "migrations", "reason": reason}]
    return []


def _of_tail() -> list[dict[str, str]]:
    if viewer().live.is_fresh():
        return []
    return [{"check": "tail", "reason": "the live channel does not follow the tables"}]


@cache
def _head() -> str:
    """Return the newest revision; it lies in files that do not change while we run."""
    return migrate.head()
