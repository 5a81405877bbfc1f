"""The JSON shapes of Redmine 5.0's API, as a given viewer sees them.

Source: Redmine 5.0.4, app/views/issues/*.api.rsb and their neighbours. A key is left out, not null, where
Redmine leaves it out.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol
from urllib.parse import quote

from daemon.demo.access import Viewer
from daemon.demo.model import Attachment, Issue, Journal, Json, Project, Relation, Status

Includes = Callable[[str], bool]


class Nameable(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


def moment(when: datetime | None) -> str | None:
    """Whole seconds with a Z, cut and not rounded."""
    return None if when is None else f"{when.isoformat(timespec='seconds')[:19]}Z"


def day(when: date | None) -> str | None:
    return None if when is None else when.isoformat()


def ref(row: Nameable) -> Json:
    return {"id": row.id, "name": row.name}


def status_ref(status: Status) -> Json:
    return {"id": status.id, "name": status.name, "is_closed": status.is_closed}


def issue_head(viewer: Viewer, issue: Issue) -> Json:
    """What the index and the single issue have in common."""
    store, project = viewer.store, viewer.store.projects[issue.project_id or 0]
    body: Json = {"id": issue.id, "project": ref(project)}
    body["tracker"] = ref(store.trackers[issue.tracker_id or 0])
    body["status"] = status_ref(store.statuses[issue.status_id or 0])
    body["priority"] = ref(store.priorities[issue.priority_id or 0])
    body |= _optional_refs(viewer, issue)
    body |= {
        "subject": issue.subject,
        "description": issue.description,
        "start_date": day(issue.start_date),
        "due_date": day(issue.due_date),
        "done_ratio": issue.done_ratio,
        "is_private": issue.is_private,
        "estimated_hours": issue.estimated_hours,
        "total_estimated_hours": _total_estimate(viewer, issue),
    }
    if viewer.has("view_time_entries", project):
        body |= {"spent_hours": 0.0, "total_spent_hours": 0.0}
    fields = custom_fields(viewer, issue, project)
    if fields:
        body["custom_fields"] = fields
    body["created_on"] = moment(issue.created_on)
    body["updated_on"] = moment(issue.updated_on)
    body["closed_on"] = moment(issue.closed_on)
    return body


def _optional_refs(viewer: Viewer, issue: Issue) -> Json:
    store = viewer.store
    found = {
        "author": store.principal(issue.author_id),
        "assigned_to": store.principal(issue.assigned_to_id),
        "category": store.categories.get(issue.category_id or 0),
        "fixed_version": store.versions.get(issue.fixed_version_id or 0),
    }
    body = {key: ref(row) for key, row in found.items() if row is not None}
    return body if issue.parent_id is None else {**body, "parent": {"id": issue.parent_id}}


def _total_estimate(viewer: Viewer, issue: Issue) -> float | None:
    if not viewer.store.children_of.of(issue.id):
        return issue.estimated_hours
    family = [issue, *viewer.store.descendants(issue.id)]
    return sum((i.estimated_hours or 0.0 for i in family if viewer.sees(i)), 0.0)


def custom_fields(viewer: Viewer, issue: Issue, project: Project) -> list[Json]:
    rows = []
    for field in viewer.store.custom_fields.values():
        if viewer.sees_field(field, project):
            value = issue.custom_values.get(field.id)
            row: Json = {"id": field.id, "name": field.name}
            if field.multiple:
                row |= {"multiple": True, "value": [v for v in value or [] if v]}
            else:
                row["value"] = value
            rows.append(row)
    return rows


def index_row(viewer: Viewer, issue: Issue, includes: Includes, base_url: str) -> Json:
    """One issue of the list, which knows no other includes than these two."""
    body = issue_head(viewer, issue)
    if includes("attachments"):
        body["attachments"] = files(viewer, issue, base_url)
    if includes("relations"):
        body["relations"] = [relation(r) for r in visible_relations(viewer, issue)]
    return body


def issue_page(viewer: Viewer, issue: Issue, includes: Includes, base_url: str) -> Json:
    """The single issue without `allowed_statuses`."""
    body = issue_head(viewer, issue)
    project = viewer.store.projects[issue.project_id or 0]
    if includes("children") and viewer.store.children_of.of(issue.id):
        body["children"] = _children(viewer, issue)
    if includes("attachments"):
        body["attachments"] = files(viewer, issue, base_url)
    relations = [relation(r) for r in visible_relations(viewer, issue)]
    if includes("relations") and relations:
        body["relations"] = relations
    if includes("changesets"):
        body["changesets"] = []
    if includes("journals"):
        body["journals"] = journals(viewer, issue, project)
    if includes("watchers") and viewer.has("view_issue_watchers", project):
        watching = (viewer.store.principal(p) for p in sorted(viewer.store.watchers.of(issue.id)))
        body["watchers"] = [ref(p) for p in watching if p is not None]
    return body


def _children(viewer: Viewer, issue: Issue) -> list[Json]:
    rows = []
    for child in viewer.store.children(issue.id):
        tracker = ref(viewer.store.trackers[child.tracker_id or 0])
        row: Json = {"id": child.id, "tracker": tracker, "subject": child.subject}
        if viewer.store.children_of.of(child.id):
            row["children"] = _children(viewer, child)
        rows.append(row)
    return rows


def journals(viewer: Viewer, issue: Issue, project: Project) -> list[Json]:
    """What the viewer may read: private notes, hidden fields and then empty journals are left out."""
    rows = []
    kept = viewer.store.issue_journals(issue.id)
    for entry in sorted(kept, key=lambda j: (j.created_on, j.id), reverse=viewer.user.newest_first):
        if not viewer.sees_notes_of(entry, project):
            continue
        row = _journal(viewer, entry, project)
        if row["details"] or (entry.notes or "").strip():
            rows.append(row)
    return rows


def _journal(viewer: Viewer, entry: Journal, project: Project) -> Json:
    author = viewer.store.principal(entry.user_id)
    return {
        "id": entry.id,
        **({} if author is None else {"user": ref(author)}),
        "notes": entry.notes,
        "created_on": moment(entry.created_on),
        "private_notes": entry.private_notes,
        "details": [
            {"property": d.property, "name": d.name, "old_value": d.old_value, "new_value": d.new_value}
            for d in entry.details
            if viewer.sees_detail(d, project)
        ],
    }


RELATION_ORDER = ("relates", "duplicates", "blocks", "precedes", "copied_to")


def visible_relations(viewer: Viewer, issue: Issue) -> list[Relation]:
    """Those to issues the viewer sees, in Redmine's order of types."""
    store = viewer.store
    found = []
    for row in store.issue_relations(issue.id):
        other = store.issues.get(row.to_id if row.from_id == issue.id else row.from_id)
        if other is not None and viewer.sees(other):
            found.append(row)
    return sorted(found, key=lambda r: (RELATION_ORDER.index(r.type), r.id))


def relation(row: Relation) -> Json:
    return {
        "id": row.id,
        "issue_id": row.from_id,
        "issue_to_id": row.to_id,
        "relation_type": row.type,
        "delay": row.delay,
    }


def files(viewer: Viewer, issue: Issue, base_url: str) -> list[Json]:
    rows = sorted(viewer.store.issue_files(issue.id), key=lambda a: (a.created_on, a.id))
    return [attachment(viewer, row, base_url) for row in rows]


def attachment(viewer: Viewer, row: Attachment, base_url: str) -> Json:
    body: Json = {
        "id": row.id,
        "filename": row.filename,
        "filesize": len(row.content),
        "content_type": row.content_type,
        "description": row.description,
        "content_url": f"{base_url}/attachments/download/{row.id}/{quote(row.filename)}",
    }
    if row.filename.lower().endswith((".bmp", ".gif", ".jpg", ".jpe", ".jpeg", ".png")):
        body["thumbnail_url"] = f"{base_url}/attachments/thumbnail/{row.id}"
    author = viewer.store.principal(row.author_id)
    if author is not None:
        body["author"] = ref(author)
    body["created_on"] = moment(row.created_on)
    return body
