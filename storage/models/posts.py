"""Announcements of the company."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base, utc_now


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
