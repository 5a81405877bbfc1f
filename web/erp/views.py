"""Whom the ERP knows."""

from typing import Any

from flask import Blueprint, Response, jsonify

from daemon.clients.erp_values import ErpUser
from daemon.clients.errors import SourceError
from web.answers import RETRY_S, Problem, log
from web.contract import documented
from web.integration_answers import ErpAnswer
from web.language import gettext
from web.policy import Policy, allow
from web.viewer import viewer

bp = Blueprint("erp", __name__)
ENDPOINT = "erp.erp_user"
RATE = "30 per minute"


@bp.get("/api/erp/user/<username>")
@allow(Policy.SIGNED_IN)
@documented(ErpAnswer, 401, 404, 429, 503, tags=["erp"])  # type: ignore[untyped-decorator]
def erp_user(username: str) -> Response:
    """Say whether the ERP knows somebody, and who it is."""
    client = viewer().erp
    if client is None:
        raise Problem(503, "erp_not_configured", gettext("No ERP is configured."))
    try:
        found = client.person(username.strip())
    except SourceError as e:
        log.warning("erp_not_asked", error=str(e))
        text = gettext("The ERP does not answer at the moment. Try again soon.")
        raise Problem(503, "erp_unavailable", text, retry_after_s=RETRY_S) from e
    return jsonify({"exists": found is not None, "user": _shown(found) if found else None})


def _shown(user: ErpUser) -> dict[str, Any]:
    names = ("full_name", "department", "position")
    return {"username": user.name} | {name: getattr(user, name) for name in names}
