"""Why a change did not come about, in words for the person who made it."""

from daemon.clients.errors import Rejected
from daemon.clients.values import Issue
from web.answers import Problem
from web.language import gettext


def rejected(error: Rejected) -> Problem:
    """Return Redmine's own words, or that others were faster over and over."""
    if error.messages:
        return Problem(422, "rejected", " ".join(_sentence(message) for message in error.messages))
    text = gettext("Others keep changing this task at this moment. Try again.")
    return Problem(409, "busy", text, retry_after_s=1)


def _sentence(message: str) -> str:
    return message if message.endswith((".", "!", "?")) else f"{message}."


def still(issue: Issue, field: str) -> str:
    """Say what a field is after all."""
    if field == "status_id":
        return gettext(
            "Redmine did not take the change: the status is still “%(now)s”.", now=issue.status.name
        )
    if field == "priority_id":
        now = issue.priority.name
        return gettext("Redmine did not take the change: the priority is still “%(now)s”.", now=now)
    now = issue.assigned_to.name if issue.assigned_to else gettext("nobody")
    return gettext("Redmine did not take the change: the assignee is still “%(now)s”.", now=now)


def dropped(text: str, *, has_note: bool = False) -> Problem:
    """Return that Redmine ignored something without a word."""
    saved = gettext("Your comment was saved.") if has_note else ""
    reason = gettext("Its workflow or your rights there do not allow it.")
    return Problem(409, "dropped", " ".join(part for part in (text, reason, saved) if part))


def forbidden(text: str) -> Problem:
    """Return that this person may not do that."""
    return Problem(403, "forbidden", text)


def unsure() -> Problem:
    """Return that nobody knows whether the write is there."""
    text = gettext("Redmine did not answer. Look whether your change is there before you repeat it.")
    return Problem(503, "unsure", text)


def unread() -> Problem:
    """Return that the write is there, but not what came of it."""
    text = gettext("Redmine took your change, but could not be read afterwards. Load the page again.")
    return Problem(503, "unsure", text)
