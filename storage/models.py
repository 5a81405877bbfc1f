"""The tables. Names are binding for the whole project; the design notes in README.md say what each holds."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base, utc_now


class User(Base):
    """A person who may sign in to the viewer and is told of changes."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    username: Mapped[str] = mapped_column(sa.String(255), unique=True)
    email: Mapped[str] = mapped_column(sa.String(255), default="")
    full_name: Mapped[str] = mapped_column(sa.String(255), default="")
    department: Mapped[str] = mapped_column(sa.String(255), default="")
    position: Mapped[str] = mapped_column(sa.String(255), default="")
    phone: Mapped[str] = mapped_column(sa.String(64), default="")
    vpn_end_date: Mapped[date | None] = mapped_column(default=None)
    role: Mapped[str] = mapped_column(sa.String(16), default="user")
    is_active: Mapped[bool] = mapped_column(default=True)
    id_redmine_user: Mapped[int | None] = mapped_column(index=True, default=None)
    redmine_login: Mapped[str] = mapped_column(sa.String(255), default="")
    can_access_quality_control: Mapped[bool] = mapped_column(default=False)
    browser_notifications_enabled: Mapped[bool] = mapped_column(default=True)
    notifications_widget_enabled: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str] = mapped_column(sa.String(8), default="ru")
    theme: Mapped[str] = mapped_column(sa.String(8), default="auto")
    time_zone: Mapped[str] = mapped_column(sa.String(64), default="UTC")
    password_hash: Mapped[str | None] = mapped_column(sa.String(255), default=None, repr=False)
    # Changed to sign every device out: a session cookie that names another value is refused.
    session_epoch: Mapped[str] = mapped_column(sa.String(32), default="", repr=False)
    created_at: Mapped[datetime] = mapped_column(default_factory=utc_now)
    last_login_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def is_admin(self) -> bool:
        """Whether this user may tune schedules and manage posts."""
        return self.role == "admin"


class SignIn(Base):
    """One log-in on one device: it lasts until it is signed out, there or from elsewhere."""

    __tablename__ = "sign_ins"

    device: Mapped[str] = mapped_column(sa.String(32), primary_key=True, repr=False)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(sa.String(512), default="")
    address: Mapped[str] = mapped_column(sa.String(64), default="")
    created_at: Mapped[datetime] = mapped_column(default_factory=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default_factory=utc_now)


class Issue(Base):
    """Snapshot: what the last read saw of one Redmine issue."""

    __tablename__ = "issues"

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
    assigned_to_id: Mapped[int | None] = mapped_column(index=True)
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


class JobState(Base):
    """Cursor, overrides and lease of one job. The row `@daemon` is the scheduler's own lease."""

    __tablename__ = "job_states"

    name: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    cursor: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    interval_s: Mapped[float | None] = mapped_column(default=None)
    paused_at: Mapped[datetime | None] = mapped_column(default=None)
    paused_until: Mapped[datetime | None] = mapped_column(default=None)
    pause_reason: Mapped[str] = mapped_column(sa.Text, default="")
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(sa.Text, default="")
    retry_at: Mapped[datetime | None] = mapped_column(default=None)
    lease_owner: Mapped[str] = mapped_column(sa.String(128), default="")
    lease_until: Mapped[datetime | None] = mapped_column(default=None)


