# mypy: allow-untyped-calls
"""Where the asker is signed in, and signing out from there."""

from flask import Blueprint, Response, abort, jsonify, redirect
from werkzeug.wrappers import Response as BaseResponse

from storage import sign_ins
from web.contract import documented
from web.language import gettext
from web.people import person, this_device
from web.policy import Policy, allow
from web.users import devices
from web.users.shapes import Devices, Ended
from web.viewer import viewer

bp = Blueprint("sign_ins", __name__, url_prefix="/users/devices")


@bp.get("")
@allow(Policy.SIGNED_IN)
@documented(Devices, 401, 503, tags=["users"])  # type: ignore[untyped-decorator]
def device_list() -> Response:
    """Return every place where the asker is signed in."""
    with viewer().database.read() as reading:
        found = sign_ins.of_user(reading, person().id)
    return jsonify({"devices": devices.shown(found)})


@bp.delete("/others")
@allow(Policy.SIGNED_IN)
@documented(Ended, 400, 401, 503, tags=["users"])  # type: ignore[untyped-decorator]
def end_others() -> Response:
    """Sign out everywhere else."""
    return _answer(_end_others())


@bp.delete("/<key>")
@allow(Policy.SIGNED_IN)
@documented(Ended, 400, 401, 404, 503, tags=["users"])  # type: ignore[untyped-decorator]
def end_one(key: str) -> Response:
    """Sign one of the asker's devices out."""
    _end(key)
    return _answer(1)


@bp.post("/others/end")
@allow(Policy.SIGNED_IN)
def end_others_by_form() -> BaseResponse:
    """Do the same for the page."""
    _end_others()
    return redirect("/users/profile?saved=devices#devices", 303)


@bp.post("/<key>/end")
@allow(Policy.SIGNED_IN)
def end_one_by_form(key: str) -> BaseResponse:
    """Do the same for the page."""
    _end(key)
    return redirect("/users/profile?saved=devices#devices", 303)


def end_everywhere(user_id: int, *, but: str = "") -> int:
    """End somebody's log-ins, all or all but one device's, with their live connections; return how many."""
    with viewer().database.write() as writing:
        ended = sign_ins.remove(writing, user_id, but=but)
    for device in ended:
        viewer().live.end_session(user_id, device)
    return len(ended)


def _end_others() -> int:
    return end_everywhere(person().id, but=this_device())


def _end(key: str) -> None:
    who = person()
    with viewer().database.write() as writing:
        named = (row.device for row in sign_ins.of_user(writing, who.id))
        device = next((name for name in named if devices.key_of(name) == key), None) or abort(404)
        sign_ins.remove(writing, who.id, device=device)
    viewer().live.end_session(who.id, device)


def _answer(ended: int) -> Response:
    return jsonify({"success": True, "message": gettext("Signed out there"), "ended": ended})
