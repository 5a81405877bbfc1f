"""People and where they are signed in."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base, new_token, utc_now


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
    # Name of the account in the ERP, lower case, once somebody signed in by it.
    erp_name: Mapped[str | None] = mapped_column(sa.String(128), unique=True, default=None)
    # Names of the columns above that the ERP fills: nobody changes them here.
    from_erp: Mapped[list[str]] = mapped_column(default_factory=list, insert_default=list)
    can_access_quality_control: Mapped[bool] = mapped_column(default=False)
    browser_notifications_enabled: Mapped[bool] = mapped_column(default=True)
    notifications_widget_enabled: Mapped[bool] = mapped_column(default=True)
    # `storage.preferences.Preferences` as JSON: only what differs from the defaults.
    preferences: Mapped[dict[str, Any]] = mapped_column(default_factory=dict, insert_default=dict)
    # Names this user in the links of mails that stop them: worth nothing else.
    mail_token: Mapped[str] = mapped_column(
        sa.String(32), unique=True, default_factory=new_token, insert_default=new_token, repr=False
    )
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


class IssueMute(Base):
    """An issue that a user wants to hear nothing of, except where they are mentioned or assigned."""

    __tablename__ = "issue_mutes"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    issue_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[datetime] = mapped_column(default_factory=utc_now)
