"""Whether this viewer process works: its database answers and its tail follows the table."""

from flask import Blueprint, Response, jsonify

from storage import notifications
from storage.session import StorageError
from web.contract import Health, documented
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
