"""Parts of a notification's card that are alike on all of them, made once for each language.

A viewer renders a card for each notification that arrives at an open page: what is asked for again and again
would cost more than the card itself.
"""

import functools
from collections.abc import Mapping

from flask import Flask
from markupsafe import Markup

from web.language import gettext, language

ID = "{id}"


def register(app: Flask) -> None:
    """Give templates `note_acts(id)`, the buttons of a card, and `field_names()`."""

    @functools.cache
    def acts(_language: str) -> str:
        return app.jinja_env.get_template("_notification_acts.html").render(id=ID)

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
