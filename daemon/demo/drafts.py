"""What a user's request makes of an issue before it is checked and saved.

Redmine drops what the user may not set without a word (`safe_attributes=`); so does this.
Source: Redmine 5.0.4, app/models/issue.rb.
"""

import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Final

from daemon.demo import casts
from daemon.demo.access import Viewer
from daemon.demo.model import CustomValues, Issue, Json, Project
from daemon.demo.workflow import allowed_statuses, may_have, may_use_tracker

_EDITABLE: Final = frozenset({
    "project_id", "tracker_id", "status_id", "category_id", "assigned_to_id", "priority_id",
    "fixed_version_id", "subject", "description", "start_date", "due_date", "done_ratio", "estimated_hours",
    "custom_field_values", "custom_fields", "lock_version",
})  # fmt: skip
_DERIVED: Final = frozenset({"start_date", "due_date", "priority_id", "done_ratio"})

_CASTS: Final[dict[str, Callable[[Any], Any]]] = {
    "category_id": casts.whole,
    "priority_id": casts.whole,
    "fixed_version_id": casts.whole,
    "subject": casts.text,
    "start_date": casts.day,
    "due_date": casts.day,
    "estimated_hours": casts.hours,
    "is_private": casts.truth,
}


@dataclass(slots=True)
class Draft:
    """`issue` is a copy to work on, `before` the stored row, None for a new issue.

    `bad_values`: field -> message of what no column can hold. `conflict`: an old `lock_version` was sent.
    """

    issue: Issue
    before: Issue | None
    notes: str = ""
    private_notes: bool = False
    watcher_ids: list[int] = field(default_factory=list)
    bad_values: dict[str, str] = field(default_factory=dict)
    custom_fields_set: bool = False
    conflict: bool = False


def edit(viewer: Viewer, issue: Issue, attrs: Json) -> Draft:
    """A draft of a change."""
    draft = Draft(_copy(issue), issue)
    _assign(viewer, draft, attrs)
    return draft


def new(viewer: Viewer, attrs: Json, project: Project | None = None) -> Draft:
    """A draft of a new issue; its id is 0 until it is saved."""
    store = viewer.store
    blank = Issue(0, None, project.id if project else None, viewer.user.id, store.now(), store.now())
    blank.priority_id = 2
    blank.start_date = store.today()
    blank.custom_values = dict.fromkeys(store.custom_fields)
    draft = Draft(blank, None)
    _assign(viewer, draft, attrs)
    _assign_from_category(viewer, blank)
    return draft


def _copy(issue: Issue) -> Issue:
    fresh = copy(issue)
    fresh.custom_values = dict(issue.custom_values)
    return fresh


def safe_names(viewer: Viewer, draft: Draft) -> frozenset[str]:
    """The attributes the user may set on this issue."""
    issue, project = draft.issue, viewer.store.projects.get(draft.issue.project_id or 0)
    edits = draft.before is None or viewer.edits(draft.before)
    names = set(_EDITABLE) if edits else set()
    if project is not None:
        names |= _rights(viewer, draft, project, edits=edits)
    if viewer.store.children_of.of(issue.id):
        names -= _DERIVED
    return frozenset(names if draft.before is not None else names | {"project_id"})


def _rights(viewer: Viewer, draft: Draft, project: Project, *, edits: bool) -> set[str]:
    own = draft.issue.author_id == viewer.user.id and viewer.has("set_own_issues_private", project)
    is_new = draft.before is None
    rules = {
        "notes": viewer.has("add_issue_notes", project),
        "private_notes": not is_new and viewer.has("set_notes_private", project),
        "watcher_user_ids": is_new and viewer.has("add_issue_watchers", project),
        "is_private": own or viewer.has("set_issues_private", project),
        "parent_issue_id": edits and viewer.has("manage_subtasks", project),
    }
    return {name for name, allowed in rules.items() if allowed}


def _assign(viewer: Viewer, draft: Draft, attrs: Json) -> None:
    """Project and tracker first: what else may be set depends on them."""
    safe = safe_names(viewer, draft)
    if attrs.get("project_id") and "project_id" in safe:
        _move(viewer, draft, attrs["project_id"])
    safe = safe_names(viewer, draft)
    _assign_tracker(viewer, draft, attrs.get("tracker_id") if "tracker_id" in safe else None)
    _assign_status(viewer, draft, attrs.get("status_id") if "status_id" in safe else None)
    if "assigned_to_id" in attrs and "assigned_to_id" in safe:
        given = attrs["assigned_to_id"]
        draft.issue.assigned_to_id = viewer.user.id if given == "me" else casts.whole(given)
    for name, value in attrs.items():
        if name in safe:
            _assign_one(viewer, draft, name, value)


def _move(viewer: Viewer, draft: Draft, given: Any) -> None:
    projects = viewer.store.projects.values()
    wanted = str(given)
    by_id = wanted.isdigit()
    project = next((p for p in projects if (str(p.id) if by_id else p.identifier) == wanted), None)
    if project is None or not may_have(viewer, project, draft.before):
        return
    issue, old = draft.issue, draft.issue.project_id
    issue.project_id = project.id
    if old not in (None, project.id):
        _leave_project(viewer, issue, project)
        _refill_custom_values(issue)


