"""Announcements, and who has read which.

What was posted before somebody had an account, and what they wrote themselves, is no news to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import LiveEvent, Post, PostRead, User
from storage.snapshots import insert_for


@dataclass(frozen=True, slots=True)
class Shown:
    """A post as one reader finds it; `author` is None where the account is gone."""

    post: Post
    author: User | None
    is_read: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Part of the posts, newest first."""

    rows: Sequence[Shown]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.per_page))


def page(session: Session, reader_id: int, page: int, per_page: int) -> Page:
    """Return one page as this user finds it. Two statements."""
    total = session.scalar(sa.select(sa.func.count()).select_from(Post)) or 0
    query = _shown(reader_id).order_by(Post.date_posted.desc(), Post.id.desc())
    rows = session.execute(query.limit(per_page).offset((page - 1) * per_page))
    return Page([Shown(*row) for row in rows.all()], page, per_page, total)


def find(session: Session, reader_id: int, post_id: int) -> Shown | None:
    """Return one post as this user finds it."""
    row = session.execute(_shown(reader_id).where(Post.id == post_id)).one_or_none()
    return None if row is None else Shown(*row)


def add(session: Session, author_id: int, title: str, content: str) -> Post:
    """Store a new post and give it an id."""
    post = Post(title=title, content=content, author_id=author_id)
    session.add(post)
    session.flush()
    return post


def remove(session: Session, post_id: int) -> bool:
    """Delete a post; False where there is none."""
    gone = session.scalars(sa.delete(Post).where(Post.id == post_id).returning(Post.id))
    return gone.one_or_none() is not None


def mark_read(session: Session, reader_id: int, now: datetime, post_id: int | None = None) -> None:
    """Note that somebody has read one post, or all there are."""
    chosen = sa.select(Post.id, sa.literal(reader_id), sa.literal(now, PostRead.read_at.type))
    chosen = chosen.where(~_is_read(reader_id) if post_id is None else Post.id == post_id)
    # "where true": SQLite would take ON CONFLICT for the condition of a join.
    statement = insert_for(session, PostRead).from_select(
        ["post_id", "user_id", "read_at"], chosen.where(sa.true())
    )
    session.execute(statement.on_conflict_do_nothing())


def unread_count(session: Session, reader_id: int) -> int:
    """Count what this user has not read yet. One statement."""
    query = sa.select(sa.func.count()).select_from(Post).where(~_is_read(reader_id))
    return session.scalar(query) or 0


def announce(session: Session, event: str, payload: dict[str, Any], now: datetime) -> None:
    """Tell the open pages of every active user, when this transaction is committed. One statement.

    The caller has made ids visible in order (`live.lock_order`).
    """
    values = sa.select(
        User.id,
        sa.literal(event),
        sa.literal(payload, LiveEvent.payload.type),
        sa.literal(now, LiveEvent.created_at.type),
    ).where(User.is_active)
    columns = ["user_id", "event", "payload", "created_at"]
    session.execute(sa.insert(LiveEvent).from_select(columns, values.order_by(User.id)))


def _shown(reader_id: int) -> sa.Select[Post, User, bool]:
    query = sa.select(Post, User, _is_read(reader_id).label("is_read"))
    return query.outerjoin(User, User.id == Post.author_id)


def _is_read(reader_id: int) -> sa.ColumnElement[bool]:
    joined_at = sa.select(User.created_at).where(User.id == reader_id).scalar_subquery()
    marked = sa.exists().where(PostRead.post_id == Post.id, PostRead.user_id == reader_id)
    own = sa.func.coalesce(Post.author_id, 0) == reader_id
    return sa.or_(marked, own, Post.date_posted < joined_at)
