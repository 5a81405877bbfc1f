"""What a new Redmine 5.0 knows before anybody works in it: rights, roles, statuses, trackers, priorities.

Source: Redmine 5.0.4, lib/redmine/preparation.rb (rights and actions) and lib/redmine/default_data/loader.rb.
"""

from dataclasses import dataclass
from typing import Final


def _rights(names: str) -> frozenset[str]:
    return frozenset(names.split())


VIEWING: Final = _rights("""
    view_issues view_gantt view_calendar view_time_entries view_news view_documents view_wiki_pages
    view_wiki_edits view_messages view_files browse_repository view_changesets
""")
ANONYMOUS: Final = VIEWING
NON_MEMBER: Final = VIEWING | _rights("add_issues add_issue_notes save_queries comment_news add_messages")
REPORTER: Final = NON_MEMBER | _rights("log_time edit_own_messages")
DEVELOPER: Final = REPORTER | _rights("""
    manage_versions manage_categories edit_issues view_private_notes set_notes_private
    manage_issue_relations manage_subtasks edit_wiki_pages delete_wiki_pages manage_files commit_access
    manage_related_issues
""")
MANAGER: Final = DEVELOPER | _rights("""
    add_project edit_project close_project delete_project select_project_modules manage_members
    add_subprojects manage_public_queries edit_own_issues copy_issues set_issues_private
    set_own_issues_private edit_issue_notes edit_own_issue_notes delete_issues view_issue_watchers
    add_issue_watchers delete_issue_watchers import_issues edit_time_entries edit_own_time_entries
    manage_project_activities log_time_for_other_users import_time_entries manage_news add_documents
    edit_documents delete_documents export_wiki_pages rename_wiki_pages delete_wiki_pages_attachments
    view_wiki_page_watchers add_wiki_page_watchers delete_wiki_page_watchers protect_wiki_pages
    manage_wiki manage_repository edit_messages delete_messages delete_own_messages
    view_message_watchers add_message_watchers delete_message_watchers manage_boards
""")

PUBLIC_PERMISSIONS: Final = _rights("view_project search_project view_members")
"""Everybody who reaches a project has these."""

READ_PERMISSIONS: Final = (
    PUBLIC_PERMISSIONS
    | VIEWING
    | _rights("""
    close_project delete_project view_private_notes view_issue_watchers view_wiki_page_watchers
    view_message_watchers export_wiki_pages
""")
)
"""The rights that also hold in a closed project."""

ACTIONS: Final = {
    "issues/index": _rights("view_issues"),
    "issues/show": _rights("view_issues"),
    "issues/create": _rights("add_issues copy_issues"),
    "issues/update": _rights("edit_issues edit_own_issues add_issue_notes"),
    "issues/destroy": _rights("delete_issues"),
    "journals/update": _rights("edit_issue_notes edit_own_issue_notes"),
    "issue_relations": _rights("manage_issue_relations"),
    "watchers/create": _rights("add_issue_watchers add_wiki_page_watchers add_message_watchers"),
    "watchers/destroy": _rights("delete_issue_watchers delete_wiki_page_watchers delete_message_watchers"),
    "attachments/upload": _rights("""
        add_issues edit_issues edit_own_issues copy_issues add_issue_notes manage_news add_documents
        edit_documents manage_files edit_wiki_pages add_messages edit_messages edit_own_messages
    """),
    "issue_categories": _rights("manage_categories"),
    "versions/index": _rights("view_issues"),
    "versions/create": _rights("manage_versions"),
    "members/index": _rights("view_members manage_members"),
    "members/manage": _rights("manage_members"),
    "projects/show": _rights("view_project"),
    "projects/close": _rights("close_project"),
}
"""Any one of the rights named allows the action."""


@dataclass(frozen=True, slots=True)
class RoleDefault:
    """A role of the default data: `name` by language, `issues_visibility` as Redmine's column."""

    name: dict[str, str]
    permissions: frozenset[str]
    issues_visibility: str = "default"
    builtin: int = 0


ROLES: Final = (
    RoleDefault({"en": "Non member", "ru": "Не участник"}, NON_MEMBER, builtin=1),
    RoleDefault({"en": "Anonymous", "ru": "Аноним"}, ANONYMOUS, builtin=2),
    RoleDefault({"en": "Manager", "ru": "Менеджер"}, MANAGER, issues_visibility="all"),
    RoleDefault({"en": "Developer", "ru": "Разработчик"}, DEVELOPER),
    RoleDefault({"en": "Reporter", "ru": "Репортёр"}, REPORTER),
)

STATUSES: Final = (
    ({"en": "New", "ru": "Новая"}, False),
    ({"en": "In Progress", "ru": "В работе"}, False),
    ({"en": "Resolved", "ru": "Решена"}, False),
    ({"en": "Feedback", "ru": "Нужен отклик"}, False),
    ({"en": "Closed", "ru": "Закрыта"}, True),
    ({"en": "Rejected", "ru": "Отклонена"}, True),
)
"""Names and whether closed; the place in the list is the id minus one."""

TRACKERS: Final = (
    {"en": "Bug", "ru": "Ошибка"},
    {"en": "Feature", "ru": "Улучшение"},
    {"en": "Support", "ru": "Поддержка"},
)

PRIORITIES: Final = (
    {"en": "Low", "ru": "Низкий"},
    {"en": "Normal", "ru": "Нормальный"},
    {"en": "High", "ru": "Высокий"},
    {"en": "Urgent", "ru": "Срочный"},
    {"en": "Immediate", "ru": "Немедленный"},
)
DEFAULT_PRIORITY_ID: Final = 2

NEW, IN_PROGRESS, RESOLVED, FEEDBACK, CLOSED, REJECTED = range(1, 7)
_OPEN: Final = (NEW, IN_PROGRESS, RESOLVED, FEEDBACK)

WORKFLOWS: Final = {
    "Manager": frozenset((a, b) for a in range(1, 7) for b in range(1, 7) if a != b),
    "Developer": frozenset((a, b) for a in _OPEN for b in (*_OPEN[1:], CLOSED) if a != b),
    "Reporter": frozenset({*((a, CLOSED) for a in _OPEN), (RESOLVED, FEEDBACK)}),
}
"""Transitions (old status, new status) of a role, by its English default name; the same for all trackers."""
