"""Names for the ids in a task's history, as far as its reader may know them."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from daemon.clients.errors import SourceError
from daemon.clients.values import Issue, JournalDetail, Ref
from storage.models import Group, Priority, Status
from web.task.reader import Names, Reader, caches

KINDS = MappingProxyType(
    {
        "status_id": "status",
        "priority_id": "priority",
        "tracker_id": "tracker",
        "project_id": "project",
        "assigned_to_id": "principal",
        "category_id": "category",
        "fixed_version_id": "version",
    }
)
MOST_PEOPLE = 20  # of one history, asked for one by one


def stored_names(
    statuses: Iterable[Status], priorities: Iterable[Priority], groups: Iterable[Group]
) -> Names:
    """Return the names that the daemon has stored."""
    names: Names = {("status", row.id): row.name for row in statuses}
    names |= {("priority", row.id): row.name for row in priorities}
    return names | {("principal", row.id): row.name for row in groups}


def names_for(reader: Reader, issue: Issue, stored: Names) -> Names:
    """Return the names of everything that the history mentions; of what cannot be told there is none.

    Asks Redmine, as the reader, only for lists that hold something missing; and for nothing more after the
    first trouble, as a history with some bare ids is better than none.
    """
    names = stored | _carried(issue)
    missing = {pair for detail in _details(issue) for pair in _wanted(detail) if pair not in names}
    try:
        for kind in sorted({kind for kind, _ in missing} - {"principal"}):
            names |= _listed(reader, kind, issue.project.id)
        people = sorted(number for kind, number in missing if kind == "principal")
        names |= _people(reader, issue, people)
    except SourceError:
        return names
    return names


def _details(issue: Issue) -> Iterable[JournalDetail]:
    return (detail for journal in issue.journals or () for detail in journal.details)


def _wanted(detail: JournalDetail) -> Iterable[tuple[str, int]]:
    kind = KINDS.get(detail.name) if detail.property == "attr" else None
    for value in (detail.old_value, detail.new_value):
        if kind and value and value.isdecimal():
            yield kind, int(value)


def _carried(issue: Issue) -> Names:
    """Return the names that the task itself carries: the freshest there are."""
    pairs: list[tuple[str, Ref | None]] = [
        ("status", issue.status),
        ("priority", issue.priority),
        ("tracker", issue.tracker),
        ("project", issue.project),
        ("principal", issue.author),
        ("principal", issue.assigned_to),
        ("category", issue.category),
        ("version", issue.fixed_version),
        *(("principal", journal.user) for journal in issue.journals or ()),
        *(("principal", watcher) for watcher in issue.watchers or ()),
        *(("status", status) for status in issue.allowed_statuses or ()),
    ]
    return {(kind, ref.id): ref.name for kind, ref in pairs if ref is not None and ref.name}


def _listed(reader: Reader, kind: str, project_id: int) -> Names:
    client = reader.client
    is_of_project = kind in {"category", "version"}
    lists: Mapping[str, Callable[[], Iterable[Ref]]] = {
        "status": lambda: [Ref(row.id, row.name) for row in client.statuses()],
        "priority": lambda: [Ref(row.id, row.name) for row in client.priorities()],
        "tracker": lambda: [Ref(row.id, row.name) for row in client.trackers()],
        "project": lambda: [Ref(row.id, row.name) for row in client.projects()],
        "category": lambda: client.categories(project_id),
        "version": lambda: client.versions(project_id),
    }
    key = (reader.who.redmine_login, kind, project_id if is_of_project else 0)
    return caches().names.get(key, lambda: {(kind, ref.id): ref.name for ref in lists[kind]()})


def _people(reader: Reader, issue: Issue, ids: list[int]) -> Names:
    """Return the names of people: of members by one list, of others one by one."""
    if not ids:
        return {}
    members = reader.members_or_none(issue.project.id)
    names: Names = {("principal", one.member.id): one.member.name for one in members}
    strangers = [number for number in ids if ("principal", number) not in names]
    for number in strangers[:MOST_PEOPLE]:
        profile = reader.profile(number)
        if profile is not None:
            names["principal", number] = profile.name
    return names
