"""People and groups.

Source: Redmine 5.0.4, the controllers and api views of users and groups. Of the writing endpoints there is
only what tests and the demo need.
"""

from typing import Final

from daemon.demo import casts
from daemon.demo.exchange import Answer, Call, StopError
from daemon.demo.guards import require_admin
from daemon.demo.load import key_of
from daemon.demo.members import remove_from_group, remove_member
from daemon.demo.memberships import membership_list, memberships_of
from daemon.demo.model import ACTIVE, Json, User
from daemon.demo.pages import blank_fields, created, paged
from daemon.demo.render import moment, ref

_NAMES: Final = ("firstname", "lastname")


def current_user(call: Call) -> Answer:
    """GET /users/current.json: 401 unless signed in, 403 while the REST API is off."""
    if not call.viewer.user.logged:
        raise call.login_required()
    return Answer.json({"user": user_page(call, call.viewer.user)})


def user(call: Call, user_id: str) -> Answer:
    """GET /users/ID.json: a locked user is 404 for people who are no admins."""
    found = call.store.users.get(int(user_id))
    if found is None or not call.viewer.sees_user(found):
        raise StopError(404)
    return Answer.json({"user": user_page(call, found)})


def user_page(call: Call, shown: User) -> Json:
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
    body |= _custom_fields(call, shown)
    if viewer.admin and call.includes("groups"):
        body["groups"] = [ref(g) for g in call.store.groups.values() if shown.id in g.user_ids]
    if call.includes("memberships"):
        rows = memberships_of(call, shown.id)
        seen = [m for m in rows if call.viewer.sees_project(call.store.projects[m.project_id])]
        body["memberships"] = membership_list(call, seen)
    return body


def _custom_fields(call: Call, shown: User) -> Json:
    """The custom fields of users that the viewer may see; without any the key is left out."""
    fields = [f for f in call.store.user_fields.values() if f.visible or call.viewer.user.admin]
    rows = [{**ref(f), "value": shown.custom_values.get(f.id)} for f in fields]
    return {"custom_fields": rows} if rows else {}


def _user_times(shown: User) -> Json:
    return {
        "created_on": moment(shown.created_on),
        "updated_on": moment(shown.updated_on or shown.created_on),
        "last_login_on": moment(shown.last_login_on),
        "passwd_changed_on": moment(shown.created_on),
    }


def users(call: Call) -> Answer:
    """GET /users.json for admins: active ones, or those of `status` (3 = locked); `status=*` finds none."""
    require_admin(call)
    wanted = call.request.query.get("status", str(ACTIVE))
    rows = [u for u in call.store.users.values() if u.logged and wanted in ("", str(u.status))]
    name = call.request.query.get("name", "").lower()
    rows = [u for u in rows if name in f"{u.login}\n{u.name}\n{u.mail}".lower()]
    group = call.store.groups.get(int(call.request.query.get("group_id") or 0))
    rows = [u for u in rows if group is None or u.id in group.user_ids]

    def row(user: User) -> Json:
        return _user_row(user) | _custom_fields(call, user)

    return paged(call, "users", sorted(rows, key=lambda u: u.login), row)


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


def create_user(call: Call) -> Answer:
    """POST /users.json; the key is sha1 of the login, as everywhere in the demo."""
    require_admin(call)
    given = call.section("user")
    problems = blank_fields(call, given, "login", "firstname", "lastname")
    if problems:
        return Answer.errors(problems)
    login, now = str(given["login"]), call.store.now()
    user = User(
        call.store.ids.next("principals"), login, str(given["firstname"]), str(given["lastname"]), now
    )
    user.language = call.store.settings.default_language
    user.api_key = key_of(login)
    user.mail = str(given.get("mail") or "")
    call.store.users[user.id] = user
    _fill_user(call, user, given)
    return created(call, "user", "users", user_page(call, user))


def _fill_user(call: Call, user: User, given: Json) -> None:
    for name in ("firstname", "lastname", "mail", "language", "password"):
        if name in given:
            setattr(user, name, casts.text(given[name]) or "")
    if "admin" in given:
        user.admin = casts.truth(given["admin"])
    if "status" in given:
        user.status = casts.whole(given["status"]) or ACTIVE
    for row in given.get("custom_fields", ()):
        if (field_id := casts.whole(row["id"])) in call.store.user_fields:
            user.custom_values[field_id] = casts.text(row.get("value")) or ""


def update_user(call: Call, user_id: str) -> Answer:
    """PUT /users/ID.json: names, rights, and locking with status 3."""
    require_admin(call)
    user = find_user(call, user_id)
    given = call.section("user")
    problems = blank_fields(call, {"firstname": user.firstname, "lastname": user.lastname, **given}, *_NAMES)
    if problems:
        return Answer.errors(problems)
    _fill_user(call, user, given)
    user.updated_on = call.store.now()
    return Answer(204)


def find_user(call: Call, user_id: str) -> User:
    user = call.store.users.get(int(user_id))
    if user is None or not user.logged:
        raise StopError(404)
    return user


def delete_user(call: Call, user_id: str) -> Answer:
    """DELETE /users/ID.json: issues and notes go to the anonymous user, nothing is bumped."""
    require_admin(call)
    user, store = find_user(call, user_id), call.store
    for issue in store.issues.values():
        issue.author_id = store.anonymous_id if issue.author_id == user.id else issue.author_id
        issue.assigned_to_id = None if issue.assigned_to_id == user.id else issue.assigned_to_id
        store.watchers.remove(issue.id, user.id)
    for journal in store.journals.values():
        journal.user_id = store.anonymous_id if journal.user_id == user.id else journal.user_id
        for detail in journal.details:
            if detail.name == "assigned_to_id":
                detail.old_value = _substituted(detail.old_value, user.id, store.anonymous_id)
                detail.new_value = _substituted(detail.new_value, user.id, store.anonymous_id)
    for attachment in store.attachments.values():
        attachment.author_id = store.anonymous_id if attachment.author_id == user.id else attachment.author_id
    for group in store.groups.values():
        remove_from_group(store, group, user.id)
    for member in [m for m in store.members.values() if m.principal_id == user.id]:
        remove_member(store, member)
    del store.users[user.id]
    return Answer(204)


def _substituted(value: str | None, old_id: int, new_id: int) -> str | None:
    return str(new_id) if value == str(old_id) else value
