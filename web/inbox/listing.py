"""Reads the inbox for a person, after Redmine was asked about what is in doubt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage import inbox, notifications
from storage.columns import utc_now
from storage.inbox import Filter, Group, Groups, Place
from storage.models import Notification
from web.inbox.asked import name_of
from web.items import Item, item_of, markup
from web.people import Person
from web.source import source_state
from web.viewer import viewer

# So many in doubt are asked about before a filter is applied to what they say.
DOUBTFUL = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of the inbox, and what stands around it."""

    part: Groups
    unread: int
    last_id: int
    source: dict[str, Any] | None


def read(who: Person, asked: Filter, limit: int, after: Place | None) -> Listing:
    """Return the groups that a filter lets through from a place on."""
    _confirm(who, asked)
    listing = _read(who, asked, limit, after)
    if viewer().rights.verify(who, [group.newest for group in listing.part.groups]):
        listing = _read(who, asked, limit, after)
    return listing


def read_thread(
    who: Person, asked: Filter, limit: int, after: Place | None
) -> tuple[list[Notification], Place | None]:
    """Return the notifications of a thread from a place on."""
    found = _read_thread(who, asked, limit, after)
    if viewer().rights.verify(who, found[0]):
        found = _read_thread(who, asked, limit, after)
    return found


def group_item(group: Group, *, html: bool = False) -> dict[str, Any]:
    """Return a group as the API and the page have it."""
    item = item_of(group.newest) | counts_of(group)
    if html:
        item["html"] = markup(item)
    return {
        "thread": group.newest.thread,
        "count": group.count,
        "unread": group.unread,
        "starred": group.starred,
        "reasons": list(group.reasons),
        "item": {name: value for name, value in item.items() if name != "group"},
    }


def counts_of(group: Group) -> Item:
    """Return what the card of a group shows besides its newest notification."""
    return {
        "group": {
            "count": group.count,
            "unread": group.unread,
            "starred": group.starred,
            "reasons": list(group.reasons),
        }
    }


def answer(listing: Listing, *, html: bool) -> dict[str, Any]:
    """Return the JSON of a part."""
    return {
        "groups": [group_item(group, html=html) for group in listing.part.groups],
        "following": name_of(listing.part.following),
        "unread": listing.unread,
        "last_id": listing.last_id,
        "source": listing.source,
    }


def _confirm(who: Person, asked: Filter) -> None:
    """Have what is in doubt confirmed where the filter would have to leave it out."""
    if not asked.is_of_content:
        return
    with viewer().database.read() as session:
        rows = inbox.doubtful(session, who.id, asked, utc_now(), DOUBTFUL)
    viewer().rights.verify(who, rows)


def _read(who: Person, asked: Filter, limit: int, after: Place | None) -> Listing:
    now = utc_now()
    has_redmine = viewer().settings.redmine is not None
    with viewer().database.read() as session:
        # First: what is recorded between these statements is then replayed rather than missed.
        newest_id = notifications.newest_id(session)
        part = inbox.groups(session, who.id, asked, now, limit, after)
        return Listing(
            part=part,
            unread=notifications.unread_count(session, who.id, now),
            last_id=max([newest_id, *(group.newest.id for group in part.groups)]),
            source=source_state(session, is_configured=has_redmine, is_admin=who.is_admin),
        )


def _read_thread(
    who: Person, asked: Filter, limit: int, after: Place | None, now: datetime | None = None
) -> tuple[list[Notification], Place | None]:
    with viewer().database.read() as session:
        return inbox.of_thread(session, who.id, asked, now or utc_now(), limit, after)
