"""The outbox, and the devices it reaches."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base, new_token, utc_now

OPEN = "state IN ('due', 'claimed')"


def _due_at(context: Any) -> Any:
    """When it is due first, where nobody says otherwise: with its first attempt."""
    return context.get_current_parameters().get("next_attempt_at") or utc_now()


class Delivery(Base):
    """One notification through one channel to one device: the outbox.

    `state` is `due` (also while it waits for `next_attempt_at`), `claimed`, `sent`, `failed` (given up),
    `skipped` (not wanted any more) or `expired` (too late to be of use); `error` says why in words.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.UniqueConstraint("notification_id", "channel", "device"),
        sa.Index(
            "ix_deliveries_open",
            "lane",
            "next_attempt_at",
            sqlite_where=sa.text(OPEN),
            postgresql_where=sa.text(OPEN),
        ),
        sa.Index("ix_deliveries_created_at", "created_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    notification_id: Mapped[int] = mapped_column(sa.ForeignKey("notifications.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(sa.String(32))
    # What must not wait for each other: the channel and the service behind it, `webpush:fcm.googleapis.com`.
    lane: Mapped[str] = mapped_column(sa.String(255))
    # The id of a push subscription; "" where the channel knows no devices. It outlives the subscription.
    device: Mapped[str] = mapped_column(sa.String(64), default="")
    device_name: Mapped[str] = mapped_column(sa.String(255), default="")
    # Those of one user and one batch go out together: "digest", or "" for each by itself.
    batch: Mapped[str] = mapped_column(sa.String(16), default="")
    state: Mapped[str] = mapped_column(sa.String(16), default="due")
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default_factory=utc_now, insert_default=utc_now)
    next_attempt_at: Mapped[datetime] = mapped_column(default_factory=utc_now, insert_default=utc_now)
    # When it could be sent first: from then on it grows too old. Working hours move it, failures do not.
    due_at: Mapped[datetime] = mapped_column(init=False, insert_default=_due_at)
    # A claim moves `next_attempt_at` to its end: what a killed daemon left is due again by itself.
    claimed_until: Mapped[datetime | None] = mapped_column(default=None)
    claimed_by: Mapped[str] = mapped_column(sa.String(128), default="")
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    # Set by the device itself, which knows the token from the message: it was shown there.
    receipt: Mapped[str] = mapped_column(
        sa.String(32), unique=True, default_factory=new_token, insert_default=new_token, repr=False
    )
    received_at: Mapped[datetime | None] = mapped_column(default=None)
    error: Mapped[str] = mapped_column(sa.Text, default="")


class PushSubscription(Base):
    """A browser that may be reached by Web Push. Where its service says that it is gone, the row goes."""

    __tablename__ = "push_subscriptions"
    __table_args__ = ({"sqlite_autoincrement": True},)  # deliveries name them: no id may come back

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    endpoint: Mapped[str] = mapped_column(sa.String(2048), unique=True, repr=False)
    p256dh: Mapped[str] = mapped_column(sa.String(255), repr=False)
    auth: Mapped[str] = mapped_column(sa.String(64), repr=False)
    # The key it was made for: the page subscribes anew where ours is another.
    application_server_key: Mapped[str] = mapped_column(sa.String(128), default="")
    user_agent: Mapped[str] = mapped_column(sa.String(512), default="")
    # The log-in it was made in: it ends with that. "" where none is known.
    sign_in: Mapped[str] = mapped_column(sa.String(32), index=True, default="", repr=False)
    # Set where its owner removed it from elsewhere: nothing is sent, and its page does not bring it back.
    removed_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default_factory=utc_now)
    # When its page last said that it is still there.
    seen_at: Mapped[datetime] = mapped_column(default_factory=utc_now)
    last_success_at: Mapped[datetime | None] = mapped_column(default=None)
    last_error_at: Mapped[datetime | None] = mapped_column(default=None)
    last_error: Mapped[str] = mapped_column(sa.Text, default="")


class ChannelState(Base):
    """What the daemon says of a channel to the viewer: its public key, what is wrong with it."""

    __tablename__ = "channel_states"

    name: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    public_key: Mapped[str] = mapped_column(sa.String(128), default="")
    problem: Mapped[str] = mapped_column(sa.Text, default="")
    problem_at: Mapped[datetime | None] = mapped_column(default=None)
    last_success_at: Mapped[datetime | None] = mapped_column(default=None)
