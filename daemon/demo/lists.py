"""People, projects and everything else that changes seldom: the reading endpoints.

Source: Redmine 5.0.4, the controllers and api views of users, groups, projects, members, roles, trackers,
issue_statuses, enumerations, issue_categories, versions and custom_fields.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from daemon.demo.exchange import Answer, Call, StopError
from daemon.demo.guards import authorize, find_project, require_admin
from daemon.demo.model import ACTIVE, PROJECT_ACTIVE, PROJECT_ARCHIVED, Json, Member, Project, User
from daemon.demo.render import day, moment, ref

Row = TypeVar("Row")

CORE_FIELDS: Final = (
    "assigned_to_id",
    "category_id",
    "fixed_version_id",
    "parent_issue_id",
    "start_date",
    "due_date",
    "estimated_hours",
    "done_ratio",
    "description",
)


def _paged(call: Call, name: str, rows: list[Row], shape: Callable[[Row], Json]) -> Answer:
    offset, limit = call.page()
    shown = [shape(row) for row in rows[offset : offset + limit]]
    return Answer.json({name: shown, "total_count": len(rows), "offset": offset, "limit": limit})


def current_user(call: Call) -> Answer:
    """GET /users/current.json: 401 unless signed in, 403 while the REST API is off."""
    if not call.viewer.user.logged:
        raise call.login_required()
    return Answer.json({"user": _user_page(call, call.viewer.user)})


def user(call: Call, user_id: str) -> Answer:
    """GET /users/ID.json: a locked user is 404 for people who are no admins."""
    found = call.store.users.get(int(user_id))
    if found is None or not call.viewer.sees_user(found):
        raise StopError(404)
    return Answer.json({"user": _user_page(call, found)})


def _user_page(call: Call, shown: User) -> Json:
    viewer = call.viewer.user
    body: Json = {"id": shown.id, "login": shown.login}
    intimate = viewer.admin or viewer is shown
    if intimate:
        body["admin"] = shown.admin
    body |= {"firstname": shown.firstname, "lastname": shown.lastname}
    if viewer.admin:
        body["mail"] = shown.mail
    body |= _user_times(shown)
    if intimate:
        body |= {"twofa_scheme": "totp" if shown.two_factor else None, "api_key": shown.api_key}
    if viewer.admin:
        body["status"] = shown.status
        if call.includes("groups"):
            body["groups"] = [ref(g) for g in call.store.groups.values() if shown.id in g.user_ids]
    if call.includes("memberships"):
        rows = _memberships_of(call, shown.id)
        seen = [m for m in rows if call.viewer.sees_project(call.store.projects[m.project_id])]
        body["memberships"] = _membership_list(call, seen)
    return body


def _user_times(shown: User) -> Json:
    return {
        "created_on": moment(shown.created_on),
        "updated_on": moment(shown.updated_on or shown.created_on),
        "last_login_on": moment(shown.last_login_on),
        "passwd_changed_on": moment(shown.created_on),
    }


def _memberships_of(call: Call, principal_id: int) -> list[Member]:
    return [m for m in call.store.members.values() if m.principal_id == principal_id]


def _membership_list(call: Call, rows: list[Member]) -> list[Json]:
    projects = call.store.projects
    return [{"id": m.id, "project": ref(projects[m.project_id]), "roles": _roles_of(call, m)} for m in rows]


def _roles_of(call: Call, member: Member) -> list[Json]:
    rows = []
    for role_id, source in member.roles:
        inherited = {} if source is None else {"inherited": True}
        rows.append({**ref(call.store.roles[role_id]), **inherited})
    return rows


def users(call: Call) -> Answer:
    """GET /users.json for admins: active ones, or those of `status` (3 = locked); `status=*` finds none."""
    require_admin(call)
    wanted = call.request.query.get("status", str(ACTIVE))
    rows = [u for u in call.store.users.values() if u.logged and wanted in ("", str(u.status))]
    name = call.request.query.get("name", "").lower()
    rows = [u for u in rows if name in u.login.lower() or name in u.name.lower()]
    group = call.store.groups.get(int(call.request.query.get("group_id") or 0))
    rows = [u for u in rows if group is None or u.id in group.user_ids]
    return _paged(call, "users", sorted(rows, key=lambda u: u.login), _user_row)


def _user_row(shown: User) -> Json:
    return {
        "id": shown.id,
        "login": shown.login,
        "admin": shown.admin,
        "firstname": shown.firstname,
        "lastname": shown.lastname,
        "mail": shown.mail,
        **_user_times(shown),
        "twofa_scheme": None,
    }


def groups(call: Call) -> Answer:
    """GET /groups.json for admins: all at once, without their users."""
    require_admin(call)
    rows = sorted(call.store.groups.values(), key=lambda g: g.name)
    return Answer.json({"groups": [ref(g) for g in rows]})


def group(call: Call, group_id: str) -> Answer:
    """GET /groups/ID.json, with `include=users,memberships`."""
    found = call.store.groups.get(int(group_id))
    if found is None:
        raise StopError(404)
    body = ref(found)
    if call.includes("users"):
        body["users"] = [ref(call.store.users[u]) for u in sorted(found.user_ids)]
    if call.includes("memberships"):
        body["memberships"] = _membership_list(call, _memberships_of(call, found.id))
    return Answer.json({"group": body})


def statuses(call: Call) -> Answer:
    rows = [{**ref(s), "is_closed": s.is_closed} for s in call.store.statuses.values()]
    return Answer.json({"issue_statuses": rows})


def trackers(call: Call) -> Answer:
    first_status = ref(call.store.statuses[1])
    rows = [
        {
            **ref(t),
            "default_status": first_status,
            "description": None,
            "enabled_standard_fields": list(CORE_FIELDS),
        }
        for t in call.store.trackers.values()
    ]
    return Answer.json({"trackers": rows})


def priorities(call: Call) -> Answer:
    rows = [{**ref(p), "is_default": p.id == 2, "active": True} for p in call.store.priorities.values()]
    return Answer.json({"issue_priorities": rows})


def projects(call: Call) -> Answer:
    """GET /projects.json: the active ones the viewer sees, parents before children, else by name."""
    wanted = call.request.query.get("status", str(PROJECT_ACTIVE)).split("|")
    found = [p for p in call.store.projects.values() if call.viewer.sees_project(p)]
    rows = sorted((p for p in found if str(p.status) in wanted), key=lambda p: _tree_key(call, p))
    return _paged(call, "projects", rows, lambda p: _project_row(call, p))


def _tree_key(call: Call, project: Project) -> list[str]:
    parent = call.store.projects.get(project.parent_id or 0)
    return [*(_tree_key(call, parent) if parent else []), project.name.lower()]


def _project_row(call: Call, shown: Project, *, alone: bool = False) -> Json:
    body: Json = {**ref(shown), "identifier": shown.identifier, "description": shown.description}
    if alone:
        body["homepage"] = ""
    parent = call.store.projects.get(shown.parent_id or 0)
    if parent is not None and call.viewer.sees_project(parent):
        body["parent"] = ref(parent)
    body |= {"status": shown.status, "is_public": shown.is_public, "inherit_members": False}
    if call.includes("trackers"):
        body["trackers"] = [ref(t) for t in call.store.trackers.values()]
    if call.includes("issue_categories"):
        rows = call.store.categories.values()
        body["issue_categories"] = [ref(c) for c in rows if c.project_id == shown.id]
    body["created_on"] = moment(shown.created_on)
    body["updated_on"] = moment(shown.updated_on or shown.created_on)
    return body


def project(call: Call, name: str) -> Answer:
    """GET /projects/ID.json: 403 for an archived one, even to an admin."""
    found = find_project(call, name)
    if found.status == PROJECT_ARCHIVED:
        raise StopError(403)
    authorize(call, "projects/show", found)
    return Answer.json({"project": _project_row(call, found, alone=True)})


def memberships(call: Call, name: str) -> Answer:
    """GET /projects/ID/memberships.json: users and groups, locked ones too."""
    found = find_project(call, name)
    authorize(call, "members/index", found)
    rows = [m for m in call.store.members.values() if m.project_id == found.id]
    return _paged(call, "memberships", rows, lambda m: membership_row(call, m))


def membership_row(call: Call, member: Member) -> Json:
    principal = call.store.principal(member.principal_id)
    kind = "user" if isinstance(principal, User) else "group"
    return {
        "id": member.id,
        "project": ref(call.store.projects[member.project_id]),
        **({} if principal is None else {kind: ref(principal)}),
        "roles": _roles_of(call, member),
    }


def categories(call: Call, name: str) -> Answer:
    """GET /projects/ID/issue_categories.json: only for who may manage them."""
    found = find_project(call, name)
    authorize(call, "issue_categories", found)
    rows = []
    for category in sorted(call.store.categories.values(), key=lambda c: c.name):
        if category.project_id == found.id:
            row: Json = {"id": category.id, "project": ref(found), "name": category.name}
            assignee = call.store.principal(category.assigned_to_id)
            rows.append(row if assignee is None else {**row, "assigned_to": ref(assignee)})
    return Answer.json({"issue_categories": rows, "total_count": len(rows)})


def versions(call: Call, name: str) -> Answer:
    """GET /projects/ID/versions.json."""
    found = find_project(call, name)
    authorize(call, "versions/index", found)
    rows = [
        {
            "id": v.id,
            "project": ref(found),
            "name": v.name,
            "description": v.description,
            "status": v.status,
            "due_date": day(v.due_date),
            "sharing": "none",
            "wiki_page_title": None,
            "created_on": moment(v.created_on),
            "updated_on": moment(v.created_on),
        }
        for v in call.store.versions.values()
        if v.project_id == found.id
    ]
    return Answer.json({"versions": rows, "total_count": len(rows)})


def roles(call: Call) -> Answer:
    """GET /roles.json: those that members can have."""
    return Answer.json({"roles": [ref(r) for r in call.store.roles.values() if not r.builtin]})


def role(call: Call, role_id: str) -> Answer:
    """GET /roles/ID.json with the rights."""
    found = call.store.roles.get(int(role_id))
    if found is None:
        raise StopError(404)
    body = {
        **ref(found),
        "assignable": True,
        "issues_visibility": found.issues_visibility,
        "time_entries_visibility": "all",
        "users_visibility": "all",
        "permissions": sorted(found.permissions),
    }
    return Answer.json({"role": body})


def custom_fields(call: Call) -> Answer:
    """GET /custom_fields.json for admins."""
    require_admin(call)
    trackers_of = [ref(t) for t in call.store.trackers.values()]
    rows = []
    for field in call.store.custom_fields.values():
        row: Json = {
            **ref(field),
            "customized_type": "issue",
            "field_format": field.format,
            "regexp": "",
            "min_length": None,
            "max_length": None,
            "is_required": field.required,
            "is_filter": False,
            "searchable": False,
            "multiple": field.multiple,
            "default_value": None,
            "visible": field.visible,
        }
        if field.possible_values:
            row["possible_values"] = [{"value": v, "label": v} for v in field.possible_values]
        row["trackers"] = trackers_of
        row["roles"] = [ref(call.store.roles[r]) for r in sorted(field.role_ids)]
        rows.append(row)
    return Answer.json({"custom_fields": rows})
