"""The pages of the inbox, and the same as JSON."""

from flask import Blueprint, Response, abort, jsonify

from storage import inbox, mutes, notifications
from storage.columns import utc_now
from storage.inbox import Filter, Place
from storage.models import Notification
from web.answers import page as render_page
from web.contract import documented
from web.inbox import snooze
from web.inbox.answers import GroupsAnswer, ThreadAnswer
from web.inbox.asked import LARGEST_ID, FilterAsked, ListAsked, ThreadAsked, name_of, place_of
from web.inbox.deliveries import of_notification
from web.inbox.listing import Listing, answer, counts_of, read, read_thread
from web.items import Item, item_of
from web.kinds import offered_types, reason_names, type_names
from web.people import Person, person
from web.policy import Policy, allow
from web.validation import query
from web.viewer import viewer

bp = Blueprint("inbox", __name__)

EARLIER = 30


@bp.get("/notifications")
@allow(Policy.SIGNED_IN)
def inbox_page() -> str:
    """Show the inbox, or the part of it that a filter lets through."""
    asked, who = query(ListAsked), person()
    limit = _limit(asked)
    listing = read(who, asked.as_filter(), limit, place_of(asked.before))
    return render_page(
        "notifications.html",
        items=[item_of(group.newest) | counts_of(group) for group in listing.part.groups],
        asked=asked,
        types=_types(asked),
        reasons=reason_names(),
        projects=_projects(who, asked),
        targets=list(snooze.targets(utc_now(), who.time_zone)),
        following=name_of(listing.part.following),
        per_page=limit,
        unread=listing.unread,
        last_id=listing.last_id,
        source=listing.source,
    )


@bp.get("/api/inbox")
@allow(Policy.SIGNED_IN)
@documented(GroupsAnswer, 401, 422, 503, query=ListAsked, tags=["notifications"])  # type: ignore[untyped-decorator]
def inbox_json() -> Response:
    """Return a part of the inbox, grouped by issue, latest first."""
    asked = query(ListAsked)
    listing: Listing = read(person(), asked.as_filter(), _limit(asked), place_of(asked.before))
    return jsonify(answer(listing, html=asked.html))


@bp.get("/api/inbox/thread")
@allow(Policy.SIGNED_IN)
@documented(ThreadAnswer, 401, 422, 503, query=ThreadAsked, tags=["notifications"])  # type: ignore[untyped-decorator]
def thread_json() -> Response:
    """Return the notifications of one thread, latest first."""
    asked = query(ThreadAsked)
    found = asked.as_filter(asked.thread)
    rows, following = read_thread(person(), found, _limit(asked), place_of(asked.before))
    return jsonify(
        {"items": [item_of(row, html=asked.html) for row in rows], "following": name_of(following)}
    )


@bp.get("/notifications/<int:notification_id>")
@allow(Policy.SIGNED_IN)
def notification_page(notification_id: int) -> str:
    """Show one notification: what may be done with it, how it was delivered, what came before it."""
    who = person()
    with viewer().database.read() as session:
        row = notifications.find(session, who.id, min(notification_id, LARGEST_ID))
    if row is None:
        abort(404)
    if viewer().rights.verify(who, [row]):
        with viewer().database.read() as session:
            row = notifications.find(session, who.id, notification_id)
        if row is None:
            abort(404)
    return render_page(
        "notification.html",
        item=item_of(row),
        targets=list(snooze.targets(utc_now(), who.time_zone)),
        told=of_notification(who, row.id),
        earlier=_earlier(who, row),
        is_muted=_is_muted(who, row.issue_id),
    )


def _earlier(who: Person, row: Notification) -> list[Item]:
    """Return what came before it of the same thread, archived or not."""
    before = Place(row.surfaced_at, row.id)
    rows, _ = read_thread(who, Filter(view="all", threads=(row.thread,)), EARLIER, before)
    return [item_of(one) for one in rows]


def _is_muted(who: Person, issue_id: int | None) -> bool:
    with viewer().database.read() as session:
        return issue_id is not None and mutes.is_muted(session, who.id, issue_id)


def _projects(who: Person, asked: FilterAsked) -> list[tuple[int, str]]:
    """Return the projects to choose from; the chosen one is among them whatever it is."""
    with viewer().database.read() as session:
        found = inbox.projects(session, who.id)
    if asked.project is not None and asked.project not in dict(found):
        found.append((asked.project, f"#{asked.project}"))
    return found


def _types(asked: FilterAsked) -> dict[str, str]:
    """Return the types to choose from with their names; the chosen one is among them whatever it is."""
    names = type_names()
    offered = {kind: names[kind] for kind in offered_types()}
    return offered | ({asked.type: names.get(asked.type, asked.type)} if asked.type else {})


def _limit(asked: ListAsked) -> int:
    return asked.per_page or viewer().settings.web.per_page
