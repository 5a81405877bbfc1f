"""What people do with notifications: one, an issue's, or all that match; by a script or by a form."""

from datetime import datetime
from typing import Annotated, Any, get_args

from flask import Blueprint, Response, abort, jsonify, redirect
from pydantic import AwareDatetime, Field, StringConstraints, model_validator
from werkzeug.wrappers import Response as BaseResponse

from storage import live, notifications, wakeup
from storage.columns import utc_now
from storage.inbox_acts import Act, Chosen, is_any, leaves_stamp, one_end, opposite, perform
from web.answers import Problem
from web.contract import documented
from web.inbox import snooze
from web.inbox.answers import ActDone
from web.inbox.asked import LARGEST_ID, FilterAsked
from web.language import gettext
from web.people import Person, person
from web.policy import Policy, allow
from web.redirects import safe_next
from web.validation import Asked, body
from web.viewer import viewer

bp = Blueprint("inbox_acts", __name__)

MOST_IDS, MOST_THREADS = 1_000, 100
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Thread = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Until = Annotated[str, StringConstraints(max_length=40)]


class ActAsked(Asked):
    """What to do with which notifications: exactly one of `ids`, `threads`, `filter` and `stamp` says it.

    `filter` beside `threads` says in which list they were seen. `up_to` leaves alone what the asker has
    not seen. A snooze needs `until`: hour, evening, tomorrow, monday, or a date and time.
    """

    act: Act
    ids: list[Id] | None = Field(default=None, min_length=1, max_length=MOST_IDS)
    threads: list[Thread] | None = Field(default=None, min_length=1, max_length=MOST_THREADS)
    filter: FilterAsked | None = None
    stamp: AwareDatetime | None = None
    up_to: int | None = Field(default=None, ge=0, le=LARGEST_ID)
    until: Until = ""

    @model_validator(mode="after")
    def _is_clear(self) -> "ActAsked":
        named = [self.ids is not None, self.stamp is not None, bool(self.threads or self.filter)]
        if sum(named) != 1:
            raise ValueError("exactly one of ids, threads, filter and stamp must be given")
        return self

    def chosen(self) -> Chosen:
        """Return what storage is asked to act on."""
        asked = self.filter or FilterAsked()
        if self.threads:
            # What was read a moment ago still stands in the list of unread ones.
            asked = asked.model_copy(update={"unread_only": False})
        return Chosen(self.ids, asked.as_filter(*(self.threads or ())), self.up_to, self.stamp)


class FormAct(FilterAsked):
    """What the form of the page says of an act on one card."""

    up_to: int | None = Field(default=None, ge=0, le=LARGEST_ID)
    until: Until = ""
    next: str = ""


@bp.post("/api/inbox/acts")
@allow(Policy.SIGNED_IN)
@documented(ActDone, 400, 401, 404, 422, 503, json=ActAsked, tags=["notifications"])  # type: ignore[untyped-decorator]
def act() -> Response:
    """Mark as read or unread, archive, snooze or star, or take one of these back."""
    asked = body(ActAsked)
    return jsonify(_do(person(), asked.act, asked.chosen(), asked.until))


@allow(Policy.SIGNED_IN)
def act_by_form(notification_id: int, act: Act) -> BaseResponse:
    """Do it with the whole issue of a card, for a page without scripts."""
    who, asked = person(), body(FormAct)
    with viewer().database.read() as session:
        row = notifications.find(session, who.id, min(notification_id, LARGEST_ID))
    if row is None:
        abort(404)
    # Its state may have changed since the page was made, so its view says nothing of the others.
    seen = asked.model_copy(update={"unread_only": False}).as_filter(row.thread)
    up_to = max(asked.up_to or 0, row.id)
    _do(who, act, Chosen(asked=seen, up_to=up_to), asked.until, must_exist=False)
    return redirect(safe_next(asked.next), 303)


for _name in get_args(Act):
    bp.add_url_rule(
        f"/notifications/<int:notification_id>/{_name}",
        view_func=act_by_form,
        methods=["POST"],
        defaults={"act": _name},
    )


def _do(who: Person, act: Act, chosen: Chosen, until: str, *, must_exist: bool = True) -> dict[str, Any]:
    """Do it; return the answer. Raises Problem (422) and 404 where nothing of it is this person's."""
    now = utc_now()
    end = _end(act, until, now, who.time_zone)
    with viewer().database.write() as session:
        live.lock_order(session)
        is_named = must_exist and (chosen.ids is not None or bool(chosen.asked.threads))
        if is_named and not is_any(session, who.id, chosen, now):
            abort(404)
        former = one_end(session, who.id, chosen, now) if act == "unsnooze" else None
        changed = perform(session, who.id, act, chosen, now, end)
        unread = notifications.unread_count(session, who.id, now)
    if changed:
        wakeup.send(viewer().database)
    return {
        "success": True,
        "message": _message(act, len(changed)),
        "changed": len(changed),
        "unread": unread,
        "undo": _undo(act, changed, end or now) if act != "unsnooze" else _again(changed, former, now),
    }


def _end(act: Act, until: str, now: datetime, zone: str) -> datetime | None:
    """Return until when it is put off, to the microsecond of this act: it is what undoes it."""
    if act != "snooze":
        return None
    try:
        return snooze.moment(until, now, zone).replace(microsecond=now.microsecond)
    except (ValueError, OverflowError) as e:
        text = gettext("must be a moment to come, within a year")
        raise Problem(422, "invalid", gettext("Some values are not valid."), errors={"until": [text]}) from e


def _undo(act: Act, changed: list[int], stamp: datetime) -> dict[str, Any] | None:
    if not changed:
        return None
    if len(changed) <= MOST_IDS:
        return {"act": opposite(act), "ids": changed}
    return {"act": opposite(act), "stamp": stamp.isoformat()} if leaves_stamp(act) else None


def _again(changed: list[int], until: datetime | None, now: datetime) -> dict[str, Any] | None:
    """Return what takes an early awakening back; None where they were to sleep until different moments."""
    if until is None or until <= now or not 0 < len(changed) <= MOST_IDS:
        return None
    return {"act": "snooze", "ids": changed, "until": until.isoformat()}


def _message(act: Act, count: int) -> str:
    done = {
        "read": gettext("Marked as read"),
        "unread": gettext("Marked as unread"),
        "archive": gettext("Archived"),
        "unarchive": gettext("Back in the inbox"),
        "snooze": gettext("Snoozed"),
        "unsnooze": gettext("Back in the inbox"),
        "star": gettext("Starred"),
        "unstar": gettext("Star removed"),
    }[act]
    return done if count == 1 else f"{done}: {count}"
