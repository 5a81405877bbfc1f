"""Groups of people.

Source: Redmine 5.0.4, the controller and api views of groups.
"""

from daemon.demo import casts, texts
from daemon.demo.exchange import Answer, Call, StopError
from daemon.demo.guards import require_admin
from daemon.demo.members import add_to_group, remove_from_group
from daemon.demo.memberships import membership_list, memberships_of
from daemon.demo.model import Group, Json
from daemon.demo.pages import blank_fields, created
from daemon.demo.render import ref
from daemon.demo.users import find_user


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
    return Answer.json({"group": group_page(call, found)})


def group_page(call: Call, shown: Group) -> Json:
    body = ref(shown)
    if call.includes("users"):
        body["users"] = [ref(call.store.users[u]) for u in sorted(shown.user_ids)]
    if call.includes("memberships"):
        body["memberships"] = membership_list(call, memberships_of(call, shown.id))
    return body


def create_group(call: Call) -> Answer:
    """POST /groups.json, with `user_ids`."""
    require_admin(call)
    given = call.section("group")
    problems = blank_fields(call, given, "name")
    if problems:
        return Answer.errors(problems)
    group = Group(call.store.ids.next("principals"), str(given["name"]))
    call.store.groups[group.id] = group
    for user_id in given.get("user_ids") or ():
        add_to_group(call.store, group, find_user(call, str(user_id)).id)
    return created(call, "group", "groups", group_page(call, group))


def _find_group(call: Call, group_id: str) -> Group:
    require_admin(call)
    group = call.store.groups.get(int(group_id))
    if group is None:
        raise StopError(404)
    return group


def join_group(call: Call, group_id: str) -> Answer:
    """POST /groups/ID/users.json with `user_id` or `user_ids`; 422 when nobody new is among them."""
    group = _find_group(call, group_id)
    given = call.fields.get("user_id") or call.fields.get("user_ids")
    ids = [casts.whole(i) or 0 for i in (given if isinstance(given, list) else [given])]
    new = [i for i in ids if i in call.store.users and i not in group.user_ids]
    if not new:
        return Answer.errors([texts.problem(call.viewer.user.language, "user_id", "invalid")])
    for user_id in new:
        add_to_group(call.store, group, user_id)
    return Answer(204)


def leave_group(call: Call, group_id: str, user_id: str) -> Answer:
    """DELETE /groups/ID/users/ID.json."""
    remove_from_group(call.store, _find_group(call, group_id), find_user(call, user_id).id)
    return Answer(204)
