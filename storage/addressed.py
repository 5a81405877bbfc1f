"""Notifications together with how their readers read: what the tail of a viewer sends on.

Read over a bare connection and without the ORM's objects, which take longer than database and rows together:
every page that is told of something waits for this.
"""

import functools
from collections.abc import Iterable
from typing import NamedTuple, cast

import sqlalchemy as sa

from storage.models import Notification, User
from storage.snapshots import chunks


class Addressed(NamedTuple):
    """A notification, whose columns alone can be read here, and its reader's language and time zone."""

    row: Notification
    language: str
    time_zone: str


def after(connection: sa.Connection, last_id: int, limit: int) -> list[Addressed]:
    """Return the notifications of everybody with a higher id, oldest first, withdrawn ones too."""
    return _of(connection.execute(_after(), {"last_id": last_id, "most": limit}))


def with_ids(connection: sa.Connection, ids: Iterable[int]) -> list[Addressed]:
    """Return those of these notifications that are shown to somebody, by id."""
    found: list[Addressed] = []
    for chunk in chunks(sorted(set(ids))):
        found.extend(_of(connection.execute(_with_ids(), {"ids": chunk})))
    return found


def _of(found: sa.CursorResult[*tuple[object, ...]]) -> list[Addressed]:
    # A row of these columns has what we read of a Notification: its attributes.
    return [Addressed(cast("Notification", row), row.language, row.time_zone) for row in found]


@functools.cache
def _after() -> sa.Select[*tuple[object, ...]]:
    newer = _columns().where(_table().c.id > sa.bindparam("last_id"))
    return newer.limit(sa.bindparam("most"))


@functools.cache
def _with_ids() -> sa.Select[*tuple[object, ...]]:
    table = _table()
    return _columns().where(
        table.c.id.in_(sa.bindparam("ids", expanding=True)), table.c.withdrawn_at.is_(None)
    )


def _columns() -> sa.Select[*tuple[object, ...]]:
    table, users = _table(), cast("sa.Table", User.__table__)
    query = sa.select(table, users.c.language, users.c.time_zone)
    return query.join(users, users.c.id == table.c.user_id).order_by(table.c.id)


def _table() -> sa.Table:
    return cast("sa.Table", Notification.__table__)