def _leave_project(viewer: Viewer, issue: Issue, project: Project) -> None:
    """Version and category belong to the old project; a category of the same name takes over."""
    store = viewer.store
    old = store.categories.get(issue.category_id or 0)
    issue.fixed_version_id = None
    issue.category_id = next(
        (
            c.id
            for c in store.categories.values()
            if old and c.project_id == project.id and c.name == old.name
        ),
        None,
    )
    parent = store.issues.get(issue.parent_id or 0)
    if parent is not None and root_of(viewer, parent.project_id) != root_of(viewer, project.id):
        issue.parent_id = None


def _refill_custom_values(issue: Issue) -> None:
    """Another project or tracker gets the values written anew, and so null becomes ""."""
    for field_id, value in issue.custom_values.items():
        issue.custom_values[field_id] = "" if value is None else value


def root_of(viewer: Viewer, project_id: int | None) -> int | None:
    """The top project above; subtasks may cross projects within one tree."""
    projects = viewer.store.projects
    while project_id is not None and projects[project_id].parent_id is not None:
        project_id = projects[project_id].parent_id
    return project_id


def _assign_tracker(viewer: Viewer, draft: Draft, given: Any) -> None:
    project = viewer.store.projects.get(draft.issue.project_id or 0)
    wanted = casts.whole(given)
    if wanted is not None and may_use_tracker(viewer, wanted, project):
        if draft.issue.tracker_id not in (None, wanted):
            _refill_custom_values(draft.issue)
        draft.issue.tracker_id = wanted
    if draft.issue.tracker_id is None and project is not None:
        usable = (t for t in viewer.store.trackers if may_use_tracker(viewer, t, project))
        draft.issue.tracker_id = next(usable, None)


def _assign_status(viewer: Viewer, draft: Draft, given: Any) -> None:
    if draft.issue.tracker_id is None:
        return
    allowed = [s.id for s in allowed_statuses(viewer, draft.issue, draft.before)]
    wanted = casts.whole(given)
    if wanted in allowed:
        draft.issue.status_id = wanted
    if draft.before is None and draft.issue.status_id is None:
        draft.issue.status_id = allowed[0] if allowed else 1


def _assign_one(viewer: Viewer, draft: Draft, name: str, value: Any) -> None:
    if name in _CASTS:
        _assign_cast(draft, name, value)
    elif name == "description":
        written = casts.text(value)
        draft.issue.description = None if written is None else re.sub(r"\r\n|\n|\r", "\r\n", written)
    elif name == "done_ratio":
        draft.issue.done_ratio = casts.whole(value) or 0
    elif name == "notes":
        draft.notes = casts.text(value) or ""
    elif name == "private_notes":
        draft.private_notes = value not in (None, "") and casts.truth(value)
    elif name == "watcher_user_ids":
        draft.watcher_ids = [n for n in map(casts.whole, value) if n] if isinstance(value, list) else []
    elif name == "lock_version":
        draft.conflict = draft.before is not None and casts.whole(value) != draft.before.lock_version
    elif name == "parent_issue_id":
        _assign_parent(viewer, draft, value)
    elif name in ("custom_fields", "custom_field_values"):
        _assign_custom(viewer, draft, value)


def _assign_cast(draft: Draft, name: str, value: Any) -> None:
    try:
        setattr(draft.issue, name, _CASTS[name](value))
    except casts.BadValueError as e:
        draft.bad_values[name] = e.kind


def _assign_parent(viewer: Viewer, draft: Draft, value: Any) -> None:
    given = "" if value is None else str(value).strip()
    if not given:
        draft.issue.parent_id = None
        return
    number = re.fullmatch(r"#?(\d+)", given)
    parent = viewer.store.issues.get(int(number[1])) if number else None
    current = draft.before.parent_id if draft.before else None
    if parent is not None and (parent.id == current or viewer.sees(parent)):
        draft.issue.parent_id = parent.id
    else:
        draft.bad_values["parent_issue_id"] = "invalid"


def _assign_custom(viewer: Viewer, draft: Draft, value: Any) -> None:
    project = viewer.store.projects[draft.issue.project_id or 0]
    if isinstance(value, list):
        pairs = [(r.get("id"), r["value"]) for r in value if isinstance(r, dict) and "value" in r]
    else:
        pairs = list(value.items()) if isinstance(value, dict) else []
    values: CustomValues = draft.issue.custom_values
    for given_id, given in pairs:
        each = viewer.store.custom_fields.get(casts.whole(given_id) or 0)
        if each is not None and viewer.sees_field(each, project):
            values[each.id] = casts.custom(given)
            draft.custom_fields_set = True


def _assign_from_category(viewer: Viewer, issue: Issue) -> None:
    category = viewer.store.categories.get(issue.category_id or 0)
    if issue.assigned_to_id is None and category is not None:
        issue.assigned_to_id = category.assigned_to_id
