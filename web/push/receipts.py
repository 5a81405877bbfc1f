"""A browser says that a message arrived there: the service worker knows a secret of it."""

from flask import Blueprint, Response, jsonify
from pydantic import Field

from storage.columns import utc_now
from storage.delivery_health import receive as note_arrival
from web.contract import Done, documented
from web.policy import Policy, allow
from web.validation import Asked, body
from web.viewer import viewer

bp = Blueprint("receipts", __name__)
RATE = "1200 per minute"  # a whole company may stand behind one address


class ReceiptBody(Asked):
    """The secret that came with the message."""

    receipt: str = Field(min_length=16, max_length=64)


@bp.post("/push/receipt")
@allow(Policy.ANYBODY)
@documented(Done, 400, 422, 429, 503, json=ReceiptBody, tags=["push"])  # type: ignore[untyped-decorator]
def receive() -> Response:
    """Note that a message arrived. The answer is the same whether it is known, so that nothing is learned."""
    given = body(ReceiptBody)
    with viewer().database.write() as writing:
        note_arrival(writing, given.receipt, utc_now())
    return jsonify({"success": True, "message": "ok"})
