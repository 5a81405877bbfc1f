"""The contract's notifications: one flat list, and the marking as read."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, request
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from storage import live, notifications, wakeup
from storage.columns import utc_now
from storage.inbox_acts import Chosen, perform
from web.contract import InboxAnswer, Marked, documented
from web.inbox.asked import LARGEST_ID, FilterAsked
from web.items import item_of
from web.language import gettext
from web.people import Person, person
from web.policy import Policy, allow
from web.redirects import home as first_page
from web.redirects import safe_next
from web.source import source_state
from web.validation import Asked, body, query
from web.viewer import viewer

bp = Blueprint("notifications", __name__)


class InboxQuery(Asked):
    """Which part of the inbox is asked for. Without `per_page` it is what [web] says."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    per_page: int | None = Field(default=None, ge=1, le=100)
    unread_only: bool = False
    html: bool = False


class AllRead(Asked):
    """Marks as read what came up to this id, which is all that the asker has seen; without it, everything."""

    up_to: int | None = Field(default=None, ge=0, le=LARGEST_ID)


class AllReadForm(FilterAsked):
    """The same of what a filter lets through, and where to go afterwards."""

    up_to: int | None = Field(default=None, ge=0, le=LARGEST_ID)
    next: str = ""


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page of an inbox and what stands around it."""

    page: notifications.Page
    unread: int
    last_id: int
    source: dict[str, Any] | None

    def pagination(self) -> dict[str, int]:
        """Return the contract's pagination."""
        shown = self.page
        return {
            "page": shown.page,
            "per_page": shown.per_page,
            "total": shown.total,
            "pages": shown.pages,
        }


@bp.get("/")
@allow(Policy.ANYBODY)
def home() -> BaseResponse:
    """Lead to the tasks, or to the inbox of those who have none."""
    return redirect(first_page(), 302)


@bp.get("/tasks/api/notifications")
@allow(Policy.SIGNED_IN)
@documented(InboxAnswer, 401, 422, 503, query=InboxQuery, tags=["notifications"])  # type: ignore[untyped-decorator]
def inbox_json() -> Response:
    """Return one page of the inbox, newest first."""
    asked = query(InboxQuery)
    inbox = _load(person(), asked)
    return jsonify(
        {
            "notifications": [item_of(row, html=asked.html) for row in inbox.page.rows],
            "pagination": inbox.pagination(),
            "unread": inbox.unread,
            "last_id": inbox.last_id,
            "source": inbox.source,
        }
    )


@bp.put("/tasks/api/notifications/<int:notification_id>/read")
@allow(Policy.SIGNED_IN)
@documented(Marked, 400, 401, 404, 503, tags=["notifications"])  # type: ignore[untyped-decorator]
def mark_read(notification_id: int) -> Response:
    """Mark one notification as read; one that is not the asker's does not exist."""
    unread = _mark(person(), notification_id)
    message = gettext("Notification marked as read")
    return jsonify({"success": True, "message": message, "unread": unread})


@bp.put("/tasks/api/notifications/read-all")
@allow(Policy.SIGNED_IN)
@documented(Marked, 400, 401, 422, 503, json=AllRead, tags=["notifications"])  # type: ignore[untyped-decorator]
def mark_all_read() -> Response:
    """Mark everything as read, or everything up to an id."""
    asked = body(AllRead) if request.content_length else AllRead()
    unread = _mark_all(person(), asked.up_to)
    message = gettext("All notifications marked as read")
    return jsonify({"success": True, "message": message, "unread": unread})


@bp.post("/notifications/read-all")
@allow(Policy.SIGNED_IN)
def mark_all_read_by_form() -> BaseResponse:
    """Mark all that the filter of a page lets through, for a page without scripts."""
    asked = body(AllReadForm)
    chosen = Chosen(asked=asked.as_filter(), up_to=asked.up_to)
    with viewer().database.write() as session:
        changed = perform(session, person().id, "read", chosen, utc_now())
    if changed:
        wakeup.send(viewer().database)
    return redirect(safe_next(asked.next), 303)


def _load(who: Person, asked: InboxQuery) -> Inbox:
    """Read a page of the inbox, after Redmine was asked about what is in doubt."""
    inbox = _read(who, asked)
    if viewer().rights.verify(who, inbox.page.rows):
        inbox = _read(who, asked)
    return inbox


def _read(who: Person, asked: InboxQuery) -> Inbox:
    settings = viewer().settings
    with viewer().database.read() as session:
        # First: what is recorded between these statements is then replayed rather than missed.
        newest_id = notifications.newest_id(session)
        shown = notifications.of_user(
            session,
            who.id,
            page=asked.page,
            per_page=asked.per_page or settings.web.per_page,
            unread_only=asked.unread_only,
        )
        return Inbox(
            page=shown,
            unread=notifications.unread_count(session, who.id),
            last_id=max([newest_id, *(row.id for row in shown.rows)]),
            source=source_state(session, is_configured=settings.redmine is not None, is_admin=who.is_admin),
        )


def _mark(who: Person, notification_id: int) -> int:
    """Mark one as read and return how many are unread then."""
    if notification_id > LARGEST_ID:
        abort(404)
    with viewer().database.write() as session:
        live.lock_order(session)  # before any row is: the daemon locks in this order too
        if notifications.find(session, who.id, notification_id) is None:
            abort(404)
        changed = notifications.mark_read(session, who.id, utc_now(), [notification_id])
        unread = notifications.unread_count(session, who.id)
    if changed:
        wakeup.send(viewer().database)
    return unread


def _mark_all(who: Person, up_to: int | None) -> int:
    with viewer().database.write() as session:
        live.lock_order(session)
        changed = notifications.mark_read(session, who.id, utc_now(), up_to=up_to)
        unread = notifications.unread_count(session, who.id)
    if changed:
        wakeup.send(viewer().database)
    return unread
