"""Redmine's reference data: what statuses, projects, people and the like there are."""

from daemon.clients import parse
from daemon.clients.connection import Connection
from daemon.clients.shapes import one
from daemon.clients.values import (
    CustomField,
    Group,
    Membership,
    Priority,
    Profile,
    Project,
    Ref,
    Role,
    Status,
    Tracker,
    User,
)


class ReferenceLists:
    """The part of the client that reads whole lists, each complete and in Redmine's order."""

    _connection: Connection

    def statuses(self) -> tuple[Status, ...]:
        """All issue statuses."""
        return self._connection.list("/issue_statuses.json", "issue_statuses", parse.status)

    def priorities(self) -> tuple[Priority, ...]:
        """All issue priorities, inactive ones too, lowest first."""
        return self._connection.list(
            "/enumerations/issue_priorities.json", "issue_priorities", parse.priority
        )

    def trackers(self) -> tuple[Tracker, ...]:
        """All trackers."""
        return self._connection.list("/trackers.json", "trackers", parse.tracker)

    def projects(self) -> tuple[Project, ...]:
        """All projects the acting user may see, closed ones too but no archived ones.

        One request for each 100.
        """
        # Without a status Redmine lists the active ones only.
        return self._connection.paged("/projects.json", "projects", parse.project, {"status": "1|5"})

    def users(self) -> tuple[User, ...]:
        """All active users; needs an admin. One request for each 100."""
        # No status filter, which means active: `status=*` finds nobody on 5.0, `status=` fails on 6.1.
        return self._connection.paged("/users.json", "users", parse.user)

    def users_like(self, text: str) -> tuple[User, ...]:
        """Active users whose log-in, name or e-mail address holds a text; needs an admin."""
        return self._connection.paged("/users.json", "users", parse.user, {"name": text})

    def user(self, user_id: int) -> User:
        """One user, locked or not; needs an admin. NotFound when the account was deleted."""
        return self._connection.get(
            f"/users/{int(user_id)}.json", lambda answer: one(answer, "user", parse.user)
        )

    def groups(self) -> tuple[Ref, ...]:
        """All groups, without their members; needs an admin."""
        return self._connection.list("/groups.json", "groups", parse.ref)

    def group(self, group_id: int) -> Group:
        """One group with its members. NotFound also for the id of a user."""
        return self._connection.get(
            f"/groups/{int(group_id)}.json",
            lambda answer: one(answer, "group", parse.group),
            {"include": "users"},
        )

    def custom_fields(self) -> tuple[CustomField, ...]:
        """All custom fields of issues; needs an admin."""
        fields = self._connection.list("/custom_fields.json", "custom_fields", parse.custom_field_of_issues)
        return tuple(field for field in fields if field is not None)

    def categories(self, project_id: int) -> tuple[Ref, ...]:
        """A project's issue categories; Redmine 5.0 refuses them to mere reporters."""
        return self._connection.list(
            f"/projects/{int(project_id)}/issue_categories.json", "issue_categories", parse.ref
        )

    def versions(self, project_id: int) -> tuple[Ref, ...]:
        """A project's versions, also those shared with it."""
        return self._connection.list(f"/projects/{int(project_id)}/versions.json", "versions", parse.ref)

    def memberships(self, project_id: int) -> tuple[Membership, ...]:
        """Who is a member of a project, locked users too. One request for each 100."""
        path = f"/projects/{int(project_id)}/memberships.json"
        found = self._connection.paged(path, "memberships", parse.membership)
        return tuple(membership for membership in found if membership is not None)

    def roles(self) -> tuple[Ref, ...]:
        """All roles that somebody can be given: not those of non-members and of anonymous visitors."""
        return self._connection.list("/roles.json", "roles", parse.ref)

    def role(self, role_id: int) -> Role:
        """A role and what it allows, the built-in ones too."""
        return self._connection.get(
            f"/roles/{int(role_id)}.json", lambda answer: one(answer, "role", parse.role)
        )

    def profile(self, user_id: int) -> Profile:
        """A person as the acting user sees them. NotFound for a locked one, and for a group."""
        return self._connection.get(
            f"/users/{int(user_id)}.json", lambda answer: one(answer, "user", parse.profile)
        )
