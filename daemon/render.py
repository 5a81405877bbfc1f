"""Pure: a change for one person, to the words they read and the row that is stored.

English is the source language; Russian is in `translations/ru`.
"""

import gettext
from functools import cache
from pathlib import Path
from typing import Any

from daemon.erp import words as erp_words
from daemon.finesse import words as call_words
from daemon.hosts import words as host_words
from daemon.recipients import type_for
from daemon.redmine import reminder_words
from daemon.values import Addressed, Change, FieldChange

LANGUAGES = ("ru", "en")
_FOLDER = Path(__file__).parent / "translations"
_LONGEST_EXCERPT = 200


def N_(text: str) -> str:  # noqa: N802 - the customary mark for texts translated later
    """Mark a text for the translators; it is looked up in the reader's language when used."""
    return text


TITLES = {
    "status_change": N_("Issue status changed"),
    "assigned": N_("Issue assigned"),
    "priority_change": N_("Issue priority changed"),
    "note_added": N_("New comment on an issue"),
    "new_issue": N_("New issue"),
    "attachment_added": N_("File added to an issue"),
    "due_date_change": N_("Due date changed"),
    "mention": N_("You were mentioned"),
    "updated": N_("Issue updated"),
    "issue_deleted": N_("Issue deleted"),
}

MESSAGES = {
    "status_change": N_("Issue #%(id)d was moved to status '%(new)s'"),
    "assigned": N_("Issue #%(id)d was assigned to %(new)s"),
    "unassigned": N_("Issue #%(id)d is no longer assigned to %(old)s"),
    "priority_change": N_("Priority of issue #%(id)d is now '%(new)s'"),
    "note_added": N_("Comment on issue #%(id)d by %(actor)s: %(excerpt)s"),
    "new_issue": N_("Issue #%(id)d was created: %(subject)s"),
    "attachment_added": N_("File '%(new)s' was added to issue #%(id)d"),
    "due_date_change": N_("Issue #%(id)d is now due on %(new)s"),
    "due_date_removed": N_("Issue #%(id)d no longer has a due date"),
    "mention": N_("%(actor)s mentioned you in issue #%(id)d: %(excerpt)s"),
    "updated": N_("Issue #%(id)d was updated by %(actor)s"),
    "issue_deleted": N_("Issue #%(id)d was deleted: %(subject)s"),
}

CHANNEL_PROBLEM = (N_("Messages cannot be sent"), N_("%(service)s refuses what we send: %(error)s"))

JOB_TROUBLE = (N_("Job '%(job)s' does not work"), N_("It failed %(failures)d times in a row: %(error)s"))
JOB_RECOVERED = (N_("Job '%(job)s' works again"), N_("What came meanwhile is being caught up."))

_FIELD_OF_TYPE = {
    "status_change": "status",
    "assigned": "assigned_to",
    "priority_change": "priority",
    "attachment_added": "attachment",
    "due_date_change": "due_date",
}
_WITHOUT_NEW = {"assigned": "unassigned", "due_date_change": "due_date_removed"}


def row(addressed: Addressed) -> dict[str, Any]:
    """Return the columns of the notification, all of them, always in the same order."""
    change = addressed.change
    kind = type_for(addressed)
    title, message = texts(change, kind, addressed.member.language)
    status = next((d for d in change.details if d.field == "status"), None)
    return {
        "change_key": change.key,
        "user_id": addressed.member.user_id,
        "type": kind,
        "reasons": list(addressed.reasons),
        "title": title,
        "message": message,
        "created_at": change.at,
        "thread": change.thread or f"issue:{change.item_id}",
        "issue_id": None if change.thread else change.item_id,
        "journal_id": change.journal_id,
        "subject": change.subject,
        "project_id": change.project.id if change.project else None,
        "project_name": change.project.name if change.project else "",
        "actor_id": change.actor.id or None,
        "actor_name": change.actor.name,
        "details": details_json(change.details),
        "notes": change.notes,
        "is_private_note": change.is_private_note,
        "old_status": status.old if status else None,
        "new_status": status.new if status else None,
    }


def wording(addressed: Addressed) -> dict[str, Any]:
    """Return the columns that change when the source's text was edited: never key, reader or time."""
    kept = ("type", "title", "message", "details", "notes", "is_private_note", "old_status", "new_status")
    columns = row(addressed)
    return {name: columns[name] for name in kept}


def texts(change: Change, kind: str, language: str) -> tuple[str, str]:
    """Return title and message of a change in a language; an unknown language reads English."""
    if kind in erp_words.TITLES:
        return erp_words.texts(change, kind, language, _translations(language))
    if kind == reminder_words.KIND:
        return reminder_words.texts(change, language, _translations(language))
    if kind == call_words.KIND:
        return call_words.texts(change, _translations(language))
    if kind in host_words.TITLES:
        return host_words.texts(change, kind, _translations(language))
    translate = _translations(language).gettext
    part = _telling(change, kind)
    pattern = kind if part is None or part.new else (part.old and _WITHOUT_NEW.get(kind)) or "updated"
    words = {
        "id": change.item_id,
        "subject": change.subject,
        "actor": change.actor.name,
        "excerpt": excerpt(change.notes or _description(change.details) or change.subject),
        "old": (part and part.old) or "",
        "new": (part and part.new) or "",
    }
    return translate(TITLES[kind]), translate(MESSAGES[pattern]) % words


def problem(service: str, error: str, language: str) -> tuple[str, str]:
    """Return title and message of what administrators are told of a service that refuses us."""
    translate = _translations(language).gettext
    words = {"service": service, "error": error}
    return translate(CHANNEL_PROBLEM[0]), translate(CHANNEL_PROBLEM[1]) % words


def job_news(job: str, failures: int, error: str, language: str) -> tuple[str, str]:
    """Return title and message of what administrators are told of a job; without failures it recovered."""
    translate = _translations(language).gettext
    title, message = JOB_TROUBLE if failures else JOB_RECOVERED
    words = {"job": job, "failures": failures, "error": error}
    return translate(title) % words, translate(message) % words


def details_json(details: tuple[FieldChange, ...]) -> list[dict[str, str | None]]:
    """Return field changes in the form the table stores."""
    return [{"field": d.field, "label": d.label, "old": d.old, "new": d.new} for d in details]


def excerpt(text: str) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_EXCERPT else line[: _LONGEST_EXCERPT - 1].rstrip() + "…"


def _description(details: tuple[FieldChange, ...]) -> str:
    return next((d.new or "" for d in details if d.field == "description"), "")


def _telling(change: Change, kind: str) -> FieldChange | None:
    """The detail that the sentence is about: of several files the one that was added."""
    parts = [d for d in change.details if d.field == _FIELD_OF_TYPE.get(kind)]
    return next((d for d in parts if d.new), parts[0] if parts else None)


@cache
def _translations(language: str) -> gettext.NullTranslations:
    return gettext.translation("messages", _FOLDER, languages=[language], fallback=True)
