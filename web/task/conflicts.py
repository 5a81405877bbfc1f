"""Somebody else changed the task while this person looked at it: said, never overwritten silently."""

from collections.abc import Iterable
from datetime import UTC, datetime

from daemon.clients.values import Issue, Journal
from storage import reference
from web.answers import Problem, iso
from web.language import gettext
from web.task.history import details_of
from web.task.names import names_for, stored_names
from web.task.reader import Names, Reader
from web.viewer import viewer


def conflict(reader: Reader, issue: Issue, seen: str) -> None:
    """Raise Problem (409) that tells who changed what, where the task is not as it was seen."""
    if iso(issue.updated_on) == seen:
        return
    since = _moment(seen)
    news = [journal for journal in issue.journals or () if journal.created_on > since]
    who = ", ".join(dict.fromkeys(journal.user.name for journal in news if journal.user.name))
    if not who:
        raise _problem(gettext("This task was changed meanwhile. Look at it before you save."))
    what = "; ".join(dict.fromkeys(_what(news, _names(reader, issue))))
    if what:
        text = gettext("%(who)s changed this task meanwhile (%(what)s). Look at it before you save.")
        raise _problem(text % {"who": who, "what": what})
    raise _problem(gettext("%(who)s changed this task meanwhile. Look at it before you save.", who=who))


def _problem(text: str) -> Problem:
    return Problem(409, "conflict", text)


def _moment(seen: str) -> datetime:
    try:
        moment = datetime.fromisoformat(seen)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _names(reader: Reader, issue: Issue) -> Names:
    with viewer().database.read() as session:
        stored = stored_names(
            reference.statuses(session), reference.priorities(session), reference.groups(session)
        )
    return names_for(reader, issue, stored)


def _what(news: Iterable[Journal], names: Names) -> Iterable[str]:
    labels = {
        "status": gettext("Status"),
        "priority": gettext("Priority"),
        "assigned_to": gettext("Assignee"),
        "due_date": gettext("Due date"),
        "subject": gettext("Subject"),
    }
    for journal in news:
        for detail in details_of(journal, names, {}):
            if label := labels.get(detail["field"]):
                yield f"{label}: {detail['old'] or '—'} → {detail['new'] or '—'}"
        if journal.notes:
            yield gettext("a comment")
