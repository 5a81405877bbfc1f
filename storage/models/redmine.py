"""Snapshot: what was last seen of Redmine, and what its ids stand for."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base, utc_now


class Issue(Base):
    """Snapshot: what the last read saw of one Redmine issue."""

    __tablename__ = "issues"
    # Somebody's tasks are counted from this index alone: of every task only a few small columns are read.
    __table_args__ = (
        sa.Index(
            "ix_issues_tasks",
            "assigned_to_id",
            "is_hidden",
            "project_id",
            "tracker_id",
            "is_private",
            "status_id",
            "priority_id",
            "due_date",
            "closed_on",
            "author_id",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subject: Mapped[str] = mapped_column(sa.Text)
    project_id: Mapped[int] = mapped_column(index=True)
    project_name: Mapped[str] = mapped_column(sa.String(255))
    tracker_id: Mapped[int]
    tracker_name: Mapped[str] = mapped_column(sa.String(255))
    status_id: Mapped[int]
    status_name: Mapped[str] = mapped_column(sa.String(255))
    priority_id: Mapped[int]
    priority_name: Mapped[str] = mapped_column(sa.String(255))
    author_id: Mapped[int] = mapped_column(index=True)
    author_name: Mapped[str] = mapped_column(sa.String(255))
    assigned_to_id: Mapped[int | None]
    assigned_to_name: Mapped[str]
    is_private: Mapped[bool]
    parent_id: Mapped[int | None]
    start_date: Mapped[date | None]
    due_date: Mapped[date | None]
    done_ratio: Mapped[int]
    created_on: Mapped[datetime]
    updated_on: Mapped[datetime] = mapped_column(index=True)
    closed_on: Mapped[datetime | None]
    attachments: Mapped[dict[str, Any]]
    relations: Mapped[dict[str, Any]]
    # Until the issue was read by itself (no list carries watchers and journals): empty and false.
    watcher_ids: Mapped[list[int]] = mapped_column(default_factory=list, insert_default=list)
    has_journals: Mapped[bool] = mapped_column(default=False)
    # Not deleted, but Redmine lists it to nobody: its project is archived.
    is_hidden: Mapped[bool] = mapped_column(default=False)
    # When the read began that this row comes from: an older read never overwrites a newer one.
    read_at: Mapped[datetime] = mapped_column(default_factory=utc_now)


class Status(Base):
    """A status of Redmine's issues; `position` is Redmine's order."""

    __tablename__ = "statuses"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(255))
    is_closed: Mapped[bool]
    position: Mapped[int]


class Priority(Base):
    """A priority of Redmine's issues; the lowest `position` is the least urgent."""

    __tablename__ = "priorities"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(255))
    is_default: Mapped[bool]
    is_active: Mapped[bool]
    position: Mapped[int]


class Group(Base):
    """A group of Redmine's accounts, whose ids it shares: an issue can be assigned to either."""

    __tablename__ = "groups"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(255))


class GroupMember(Base):
    """An account of Redmine in one of its groups."""

    __tablename__ = "group_members"

    group_id: Mapped[int] = mapped_column(sa.ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)


class RedminePhone(Base):
    """A telephone of one of Redmine's accounts; `number` is what `storage.phones.digits` makes of it."""

    __tablename__ = "redmine_phones"

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[str] = mapped_column(sa.String(10), primary_key=True, index=True)
    name: Mapped[str] = mapped_column(sa.String(300))


class TaskRight(Base):
    """Redmine's own word whether it shows a user tasks of one kind.

    What is assigned to somebody, or to a group of theirs, Redmine shows or hides by project, tracker and
    privacy alone; so one issue of each kind answers for all.
    """

    __tablename__ = "task_rights"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tracker_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    assigned_to_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_private: Mapped[bool] = mapped_column(primary_key=True)
    is_shown: Mapped[bool]
    checked_at: Mapped[datetime]


class Viewing(Base):
    """An open page of a task: who looks at it, as its live connection last said."""

    __tablename__ = "viewings"

    connection: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    issue_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    seen_at: Mapped[datetime] = mapped_column(default_factory=utc_now, index=True)


class JournalSeen(Base):
    """A Redmine journal that was already turned into notifications (or into none)."""

    __tablename__ = "journals_seen"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issue_id: Mapped[int] = mapped_column(index=True)
    created_on: Mapped[datetime]
