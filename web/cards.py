"""Parts of a notification's card that are alike on all of them, made once for each language.

A viewer renders a card for each notification that arrives at an open page: what is asked for again and again
would cost more than the card itself.
"""

import functools
from collections.abc import Mapping
from typing import Any

from flask import Flask
from markupsafe import Markup

from web.language import gettext, language

ID = "{id}"
ICON = Markup(
    '<svg class="icon {classes}" aria-hidden="true" focusable="false">'
    '<use href="{icons_url}#{name}"></use></svg>'
)


def register(app: Flask) -> None:
    """Give templates `icon(name)`, `detail_rows(details)`, `field_names()` and a card's `note_acts(id)`.

    As globals: a template that imports macros takes longer over that than over their text.
    """
    icons_url = app.jinja_env.globals["icons_url"]

    @functools.cache
    def acts(_language: str) -> str:
        return app.jinja_env.get_template("_notification_acts.html").render(id=ID)

    @functools.cache
    def details() -> Any:
        return app.jinja_env.get_template("_details.html").module

    @functools.cache
    def icon(name: str, classes: str = "") -> Markup:
        return ICON.format(name=name, classes=classes, icons_url=icons_url)

    app.jinja_env.globals["icon"] = icon
    app.jinja_env.globals["detail_rows"] = lambda rows: details().detail_rows(rows)
    app.jinja_env.globals["note_acts"] = lambda note_id: Markup(  # noqa: S704 - our own template
        acts(language()).replace(ID, str(int(note_id)))
    )
    app.jinja_env.globals["field_names"] = lambda: _fields(language())


@functools.cache
def _fields(_language: str) -> Mapping[str, str]:
    """Return what the fields that a journal can change are called."""
    return {
        "status": gettext("Status"),
        "priority": gettext("Priority"),
        "assigned_to": gettext("Assignee"),
        "tracker": gettext("Tracker"),
        "project": gettext("Project"),
        "category": gettext("Category"),
        "fixed_version": gettext("Version"),
        "parent": gettext("Parent issue"),
        "subject": gettext("Subject"),
        "description": gettext("Description"),
        "start_date": gettext("Start date"),
        "due_date": gettext("Due date"),
        "done_ratio": gettext("Done"),
        "estimated_hours": gettext("Estimate"),
        "is_private": gettext("Private"),
        "attachment": gettext("File"),
        "relation": gettext("Relation"),
        "department": gettext("Department"),
        "position": gettext("Position"),
    }
