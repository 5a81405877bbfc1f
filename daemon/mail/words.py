"""The words of mails, in their reader's language. English is the source language."""

import gettext
from collections.abc import Iterable
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from daemon.values import FieldChange

TRANSLATIONS = Path(__file__).parent.parent / "translations"
TEMPLATES = Path(__file__).parent / "templates"
TIMES = {"ru": "%d.%m.%Y %H:%M"}


def N_(text: str) -> str:  # noqa: N802 - the customary mark for texts translated later
    """Mark a text for the translators; it is looked up in the reader's language when used."""
    return text


REASONS = {
    "mentioned": N_("You are mentioned"),
    "assignee": N_("You are the assignee"),
    "group_assignee": N_("Your group is the assignee"),
    "previous_assignee": N_("You were the assignee"),
    "author": N_("You are the author"),
    "watcher": N_("You are watching"),
    "account": N_("It is about your account"),
    "looks_after": N_("You look after this host"),
    "administrator": N_("You are an administrator"),
}
FIELDS = {
    "status": N_("Status"),
    "priority": N_("Priority"),
    "assigned_to": N_("Assignee"),
    "tracker": N_("Tracker"),
    "project": N_("Project"),
    "category": N_("Category"),
    "fixed_version": N_("Version"),
    "parent": N_("Parent issue"),
    "subject": N_("Subject"),
    "description": N_("Description"),
    "start_date": N_("Start date"),
    "due_date": N_("Due date"),
    "done_ratio": N_("Done"),
    "estimated_hours": N_("Estimate"),
    "is_private": N_("Private"),
    "attachment": N_("File"),
    "relation": N_("Relation"),
}
LONG_FIELDS = frozenset({"description"})  # too long to be shown twice: only that they were edited


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the translations into a language; an unknown language reads English."""
    return gettext.translation("messages", TRANSLATIONS, languages=[language], fallback=True)


@cache
def templates(language: str) -> Environment:
    """Return the templates in a language. Those of HTML escape whatever people wrote."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html",), default_for_string=True, default=False),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return environment


def reasons(given: Iterable[str], language: str) -> list[str]:
    """Return why somebody is told, in words; reasons without words are left out."""
    translate = translations(language).gettext
    return [translate(REASONS[reason]) for reason in given if reason in REASONS]


def detail(change: FieldChange, language: str) -> tuple[str, str, str]:
    """Return a field's name, its old and its new value, "" for none."""
    translate = translations(language).gettext
    known = FIELDS.get(change.field)
    name = translate(known) if known and change.field != "custom_field" else change.label or change.field
    if change.field in LONG_FIELDS:
        return name, "", translate("edited")
    return name, _value(change, change.old, language), _value(change, change.new, language)


def _value(change: FieldChange, value: str | None, language: str) -> str:
    if not value:
        return ""
    if change.field == "is_private":
        translate = translations(language).gettext
        return translate("yes") if value.lower() in {"1", "true", "yes"} else translate("no")
    return f"{value} %" if change.field == "done_ratio" else value


def time_there(moment: datetime, zone: tzinfo, language: str) -> str:
    """Return a moment by the clocks of that zone."""
    return f"{moment.astimezone(zone):{TIMES.get(language, '%Y-%m-%d %H:%M')}}"
