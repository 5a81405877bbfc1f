"""Who is a member of which project, with which roles.

Source: Redmine 5.0.4, app/controllers/members_controller.rb and its api views.
"""

from daemon.demo import casts, texts
from daemon.demo.exchange import Answer, Call, StopError
from daemon.demo.guards import authorize, find_project
from daemon.demo.members import add_member, remove_member, set_roles
from daemon.demo.model import Json, Member, User
from daemon.demo.pages import created, paged
from daemon.demo.render import ref


def memberships(call: Call, name: str) -> Answer:
    """GET /projects/ID/memberships.json: users and groups, locked ones too."""
    found = find_project(call, name)
    authorize(call, "members/index", found)
    rows = [m for m in call.store.members.values() if m.project_id == found.id]
    return paged(call, "memberships", rows, lambda m: membership_row(call, m))


def membership_row(call: Call, member: Member) -> Json:
    principal = call.store.principal(member.principal_id)
    kind = "user" if isinstance(principal, User) else "group"
    return {
        "id": member.id,
        "project": ref(call.store.projects[member.project_id]),
        **({} if principal is None else {kind: ref(principal)}),
        "roles": _roles_of(call, member),
    }


def _roles_of(call: Call, member: Member) -> list[Json]:
    rows = []
    for role_id, source in member.roles:
        inherited = {} if source is None else {"inherited": True}
        rows.append({**ref(call.store.roles[role_id]), **inherited})
    return rows


def memberships_of(call: Call, principal_id: int) -> list[Member]:
    return [m for m in call.store.members.values() if m.principal_id == principal_id]


def membership_list(call: Call, rows: list[Member]) -> list[Json]:
    projects = call.store.projects
    return [{"id": m.id, "project": ref(projects[m.project_id]), "roles": _roles_of(call, m)} for m in rows]


def create_membership(call: Call, project_name: str) -> Answer:
    """POST /projects/ID/memberships.json; 422 for a member already or without a role."""
    project = find_project(call, project_name)
    authorize(call, "members/manage", project)
    given = call.section("membership")
    principal_id = casts.whole(given.get("user_id")) or 0
    role_ids = _roles(call, given)
    language, found = call.viewer.user.language, []
    if call.store.principal(principal_id) is None:
        found.append(texts.problem(language, "principal", "blank"))
    members = call.store.members.values()
    if any(m.project_id == project.id and m.principal_id == principal_id for m in members):
        found.append(texts.problem(language, "user_id", "taken"))
    if not role_ids:
        found.append(texts.problem(language, "role", "empty"))
    if found:
        return Answer.errors(found)
    member = add_member(call.store, project.id, principal_id, role_ids)
    return created(call, "membership", "memberships", membership_row(call, member))


def _roles(call: Call, given: Json) -> list[int]:
    ids = (casts.whole(r) or 0 for r in given.get("role_ids") or ())
    return [i for i in ids if i in call.store.roles and not call.store.roles[i].builtin]


def _find_member(call: Call, member_id: str, action: str) -> Member:
    member = call.store.members.get(int(member_id))
    if member is None:
        raise StopError(404)
    authorize(call, action, call.store.projects[member.project_id])
    return member


def show_membership(call: Call, member_id: str) -> Answer:
    """GET /memberships/ID.json."""
    return Answer.json({"membership": membership_row(call, _find_member(call, member_id, "members/index"))})


def update_membership(call: Call, member_id: str) -> Answer:
    """PUT /memberships/ID.json: other roles."""
    member = _find_member(call, member_id, "members/manage")
    role_ids = _roles(call, call.section("membership"))
    if not role_ids and all(source is None for _, source in member.roles):
        return Answer.errors([texts.problem(call.viewer.user.language, "role", "empty")])
    set_roles(call.store, member, role_ids)
    return Answer(204)


def delete_membership(call: Call, member_id: str) -> Answer:
    """DELETE /memberships/ID.json; 422 without a word for one that comes from a group."""
    member = _find_member(call, member_id, "members/manage")
    if any(source is not None for _, source in member.roles):
        raise StopError(422)
    remove_member(call.store, member)
    return Answer(204)
