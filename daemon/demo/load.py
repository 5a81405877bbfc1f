"""Build the tables from a world: Redmine's default data first, then the world's people, roles and projects.

The format is that of `tests/world.json`. Optional keys beside: `language` of the default data; a user's
`admin`, `newest_first`, `two_factor`, `must_change_password`; a project's `description`, `parent`, `status`,
`categories`, `versions`; a custom field's `multiple`, `required`, `possible_values`; `issues` (see
`daemon.demo.seed`).
"""

import hashlib
from collections.abc import Callable
from datetime import date, datetime

from daemon.demo.defaults import PRIORITIES, ROLES, STATUSES, TRACKERS, WORKFLOWS
from daemon.demo.members import add_member, add_to_group
from daemon.demo.model import (
    LOCKED,
    Category,
    CustomField,
    Group,
    Json,
    Named,
    Project,
    Role,
    Status,
    User,
    Version,
    World,
)
from daemon.demo.seed import seed_issues
from daemon.demo.store import Store


def key_of(login: str) -> str:
    """The API key of a world's user: known from the login, so that nobody has to look it up."""
    return hashlib.sha1(login.encode(), usedforsecurity=False).hexdigest()


def load(world: World, now: Callable[[], datetime]) -> Store:
    """A store holding the world. KeyError names what the world refers to but does not have."""
    store = Store(now)
    language = world.get("language", "en")
    store.settings.default_language = language
    _load_defaults(store, language)
    _load_user_fields(store, world)
    _load_builtin_people(store, language)
    for row in world.get("users", ()):
        _load_user(store, row)
    _load_groups(store, world)
    _load_roles(store, world)
    _load_projects(store, world)
    _load_memberships(store, world)
    _load_custom_fields(store, world)
    seed_issues(store, world)
    return store


def _load_defaults(store: Store, language: str) -> None:
    for names, is_closed in STATUSES:
        status_id = store.ids.next("statuses")
        store.statuses[status_id] = Status(status_id, names[language], is_closed)
    for table, rows in ((store.trackers, TRACKERS), (store.priorities, PRIORITIES)):
        for number, names in enumerate(rows, start=1):
            table[number] = Named(number, names[language])
    for default in ROLES:
        role_id = store.ids.next("roles")
        store.roles[role_id] = Role(
            role_id,
            default.name[language],
            default.permissions,
            default.issues_visibility,
            default.builtin,
            WORKFLOWS.get(default.name["en"], frozenset()),
        )


def _load_builtin_people(store: Store, language: str) -> None:
    admin = {"login": "admin", "firstname": "Redmine", "lastname": "Admin", "admin": True}
    _add_user(store, {**admin, "language": language})
    store.ids.next("principals")  # Redmine's built-in groups, which no list of groups shows
    store.ids.next("principals")
    store.anonymous_id = store.ids.next("principals")
    name = {"en": "Anonymous", "ru": "Аноним"}[language]
    anonymous = User(store.anonymous_id, "", name, "", store.now(), status=0, language=language)
    store.users[anonymous.id] = anonymous


def _load_user(store: Store, row: Json) -> None:
    existing = store.user_by_login(row["login"])
    if existing is None:
        _add_user(store, row)
    else:
        existing.firstname, existing.lastname = row["firstname"], row["lastname"]


def _add_user(store: Store, row: Json) -> None:
    login, user_id = row["login"], store.ids.next("principals")
    store.users[user_id] = User(
        user_id,
        login,
        row["firstname"],
        row["lastname"],
        store.now(),
        admin=row.get("admin", False),
        language=row.get("language", "en"),
        password=row.get("password", f"password-{login}"),
        api_key=key_of(login),
        mail=f"{login}@example.test",
        newest_first=row.get("newest_first", False),
        two_factor=row.get("two_factor", False),
        must_change_password=row.get("must_change_password", False),
        custom_values={
            field.id: row["fields"][field.name]
            for field in store.user_fields.values()
            if field.name in row.get("fields", ())
        },
    )
    if row.get("locked"):
        store.users[user_id].status = LOCKED


def _load_groups(store: Store, world: World) -> None:
    for row in world.get("groups", ()):
        group = Group(store.ids.next("principals"), row["name"])
        store.groups[group.id] = group
        for login in row["users"]:
            add_to_group(store, group, principal_id(store, login))


def principal_id(store: Store, who: str) -> int:
    """The id of a login or a group's name. KeyError when nobody is called so."""
    user = store.user_by_login(who)
    if user is not None:
        return user.id
    for group in store.groups.values():
        if group.name == who:
            return group.id
    raise KeyError(who)


def _load_roles(store: Store, world: World) -> None:
    by_english_name = {d.name["en"]: r for d, r in zip(ROLES, list(store.roles.values()), strict=True)}
    originals = {name: role.permissions for name, role in by_english_name.items()}
    by_name = {r.name: r for r in store.roles.values()}
    for row in world.get("roles", ()):
        base = by_english_name[row["base"]]
        role = by_name.get(row["name"])
        if role is None:
            role = Role(store.ids.next("roles"), row["name"], base.permissions, base.issues_visibility)
            role.workflow = base.workflow
            store.roles[role.id] = role
        added, removed = frozenset(row.get("add", ())), frozenset(row.get("remove", ()))
        role.permissions = (originals[row["base"]] | added) - removed
        role.issues_visibility = row.get("issues_visibility", role.issues_visibility)


def _load_projects(store: Store, world: World) -> None:
    by_identifier: dict[str, int] = {}
    for row in world.get("projects", ()):
        project = Project(
            store.ids.next("projects"), row["identifier"], row["name"], row["is_public"], store.now()
        )
        project.description = row.get("description")
        project.status = row.get("status", project.status)
        project.parent_id = by_identifier[row["parent"]] if "parent" in row else None
        by_identifier[project.identifier] = project.id
        store.projects[project.id] = project
        for name in row.get("categories", ()):
            category = Category(store.ids.next("categories"), project.id, name)
            store.categories[category.id] = category
        for version in row.get("versions", ()):
            _load_version(store, project.id, version)


def _load_version(store: Store, project_id: int, row: Json) -> None:
    version = Version(store.ids.next("versions"), project_id, row["name"], store.now())
    version.status = row.get("status", version.status)
    version.due_date = date.fromisoformat(row["due_date"]) if "due_date" in row else None
    store.versions[version.id] = version


def _load_memberships(store: Store, world: World) -> None:
    projects = {p.identifier: p.id for p in store.projects.values()}
    roles = {r.name: r.id for r in store.roles.values()}
    for row in world.get("memberships", ()):
        role_ids = [roles[name] for name in row["roles"]]
        add_member(store, projects[row["project"]], principal_id(store, row["who"]), role_ids)


def _load_user_fields(store: Store, world: World) -> None:
    for row in world.get("user_fields", ()):
        field_id = store.ids.next("custom_fields")
        store.user_fields[field_id] = CustomField(field_id, row["name"], row["format"], row["visible"])


def _load_custom_fields(store: Store, world: World) -> None:
    roles = {r.name: r.id for r in store.roles.values()}
    for row in world.get("custom_fields", ()):
        field_id = store.ids.next("custom_fields")
        store.custom_fields[field_id] = CustomField(
            field_id,
            row["name"],
            row["format"],
            row["visible"],
            frozenset(roles[name] for name in row["roles"]),
            row.get("multiple", False),
            row.get("required", False),
            tuple(row.get("possible_values", ())),
        )
