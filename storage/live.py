"""What open pages must learn besides new notifications, as a short-lived log that every viewer tails."""

import functools
from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import LiveEvent

ORDER_LOCK = 7_245_002


def lock_order(session: Session) -> None:
    """Make ids become visible in their order until this transaction ends. SQLite does so anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(ORDER_LOCK)))


def publish(session: Session, user_id: int, event: str, payload: Mapping[str, Any]) -> None:
    """Tell the open pages of one user something, when this transaction is committed."""
    lock_order(session)
    session.add(LiveEvent(user_id=user_id, event=event, payload=dict(payload)))
    session.flush()


def after(reading: Session | sa.Connection, last_id: int, limit: int) -> list[LiveEvent]:
    """Return the columns of the events with a higher id, oldest first."""
    return [cast("LiveEvent", row) for row in reading.execute(_after(), {"last_id": last_id, "most": limit})]


@functools.cache
def _after() -> sa.Select[*tuple[object, ...]]:
    table = cast(
        "sa.Table", LiveEvent.__table__
    )  # without the ORM's objects: every viewer asks at every news
    newer = sa.select(table).where(table.c.id > sa.bindparam("last_id"))
    return newer.order_by(table.c.id).limit(sa.bindparam("most"))


def newest_id(session: Session) -> int:
    """Return the highest event id, 0 where there is none."""
    return session.scalar(sa.select(sa.func.max(LiveEvent.id))) or 0