class JobRun(Base):
    """One run of a job: when, how long, what came of it."""

    __tablename__ = "job_runs"
    __table_args__ = (sa.Index("ix_job_runs_job_id", "job", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    job: Mapped[str] = mapped_column(sa.String(64))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    duration_ms: Mapped[int | None] = mapped_column(default=None)
    status: Mapped[str] = mapped_column(sa.String(16), default="running")
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    items: Mapped[int] = mapped_column(default=0)
    changes: Mapped[int] = mapped_column(default=0)
    notified: Mapped[int] = mapped_column(default=0)
    withdrawn: Mapped[int] = mapped_column(default=0)
    requests: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(sa.Text, default="")


class Notification(Base):
    """One change for one recipient."""

    __tablename__ = "notifications"
    __table_args__ = (
        sa.UniqueConstraint("change_key", "user_id"),
        sa.Index("ix_notifications_user_id_id", "user_id", "id"),
        sa.Index("ix_notifications_issue_id", "issue_id"),
        sa.Index(
            "ix_notifications_unread",
            "user_id",
            sqlite_where=sa.text("read_at IS NULL AND withdrawn_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL AND withdrawn_at IS NULL"),
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
    read_at: Mapped[datetime | None] = mapped_column(default=None)
    archived_at: Mapped[datetime | None] = mapped_column(default=None)
    snoozed_until: Mapped[datetime | None] = mapped_column(default=None)
    # Set where the source no longer shows the change to this user: the row stays, nobody sees it.
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)
    # Set by the reconcile job: the viewer asks the source again before it shows this row.
    verify_at_show: Mapped[bool] = mapped_column(default=False)


class LiveEvent(Base):
    """Something an open page must learn besides new notifications: read elsewhere, withdrawn, changed."""

    __tablename__ = "live_events"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(sa.String(64))
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default_factory=utc_now, index=True)


class Delivery(Base):
    """One notification through one channel to one device: the outbox."""

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.UniqueConstraint("notification_id", "channel", "device"),
        sa.Index("ix_deliveries_state_next_attempt_at", "state", "next_attempt_at"),
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    notification_id: Mapped[int] = mapped_column(sa.ForeignKey("notifications.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(sa.String(32))
    device: Mapped[str] = mapped_column(sa.String(64), default="")
    state: Mapped[str] = mapped_column(sa.String(16), default="due")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(default_factory=utc_now)
    claimed_at: Mapped[datetime | None] = mapped_column(default=None)
    claimed_by: Mapped[str] = mapped_column(sa.String(128), default="")
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    error: Mapped[str] = mapped_column(sa.Text, default="")


class PushSubscription(Base):
    """A browser that may be reached by Web Push."""

    __tablename__ = "push_subscriptions"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    endpoint: Mapped[str] = mapped_column(sa.String(2048), unique=True)
    p256dh: Mapped[str] = mapped_column(sa.String(255), repr=False)
    auth: Mapped[str] = mapped_column(sa.String(64), repr=False)
    user_agent: Mapped[str] = mapped_column(sa.String(512), default="")
    created_at: Mapped[datetime] = mapped_column(default_factory=utc_now)
    last_success_at: Mapped[datetime | None] = mapped_column(default=None)
    last_error_at: Mapped[datetime | None] = mapped_column(default=None)
    last_error: Mapped[str] = mapped_column(sa.Text, default="")


class Post(Base):
    """An announcement of the company."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(255))
    content: Mapped[str] = mapped_column(sa.Text)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    date_posted: Mapped[datetime] = mapped_column(default_factory=utc_now, index=True)
    updated_at: Mapped[datetime | None] = mapped_column(default=None)


class PostRead(Base):
    """A post that a user has read."""

    __tablename__ = "post_reads"

    post_id: Mapped[int] = mapped_column(sa.ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    read_at: Mapped[datetime] = mapped_column(default_factory=utc_now)


class Host(Base):
    """State machine of one network host."""

    __tablename__ = "hosts"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(255), unique=True)
    address: Mapped[str] = mapped_column(sa.String(255))
    state: Mapped[str] = mapped_column(sa.String(16), default="unknown")
    state_since: Mapped[datetime] = mapped_column(default_factory=utc_now)
    failures: Mapped[int] = mapped_column(default=0)
    successes: Mapped[int] = mapped_column(default=0)
    rtt_ms: Mapped[float | None] = mapped_column(default=None)
    checked_at: Mapped[datetime | None] = mapped_column(default=None)


class HostCheck(Base):
    """One probe of one host: what was sent, what came back and how long it took."""

    __tablename__ = "host_checks"
    __table_args__ = (sa.Index("ix_host_checks_host_id_checked_at", "host_id", "checked_at"),)

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    host_id: Mapped[int] = mapped_column(sa.ForeignKey("hosts.id", ondelete="CASCADE"))
    checked_at: Mapped[datetime]
    sent: Mapped[int]
    received: Mapped[int]
    rtt_min_ms: Mapped[float | None] = mapped_column(default=None)
    rtt_median_ms: Mapped[float | None] = mapped_column(default=None)
    rtt_max_ms: Mapped[float | None] = mapped_column(default=None)
