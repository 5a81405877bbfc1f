"""What each type of news is called, and why somebody is told: the words, icons and colours of a notification.

Asked for with every notification that is rendered; the words are put together once for each language.
"""

import functools
from collections.abc import Mapping

from flask import Flask

from storage.preferences import ADMIN_TYPES, SOURCE_OF, TYPES
from web.language import gettext, language
from web.people import person
from web.viewer import viewer

Kind = tuple[str, str, str]


def register(app: Flask) -> None:
    """Give the template of a notification `note_kinds()` and `note_reasons()`."""
    app.jinja_env.globals["note_kinds"] = lambda: _kinds(language())
    app.jinja_env.globals["note_reasons"] = reason_names


def type_names() -> dict[str, str]:
    """Return what every type of notifications is called, also those whose cards show their title instead."""
    untitled = {
        "channel_problem": gettext("A channel cannot send"),
        "job_trouble": gettext("A job keeps failing"),
    }
    named = {kind: name for kind, (name, _icon, _colour) in _kinds(language()).items()}
    return named | untitled


def offered_types() -> list[str]:
    """Return the types that can come to the asker here, in the order of the pages."""
    settings = viewer().settings
    is_there = {
        "erp": settings.erp is not None,
        "hosts": settings.has_hosts,
        "finesse": settings.finesse is not None,
    }
    hidden = frozenset() if person().is_admin else ADMIN_TYPES
    return [kind for kind in TYPES if kind not in hidden and is_there.get(SOURCE_OF.get(kind, ""), True)]


def reason_names() -> Mapping[str, str]:
    """Return why somebody is told, by what notifications keep."""
    return _reasons(language())


@functools.cache
def _kinds(_language: str) -> Mapping[str, Kind]:
    """Return name, icon and colour by type; those without a name are called by their title."""
    return {
        "status_change": (gettext("Status changed"), "arrows-exchange", "bg-blue-lt"),
        "assigned": (gettext("Assignee changed"), "user-check", "bg-purple-lt"),
        "priority_change": (gettext("Priority changed"), "flag", "bg-orange-lt"),
        "note_added": (gettext("New comment"), "message", "bg-teal-lt"),
        "new_issue": (gettext("New issue"), "circle-plus", "bg-green-lt"),
        "attachment_added": (gettext("File attached"), "paperclip", "bg-cyan-lt"),
        "due_date_change": (gettext("Due date changed"), "calendar-event", "bg-yellow-lt"),
        "mention": (gettext("You were mentioned"), "at", "bg-pink-lt"),
        "issue_deleted": (gettext("Issue deleted"), "trash", "bg-red-lt"),
        "reminder": (gettext("Reminder"), "alarm", "bg-yellow-lt"),
        "channel_problem": ("", "alert-triangle", "bg-red-lt"),
        "job_trouble": ("", "alert-triangle", "bg-red-lt"),
        "vpn_expiry": (gettext("VPN access ends"), "hourglass", "bg-orange-lt"),
        "account_blocked": (gettext("ERP account blocked"), "lock", "bg-red-lt"),
        "account_back": (gettext("ERP account active again"), "user-check", "bg-green-lt"),
        "account_changed": (gettext("ERP data changed"), "user", "bg-azure-lt"),
        "call": (gettext("Incoming call"), "phone-incoming", "bg-green-lt"),
        "host_down": (gettext("Host is down"), "circle-x", "bg-red-lt"),
        "host_up": (gettext("Host is up again"), "circle-check", "bg-green-lt"),
        "host_flapping": (gettext("Host is flapping"), "arrows-exchange", "bg-yellow-lt"),
        "network_lost": (gettext("Own network is lost"), "cloud-off", "bg-red-lt"),
        "network_back": (gettext("Own network is back"), "network", "bg-green-lt"),
        "updated": (gettext("Issue updated"), "pencil", "bg-azure-lt"),
    }


@functools.cache
def _reasons(_language: str) -> Mapping[str, str]:
    return {
        "assignee": gettext("You are the assignee"),
        "group_assignee": gettext("Your group is the assignee"),
        "previous_assignee": gettext("You were the assignee"),
        "author": gettext("You are the author"),
        "watcher": gettext("You are watching"),
        "mentioned": gettext("You are mentioned"),
        "account": gettext("It is about your account"),
        "agent": gettext("Your phone rings"),
        "looks_after": gettext("You look after it"),
        "administrator": gettext("You are an administrator"),
    }
