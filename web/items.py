"""A notification as the API, the socket and the template get it.

Title and message were written in the recipient's language by the daemon; the markup is rendered in the
reader's present one.
"""

from datetime import timedelta
from typing import Any

from flask import current_app

from storage.models import Notification
from storage.threads import page_of
from web.answers import iso
from web.language import gettext
from web.viewer import viewer

Item = dict[str, Any]
# What surfaced so long after it was recorded has been snoozed: it is not recorded and shown that far apart.
RETURNED = timedelta(seconds=30)


def item_of(row: Notification, *, html: bool = False) -> Item:
    """Return everything shown of a notification; of one whose rights are in doubt, nothing but its place."""
    item = _masked(row) if row.verify_at_show else _shown(row)
    if html:
        item["html"] = markup(item)
    return item


def markup(item: Item) -> str:
    """Render the one template of a notification; it works outside of a request too."""
    return current_app.jinja_env.get_template("_notification.html").render(item=item)


def status_change(row: Notification) -> Item | None:
    """Return the contract's `task_status_changed`, None where no status changed or it may not be shown."""
    if row.verify_at_show or row.new_status is None or row.new_status == row.old_status:
        return None
    return {
        "task_id": row.issue_id,
        "old_status": row.old_status,
        "new_status": row.new_status,
        "updated_by": row.actor_name,
        "updated_at": iso(row.created_at),
    }


def _shown(row: Notification) -> Item:
    at = iso(row.created_at)
    return {
        "id": row.id,
        "issue_id": row.issue_id,
        "old_status": row.old_status,
        "new_status": row.new_status,
        "old_subj": row.subject,
        "date_created": at,
        "is_read": row.read_at is not None,
        "type": row.type,
        "title": row.title,
        "message": row.message,
        "created_at": at,
        "subject": row.subject,
        "journal_id": row.journal_id,
        "reasons": row.reasons,
        "actor": {"id": row.actor_id, "name": row.actor_name},
        "project": {"id": row.project_id, "name": row.project_name} if row.project_id else None,
        "details": row.details,
        "notes": row.notes,
        "is_private_note": row.is_private_note,
        "url": _url(row),
        "page": page_of(row.thread),
        "masked": False,
    } | _state(row)


def _masked(row: Notification) -> Item:
    at = iso(row.created_at)
    return {
        "id": row.id,
        "issue_id": row.issue_id,
        "old_status": None,
        "new_status": None,
        "old_subj": "",
        "date_created": at,
        "is_read": row.read_at is not None,
        "type": "updated",
        "title": gettext("Hidden for now"),
        "message": gettext("Your access to this issue is being checked again."),
        "created_at": at,
        "subject": "",
        "journal_id": None,
        "reasons": [],
        "actor": {"id": None, "name": ""},
        "project": None,
        "details": [],
        "notes": "",
        "is_private_note": False,
        "url": "",
        "page": "",
        "masked": True,
    } | _state(row)


def _state(row: Notification) -> Item:
    """Return what its reader did with it, and how an open page tells of it."""
    was_snoozed = row.surfaced_at - row.recorded_at > RETURNED
    return {
        "thread": row.thread,
        "surfaced_at": iso(row.surfaced_at),
        # The day under which it stands: of the change, or of its return.
        "listed_at": iso(row.surfaced_at if was_snoozed else row.created_at),
        "alerts": row.alerts,
        "is_urgent": row.is_urgent,
        "is_starred": row.starred_at is not None,
        "is_archived": row.archived_at is not None,
        "snoozed_until": iso(row.snoozed_until) if row.snoozed_until else None,
    }


def _url(row: Notification) -> str:
    redmine = viewer().settings.redmine
    if redmine is None or row.issue_id is None or row.type == "issue_deleted":
        return ""
    anchor = f"#change-{row.journal_id}" if row.journal_id else ""
    return f"{redmine.url}/issues/{row.issue_id}{anchor}"
