"""What administrators did: who, what, before, after."""

from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic import Field

from storage import audit
from storage.job_table import as_json
from storage.models import AuditEntry
from web.answers import page
from web.contract import documented
from web.policy import Policy, allow
from web.schedules.reading import pagination
from web.schedules.shapes import AuditAnswer
from web.schedules.words import act_words
from web.users.fields import Line
from web.validation import Asked, query
from web.viewer import viewer

bp = Blueprint("audit", __name__)


class AuditQuery(Asked):
    """Which page, and of what: `job:redmine` for example."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    subject: Line = ""


@bp.get("/admin/audit")
@allow(Policy.ADMIN)
def audit_page() -> str:
    """Show one page of what administrators did."""
    asked = query(AuditQuery)
    with viewer().database.read() as session:
        found = audit.entries(session, asked.page, asked.subject)
    return page("audit.html", found=found, asked=asked, words=act_words())


@bp.get("/api/admin/audit")
@allow(Policy.ADMIN)
@documented(AuditAnswer, 401, 403, 422, 503, query=AuditQuery, tags=["admin"])  # type: ignore[untyped-decorator]
def entries() -> Response:
    """Return one page of what administrators did."""
    asked = query(AuditQuery)
    with viewer().database.read() as session:
        found = audit.entries(session, asked.page, asked.subject)
    return jsonify({"entries": [_item(row) for row in found.rows], "pagination": pagination(found)})


def _item(row: AuditEntry) -> dict[str, Any]:
    return {column.key: as_json(getattr(row, column.key)) for column in AuditEntry.__table__.columns}
