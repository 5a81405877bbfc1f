"""The inbox, and what open pages must learn besides."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base, utc_now

UNREAD = "read_at IS NULL AND archived_at IS NULL AND withdrawn_at IS NULL"


def _thread(context: Any) -> str:
    """What a notification is about, where nobody says: its issue, else the change alone."""
    given = context.get_current_parameters()
    issue_id = given.get("issue_id")
    return f"issue:{issue_id}" if issue_id else str(given["change_key"])


class Notification(Base):
    """One change for one recipient."""

    __tablename__ = "notifications"
    __table_args__ = (
        sa.UniqueConstraint("change_key", "user_id"),
        sa.Index("ix_notifications_user_id_id", "user_id", "id"),
        sa.Index("ix_notifications_issue_id", "issue_id"),
        sa.Index("ix_notifications_user_id_thread", "user_id", "thread", "surfaced_at", "id"),
        sa.Index("ix_notifications_user_id_surfaced_at", "user_id", "surfaced_at", "id"),
        sa.Index(
            "ix_notifications_unread",
            "user_id",
            "snoozed_until",
            # Always NULL here; without them SQLite looks through all that the user ever got.
            "read_at",
            "archived_at",
            "withdrawn_at",
            sqlite_where=sa.text(UNREAD),
            postgresql_where=sa.text(UNREAD),
        ),
        sa.Index(
            "ix_notifications_snoozed_until",
            "snoozed_until",
            sqlite_where=sa.text("snoozed_until IS NOT NULL"),
            postgresql_where=sa.text("snoozed_until IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},  # ids are the clients' cursor: none may be used twice
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    change_key: Mapped[str] = mapped_column(sa.String(128))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(sa.String(32))
    reasons: Mapped[list[str]]
    title: Mapped[str] = mapped_column(sa.Text)
    message: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(default_factory=utc_now, insert_default=utc_now)
    # What the inbox groups by: `issue:123`, `host:4`.
    thread: Mapped[str] = mapped_column(sa.String(128), init=False, insert_default=_thread)
    # The inbox's order: when it was recorded, or when it came back after a snooze.
    surfaced_at: Mapped[datetime] = mapped_column(default_factory=utc_now, insert_default=utc_now)
    issue_id: Mapped[int | None] = mapped_column(default=None)
    journal_id: Mapped[int | None] = mapped_column(default=None)
    subject: Mapped[str] = mapped_column(sa.Text, default="")
    project_id: Mapped[int | None] = mapped_column(default=None)
    project_name: Mapped[str] = mapped_column(sa.String(255), default="")
    actor_id: Mapped[int | None] = mapped_column(default=None)
    actor_name: Mapped[str] = mapped_column(sa.String(255), default="")
    # [{"field": "status", "label": "", "old": "New", "new": "Closed"}], in the order of the journal.
    details: Mapped[list[Any]] = mapped_column(default_factory=list, insert_default=list)
    notes: Mapped[str] = mapped_column(sa.Text, default="")
    is_private_note: Mapped[bool] = mapped_column(default=False)
    old_status: Mapped[str | None] = mapped_column(sa.String(255), default=None)
    new_status: Mapped[str | None] = mapped_column(sa.String(255), default=None)
    # How an open page tells of it, by its reader's preferences: some of "popup" and "sound".
    alerts: Mapped[list[str]] = mapped_column(default_factory=list, insert_default=list)
    # Passes quiet hours: the issue's priority is one of the urgent ones.
    is_urgent: Mapped[bool] = mapped_column(default=False)
    read_at: Mapped[datetime | None] = mapped_column(default=None)
    archived_at: Mapped[datetime | None] = mapped_column(default=None)
    snoozed_until: Mapped[datetime | None] = mapped_column(default=None)
    starred_at: Mapped[datetime | None] = mapped_column(default=None)
    # Set where the source no longer shows the change to this user: the row stays, nobody sees it.
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)
    # Set by the reconcile job: the viewer asks the source again before it shows this row.
    verify_at_show: Mapped[bool] = mapped_column(default=False)


class NotificationWords(Base):
    """The words of a notification as they are searched, beside the others of its user."""

    __tablename__ = "notification_words"
    __table_args__ = ({"sqlite_with_rowid": False},)

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    notification_id: Mapped[int] = mapped_column(
        sa.ForeignKey("notifications.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    words: Mapped[bytes]


class LiveEvent(Base):
    """Something an open page must learn besides new notifications: read elsewhere, withdrawn, changed."""

    __tablename__ = "live_events"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(sa.String(64))
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default_factory=utc_now, index=True)
