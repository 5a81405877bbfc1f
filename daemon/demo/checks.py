"""Redmine's validation of an issue: the messages of a 422, in its order.

Source: Redmine 5.0.4, app/models/issue.rb (`validates_*`, `validate_issue`).
"""

import re
from collections.abc import Iterator

from daemon.demo import schedule, texts
from daemon.demo.access import Viewer
from daemon.demo.drafts import Draft, root_of
from daemon.demo.model import CustomField, Issue
from daemon.demo.workflow import is_assignable, is_assignable_version


def messages(viewer: Viewer, draft: Draft, failed_uploads: int = 0) -> list[str]:
    """What is wrong with the draft, in the user's language; [] when it may be saved."""
    language = viewer.user.language
    found = []
    if failed_uploads:
        found.append(texts.sentence(language, "attachments_not_saved", count=failed_uploads))
    for field, kind in [*_custom_fields(viewer, draft), *_columns(viewer, draft), *_rules(viewer, draft)]:
        found.append(_message(language, field, kind))
    return found


def _message(language: str, field: str, kind: str) -> str:
    if not field:
        return texts.sentence(language, kind)
    if kind.startswith("earlier:"):
        kind, when = "earlier_than_minimum_start_date", kind.removeprefix("earlier:")
        return texts.problem(language, field, kind, date=when)
    return texts.problem(language, field, kind, count=255)


Problems = Iterator[tuple[str, str]]


def _custom_fields(viewer: Viewer, draft: Draft) -> Problems:
    """Fields the user cannot edit are not held against him."""
    project = viewer.store.projects.get(draft.issue.project_id or 0)
    if project is None or not (draft.before is None or draft.custom_fields_set):
        return
    for field in viewer.store.custom_fields.values():
        if viewer.sees_field(field, project):
            given = draft.issue.custom_values.get(field.id)
            values = [v for v in (given if isinstance(given, list) else [given]) if v]
            if isinstance(given, list) and not field.multiple:
                yield field.name, "invalid"
            elif not values and field.required:
                yield field.name, "blank"
            elif kind := next((k for v in values if (k := _wrong_custom(field, v))), None):
                yield field.name, kind


def _wrong_custom(field: CustomField, value: str) -> str | None:
    if field.format == "list" and value not in field.possible_values:
        return "inclusion"
    if field.format == "bool" and value not in ("0", "1"):
        return "inclusion"
    if field.format == "int" and not re.fullmatch(r"\s*[+-]?\d+\s*", value):
        return "not_a_number"
    if field.format == "float" and not re.fullmatch(r"\s*[+-]?\d+(\.\d+)?\s*", value):
        return "invalid"
    if field.format == "date" and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", value):
        return "not_a_date"
    return None


def _columns(viewer: Viewer, draft: Draft) -> Problems:
    issue, before, store = draft.issue, draft.before, viewer.store
    if not (issue.subject or "").strip():
        yield "subject", "blank"
    if issue.project_id is None:
        yield "project_id", "blank"
    if issue.tracker_id is None:
        yield "tracker_id", "blank"
    if (
        before is None or issue.priority_id != before.priority_id
    ) and issue.priority_id not in store.priorities:
        yield "priority_id", "blank"
    if issue.status_id is None:
        yield "status_id", "blank"
    if len(issue.subject or "") > 255:
        yield "subject", "too_long"
    if not 0 <= (issue.done_ratio or 0) <= 100:
        yield "done_ratio", "inclusion"
    for field in ("estimated_hours", "start_date", "due_date"):
        if field in draft.bad_values:
            yield field, draft.bad_values[field]


def _rules(viewer: Viewer, draft: Draft) -> Problems:
    issue, before = draft.issue, draft.before
    yield from _dates(viewer, draft)
    version = viewer.store.versions.get(issue.fixed_version_id or 0)
    if issue.project_id and issue.fixed_version_id and not is_assignable_version(version, issue, before):
        yield "fixed_version_id", "inclusion"
    elif version is not None and version.status == "closed" and _reopens(viewer, draft):
        yield "", "reopen_on_closed_version"
    category = viewer.store.categories.get(issue.category_id or 0)
    if issue.category_id and (category is None or category.project_id != issue.project_id):
        yield "category_id", "inclusion"
    assignee = issue.assigned_to_id
    changed = assignee != (before.assigned_to_id if before else None)
    if changed and assignee is not None and not is_assignable(viewer.store, assignee, issue, before):
        yield "assigned_to_id", "invalid"
    yield from _parent(viewer, draft)
    watching = (viewer.store.users.get(w) for w in draft.watcher_ids)
    if any(user is not None and not user.active for user in watching):
        yield "watchers", "invalid"


def _dates(viewer: Viewer, draft: Draft) -> Problems:
    issue, before = draft.issue, draft.before
    start, due = issue.start_date, issue.due_date
    moved = before is None or (start, due) != (before.start_date, before.due_date)
    if start and due and moved and due < start:
        yield "due_date", "greater_than_start_date"
    soonest = schedule.soonest_start(viewer.store, issue)
    if start and soonest and start < soonest and (before is None or start != before.start_date):
        yield "start_date", f"earlier:{texts.local_date(viewer.user.language, soonest)}"


def _reopens(viewer: Viewer, draft: Draft) -> bool:
    store = viewer.store
    return draft.before is not None and store.is_closed(draft.before) and not store.is_closed(draft.issue)


def _parent(viewer: Viewer, draft: Draft) -> Problems:
    issue, before, store = draft.issue, draft.before, viewer.store
    if "parent_issue_id" in draft.bad_values:
        yield "parent_issue_id", "invalid"
        return
    parent = store.issues.get(issue.parent_id or 0)
    if parent is None or issue.project_id is None or (before and before.parent_id == parent.id):
        return
    if root_of(viewer, parent.project_id) != root_of(viewer, issue.project_id) or _would_be_circular(
        viewer, issue, parent
    ):
        yield "parent_issue_id", "invalid"
    elif store.is_closed(parent) and not store.is_closed(issue):
        yield "", "open_issue_with_closed_parent"


def _would_be_circular(viewer: Viewer, issue: Issue, parent: Issue) -> bool:
    """A parent below the issue itself, or one that its dates would push."""
    if not issue.id:
        return False
    below = {issue.id, *(d.id for d in viewer.store.descendants(issue.id))}
    return parent.id in below or schedule.would_reschedule(viewer.store, issue.id, parent.id)
