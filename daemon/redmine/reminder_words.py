"""Pure: what a reminder says."""

from gettext import NullTranslations

from daemon.values import Change


def N_(text: str) -> str:  # noqa: N802 - the customary mark for texts translated later
    """Mark a text for the translators; it is looked up in the reader's language when used."""
    return text


KIND = "reminder"
OVERDUE = (N_("Overdue"), N_("Issue #%(id)d was due on %(date)s: %(subject)s"))
TODAY = (N_("Due today"), N_("Issue #%(id)d is due today, %(date)s: %(subject)s"))
TOMORROW = (N_("Due tomorrow"), N_("Issue #%(id)d is due tomorrow, %(date)s: %(subject)s"))
SOON_TITLES = ("Due in %(days)d day", "Due in %(days)d days")
SOON_MESSAGES = (
    "Issue #%(id)d is due in %(days)d day, on %(date)s: %(subject)s",
    "Issue #%(id)d is due in %(days)d days, on %(date)s: %(subject)s",
)


def texts(change: Change, language: str, translation: NullTranslations) -> tuple[str, str]:
    """Return title and message in a language."""
    days = change.days_left
    if days > 1:
        title, message = (translation.ngettext(*pair, days) for pair in (SOON_TITLES, SOON_MESSAGES))
    else:
        pair = OVERDUE if days < 0 else (TODAY, TOMORROW)[days]
        title, message = (translation.gettext(text) for text in pair)
    date = change.due_on.strftime("%d.%m.%Y" if language == "ru" else "%Y-%m-%d") if change.due_on else ""
    words = {"id": change.item_id, "days": days, "date": date, "subject": change.subject}
    return title % words, message % words
