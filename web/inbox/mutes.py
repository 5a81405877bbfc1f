"""Issues that somebody wants to hear nothing of."""

from flask import Blueprint, Response, abort, jsonify, redirect
from werkzeug.wrappers import Response as BaseResponse

from storage import mutes, wakeup
from storage.columns import utc_now
from web.contract import documented
from web.inbox.answers import MuteAnswer
from web.inbox.asked import LARGEST_ID
from web.language import gettext
from web.people import person
from web.policy import Policy, allow
from web.redirects import safe_next
from web.validation import Asked, body
from web.viewer import viewer

bp = Blueprint("inbox_mutes", __name__)


class MuteForm(Asked):
    """A form says where to go afterwards."""

    next: str = ""


@bp.put("/tasks/api/task/<int:task_id>/mute")
@allow(Policy.SIGNED_IN)
@documented(MuteAnswer, 400, 401, 404, 503, tags=["notifications"])  # type: ignore[untyped-decorator]
def mute(task_id: int) -> Response:
    """Let nothing more of an issue into the asker's inbox, except where they are mentioned or assigned."""
    return jsonify(_set(task_id, is_muted=True))


@bp.delete("/tasks/api/task/<int:task_id>/mute")
@allow(Policy.SIGNED_IN)
@documented(MuteAnswer, 400, 401, 404, 503, tags=["notifications"])  # type: ignore[untyped-decorator]
def unmute(task_id: int) -> Response:
    """Let what happens to an issue into the asker's inbox again."""
    return jsonify(_set(task_id, is_muted=False))


@bp.post("/tasks/<int:task_id>/mute", defaults={"is_muted": True})
@bp.post("/tasks/<int:task_id>/unmute", defaults={"is_muted": False})
@allow(Policy.SIGNED_IN)
def mute_by_form(task_id: int, is_muted: bool) -> BaseResponse:
    """Do the same for a page without scripts."""
    _set(task_id, is_muted=is_muted)
    return redirect(safe_next(body(MuteForm).next, f"/tasks/{task_id}"), 303)


@bp.app_template_global("is_muted_issue")
def is_muted_issue(task_id: int) -> bool:
    """Say whether who asks for the page muted the issue."""
    with viewer().database.read() as session:
        return mutes.is_muted(session, person().id, task_id)


def _set(task_id: int, *, is_muted: bool) -> dict[str, object]:
    if not 0 < task_id <= LARGEST_ID:
        abort(404)
    with viewer().database.write() as session:
        if is_muted:
            mutes.mute(session, person().id, task_id, utc_now())
        else:
            mutes.unmute(session, person().id, task_id)
    wakeup.send(viewer().database)
    text = gettext("Issue muted: it asks for you only when you are mentioned or assigned")
    message = text if is_muted else gettext("Issue not muted any more")
    return {"success": True, "message": message, "task_id": task_id, "is_muted": is_muted}
