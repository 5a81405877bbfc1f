"""Pure: an issue as Redmine shows it, to the columns of the snapshot."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from daemon.clients.values import Issue, Journal, JournalDetail


def listed_row(issue: Issue, read_at: datetime) -> dict[str, Any]:
    """Return the columns that a list carries."""
    return {
        "id": issue.id,
        "subject": issue.subject,
        "project_id": issue.project.id,
        "project_name": issue.project.name,
        "tracker_id": issue.tracker.id,
        "tracker_name": issue.tracker.name,
        "status_id": issue.status.id,
        "status_name": issue.status.name,
        "priority_id": issue.priority.id,
        "priority_name": issue.priority.name,
        "author_id": issue.author.id,
        "author_name": issue.author.name,
        "assigned_to_id": issue.assigned_to.id if issue.assigned_to else None,
        "assigned_to_name": issue.assigned_to.name if issue.assigned_to else "",
        "is_private": issue.is_private,
        "parent_id": issue.parent_id,
        "start_date": issue.start_date,
        "due_date": issue.due_date,
        "done_ratio": issue.done_ratio,
        "created_on": issue.created_on,
        "updated_on": issue.updated_on,
        "closed_on": issue.closed_on,
        "attachments": attachments(issue),
        "relations": relations(issue),
        "is_hidden": False,
        "read_at": read_at,
    }


def full_row(issue: Issue, read_at: datetime) -> dict[str, Any]:
    """Return the columns of an issue that was read whole."""
    watchers = sorted(watcher.id for watcher in issue.watchers or ())
    return listed_row(issue, read_at) | {"watcher_ids": watchers, "has_journals": True}


def attachments(issue: Issue) -> dict[str, str]:
    """Return the files of an issue: {id: name}."""
    return {str(file.id): file.filename for file in issue.attachments or ()}


def relations(issue: Issue) -> dict[str, int]:
    """Return the relations of an issue: {relation id: the other issue's id}."""
    return {
        str(relation.id): relation.issue_to_id if relation.issue_id == issue.id else relation.issue_id
        for relation in issue.relations or ()
    }


def already_reflected(journal: Journal, row: Mapping[str, Any]) -> bool:
    """Whether a journal only tells of files and relations as the stored row has them already.

    Relations and deleted files make a journal without touching `updated_on`, so a journal of theirs
    may be older than the row without `updated_on` saying so.
    """
    if journal.notes or not journal.details:
        return False
    others = set(row["relations"].values())
    return all(_reflects(detail, row["attachments"], others) for detail in journal.details)


def _reflects(detail: JournalDetail, files: Mapping[str, str], others: set[int]) -> bool:
    if detail.property == "attachment":
        return detail.name not in files if detail.new_value is None else detail.name in files
    if detail.property == "relation":
        is_there = int(detail.new_value or detail.old_value or 0) in others
        return is_there if detail.new_value else not is_there
    return False
