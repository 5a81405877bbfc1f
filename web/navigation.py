"""The pages that the reader is offered: those that exist, are switched on and that they may open."""

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for

from web.language import gettext
from web.people import Person, someone
from web.policy import is_offered
from web.viewer import viewer


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation; `icon` is a name of the sprite."""

    endpoint: str
    label: str
    icon: str
    url: str
    is_current: bool


def register(app: Flask) -> None:
    """Give templates the list `links`."""
    app.context_processor(lambda: {"links": _links(someone())})


def _links(who: Person | None) -> list[Link]:
    if who is None:
        return []
    here = (request.endpoint or "").partition(".")[0]
    return [
        Link(endpoint, label, icon, url_for(endpoint), endpoint.partition(".")[0] == here)
        for endpoint, label, icon in _pages()
        if endpoint in current_app.view_functions and is_offered(current_app, endpoint, who)
    ]


def _pages() -> list[tuple[str, str, str]]:
    calls = [("finesse.calls_page", gettext("Calls"), "phone")] if viewer().settings.finesse else []
    network = [("hosts.hosts_page", gettext("Network"), "network")] if viewer().settings.has_hosts else []
    return [
        ("tasks.my_tasks", gettext("My tasks"), "checklist"),
        ("board.board_page", gettext("Board"), "layout-kanban"),
        ("inbox.inbox_page", gettext("Notifications"), "inbox"),
        *calls,
        *network,
        ("posts.posts", gettext("News"), "news"),
        ("quality.quality_page", gettext("Quality"), "chart-bar"),
        ("people.people_page", gettext("Users"), "users"),
        ("schedules.schedules_page", gettext("Schedules"), "clock-play"),
        ("delivery.delivery_page", gettext("Delivery"), "send"),
        ("stored.stored_page", gettext("Storage"), "archive"),
    ]
