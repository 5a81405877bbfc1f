"""Who may see and do what: Redmine's own rules for roles, projects, issues, notes and custom fields.

Source: Redmine 5.0.4, app/models/user.rb, role.rb, project.rb, issue.rb, journal.rb.
"""

from typing import Final

from daemon.demo.defaults import ACTIONS, PUBLIC_PERMISSIONS, READ_PERMISSIONS
from daemon.demo.model import (
    ANONYMOUS_ROLE,
    NON_MEMBER_ROLE,
    PROJECT_ACTIVE,
    PROJECT_ARCHIVED,
    CustomField,
    Detail,
    Issue,
    Journal,
    Project,
    Role,
    User,
)
from daemon.demo.store import Store

_VISIBILITY_RANK: Final = {"own": 1, "default": 2, "all": 3}


class Viewer:
    """One user's eyes for the time of one request: answers are remembered, rights do not change meanwhile."""

    def __init__(self, store: Store, user: User) -> None:
        self.store = store
        self.user = user
        self.principal_ids = frozenset({user.id, *store.group_ids(user)})
        self._roles: dict[int, list[Role]] = {}
        self._allowed: dict[tuple[str, int], bool] = {}
        self._visibility: dict[int, str | None] = {}

    def roles(self, project: Project) -> list[Role]:
        """The user's roles in the project: the member's, else the built-in one of a public project."""
        if project.id not in self._roles:
            self._roles[project.id] = self._find_roles(project)
        return self._roles[project.id]

    def _find_roles(self, project: Project) -> list[Role]:
        if project.status == PROJECT_ARCHIVED:
            return []
        for member in self.store.members.values():
            if member.project_id == project.id and member.principal_id == self.user.id:
                return [self.store.roles[r] for r in sorted({role_id for role_id, _ in member.roles})]
        return [self._builtin_role()] if project.is_public else []

    def _builtin_role(self) -> Role:
        return self.store.roles[NON_MEMBER_ROLE if self.user.logged else ANONYMOUS_ROLE]

    def has(self, permission: str, project: Project) -> bool:
        """Whether the right holds in the project (`User#allowed_to?` with a symbol)."""
        key = (permission, project.id)
        if key not in self._allowed:
            self._allowed[key] = self._find_right(permission, project)
        return self._allowed[key]

    def _find_right(self, permission: str, project: Project) -> bool:
        if project.status == PROJECT_ARCHIVED:
            return False
        if project.status != PROJECT_ACTIVE and permission not in READ_PERMISSIONS:
            return False
        if self.user.admin:
            return True
        return any(_grants(role, permission) for role in self._counting_roles(project))

    def _counting_roles(self, project: Project) -> list[Role]:
        return [r for r in self.roles(project) if project.is_public or not r.builtin]

    def may(self, action: str, project: Project) -> bool:
        """Whether the action is open in the project (`authorize`); its state binds admins too."""
        wanted = ACTIONS[action]
        if project.status == PROJECT_ARCHIVED:
            return False
        if project.status != PROJECT_ACTIVE and not wanted & READ_PERMISSIONS:
            return False
        if self.user.admin:
            return True
        return any(_grants(role, p) for role in self._counting_roles(project) for p in wanted)

    def may_somewhere(self, action: str) -> bool:
        """Whether any role of the user, or the built-in one, allows the action (`authorize_global`)."""
        if self.user.admin:
            return True
        return any(_grants(role, p) for role in self._all_roles() for p in ACTIONS[action])

    def has_somewhere(self, permission: str) -> bool:
        return self.user.admin or any(_grants(role, permission) for role in self._all_roles())

    def _all_roles(self) -> list[Role]:
        mine = [m for m in self.store.members.values() if m.principal_id == self.user.id]
        ids = {role_id for m in mine for role_id, _ in m.roles}
        return [*(self.store.roles[i] for i in ids), self._builtin_role()]

    def sees_project(self, project: Project) -> bool:
        return self.has("view_project", project)

    def issues_visibility(self, project: Project) -> str | None:
        """'all', 'default' or 'own', the widest of the user's roles there; None = no issue of the project."""
        if project.id not in self._visibility:
            self._visibility[project.id] = self._find_visibility(project)
        return self._visibility[project.id]

    def _find_visibility(self, project: Project) -> str | None:
        if not self.has("view_issues", project):
            return None
        if self.user.admin:
            return "all"
        roles = [r for r in self._counting_roles(project) if _grants(r, "view_issues")]
        return max((r.issues_visibility for r in roles), key=lambda v: _VISIBILITY_RANK[v])

    def sees(self, issue: Issue) -> bool:
        project = self.store.projects.get(issue.project_id or 0)
        visibility = self.issues_visibility(project) if project else None
        if visibility is None:
            return False
        if not self.user.logged:
            return not issue.is_private
        if visibility == "all" or (visibility == "default" and not issue.is_private):
            return True
        return issue.author_id == self.user.id or issue.assigned_to_id in self.principal_ids

    def edits(self, issue: Issue) -> bool:
        """Whether attributes may be changed (`attributes_editable?`)."""
        project = self.store.projects[issue.project_id or 0]
        own = issue.author_id == self.user.id and self.has("edit_own_issues", project)
        return own or self.has("edit_issues", project)

    def sees_notes_of(self, journal: Journal, project: Project) -> bool:
        """Private notes need the right, own ones do not."""
        public = not journal.private_notes or journal.user_id == self.user.id
        return public or self.has("view_private_notes", project)

    def sees_field(self, field: CustomField, project: Project) -> bool:
        if field.visible or self.user.admin:
            return True
        return any(role.id in field.role_ids for role in self.roles(project))

    def sees_detail(self, detail: Detail, project: Project) -> bool:
        if detail.property == "cf":
            field = self.store.custom_fields.get(int(detail.name))
            return field is not None and self.sees_field(field, project)
        if detail.property == "relation":
            other = self.store.issues.get(int(detail.new_value or detail.old_value or 0))
            return other is not None and self.sees(other)
        return True

    def sees_user(self, user: User) -> bool:
        """Everybody sees active users: no role of the default data limits that."""
        return self.user.admin or user.active


def _grants(role: Role, permission: str) -> bool:
    return permission in role.permissions or permission in PUBLIC_PERMISSIONS
