"""Which statuses, trackers, projects and people an issue may be given by a user.

Source: Redmine 5.0.4, app/models/issue.rb (`new_statuses_allowed_to`, `allowed_target_projects`), project.rb
(`assignable_users`).
"""

from daemon.demo.access import Viewer
from daemon.demo.model import Issue, Project, Status, Version
from daemon.demo.store import Store

NEW_STATUS_ID = 1


def allowed_statuses(viewer: Viewer, issue: Issue, before: Issue | None) -> list[Status]:
    """What the user may set, the current status among it; [] where the role has no way on from it.

    A parent with open children and a blocked issue cannot be closed, a child of a closed parent not reopened.
    """
    store = viewer.store
    ids = {NEW_STATUS_ID} if before is None else _steps(viewer, issue, before.status_id or 0)
    found = [s for s in store.statuses.values() if s.id in ids]
    if not _closable(store, issue):
        found = [s for s in found if not s.is_closed]
    if any(store.is_closed(a) for a in store.ancestors(issue)):
        found = [s for s in found if s.is_closed]
    return found


def _steps(viewer: Viewer, issue: Issue, old: int) -> set[int]:
    store = viewer.store
    project = store.projects.get(issue.project_id or 0)
    roles = viewer.roles(project) if project else []
    if viewer.user.admin:
        roles = list(store.roles.values())
    ids = {to for role in roles for source, to in role.workflow if source == old}
    return ids | {old} if ids else ids


def _closable(store: Store, issue: Issue) -> bool:
    if any(not store.is_closed(i) for i in store.descendants(issue.id)):
        return False
    blocking = (r for r in store.issue_relations(issue.id) if r.type == "blocks" and r.to_id == issue.id)
    return all(store.is_closed(store.issues[r.from_id]) for r in blocking)


def may_have(viewer: Viewer, project: Project, before: Issue | None) -> bool:
    """Whether an issue may be made in, or moved to, the project."""
    return (before is not None and before.project_id == project.id) or viewer.has("add_issues", project)


def may_use_tracker(viewer: Viewer, tracker_id: int, project: Project | None) -> bool:
    """Every tracker is in every project; the user only needs a role that adds issues there."""
    if project is None or tracker_id not in viewer.store.trackers:
        return False
    return viewer.user.admin or any("add_issues" in r.permissions for r in viewer.roles(project))


def is_assignable(store: Store, principal_id: int, issue: Issue, before: Issue | None) -> bool:
    """Active members, groups where the setting allows, the author, and who has it already."""
    if before is not None and before.assigned_to_id == principal_id:
        return store.principal(principal_id) is not None
    user = store.users.get(principal_id)
    if user is not None and not user.active:
        return False
    if user is None and not (principal_id in store.groups and store.settings.issue_group_assignment):
        return False
    if issue.author_id == principal_id:
        return True
    members = store.members.values()
    return any(m.project_id == issue.project_id and m.principal_id == principal_id for m in members)


def is_assignable_version(version: Version | None, issue: Issue, before: Issue | None) -> bool:
    """Open versions of the issue's own project, and the one it has."""
    if version is None or version.project_id != issue.project_id:
        return False
    return version.status == "open" or (before is not None and before.fixed_version_id == version.id)
