"""What somebody may do with one task, as their roles in Redmine say."""

from dataclasses import dataclass

from daemon.clients.values import Issue
from web.task.reader import Reader

EVERYTHING = frozenset({"edit_issues", "add_issue_notes", "set_notes_private"})


@dataclass(frozen=True, slots=True)
class TaskRights:
    """What is offered. Redmine has the last word: whatever it drops nevertheless is found afterwards."""

    can_edit: bool
    can_change_status: bool
    can_note: bool
    can_private_note: bool

    @property
    def can_attach(self) -> bool:
        """Whether files may be added, for which Redmine asks the same as for a note."""
        return self.can_edit or self.can_note


def rights_of(reader: Reader, issue: Issue, *, anew: bool = False) -> TaskRights:
    """Ask Redmine what this person may do; `anew` before a write. Raises Problem."""
    standing = reader.standing(anew=anew)
    is_admin = standing.account.is_admin
    allowed = EVERYTHING if is_admin else reader.permissions(issue.project.id, anew=anew)
    is_own = issue.author.id == standing.account.id
    can_edit = "edit_issues" in allowed or (is_own and "edit_own_issues" in allowed)
    can_note = "add_issue_notes" in allowed
    others = [status for status in issue.allowed_statuses or () if status.id != issue.status.id]
    return TaskRights(
        can_edit=can_edit,
        # Redmine lists statuses to those without the right to edit, too, and then drops the change.
        can_change_status=can_edit and bool(others),
        can_note=can_note,
        can_private_note=can_note and "set_notes_private" in allowed,
    )
