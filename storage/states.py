"""Snapshots of sources that only have a state, one table each, rows as plain columns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.columns import Base
from storage.snapshots import chunks, insert_for


def load(session: Session, table: str, keys: Iterable[Any] | None = None) -> dict[Any, dict[str, Any]]:
    """Return rows by primary key; all of them where no keys are named, else those that there are."""
    known = Base.metadata.tables[table]
    [key] = known.primary_key.columns
    if keys is None:
        return {row[key.name]: dict(row) for row in session.execute(sa.select(known)).mappings()}
    rows: dict[Any, dict[str, Any]] = {}
    for chunk in chunks(sorted(set(keys))):
        found = session.execute(sa.select(known).where(key.in_(chunk))).mappings()
        rows.update((row[key.name], dict(row)) for row in found)
    return rows


def keys(session: Session, table: str, after: str, limit: int) -> list[str]:
    """Return the next primary keys above one, ascending, of a table whose keys are names."""
    [key] = Base.metadata.tables[table].primary_key.columns
    return list(session.scalars(sa.select(key).where(key > after).order_by(key).limit(limit)))


def save(session: Session, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, all with the same columns. Columns that they lack stay as they are.

    Rows without their key are added: the history of something. Rows without a column that every row must
    have only change what is there. Others are added or changed.
    """
    if not rows:
        return
    known = Base.metadata.tables[table]
    keys = [column.name for column in known.primary_key.columns]
    columns = list(rows[0])
    if not set(keys) <= set(columns):
        session.execute(sa.insert(known), [dict(row) for row in rows])
    elif _required(known) <= set(columns):
        statement = insert_for(session, known)
        replaced = {name: statement.excluded[name] for name in columns if name not in keys}
        upsert = statement.on_conflict_do_update(index_elements=keys, set_=replaced)
        session.execute(upsert, [dict(row) for row in rows])
    else:
        _change(session, known, keys, rows)


def remove(session: Session, table: str, keys: Iterable[Any]) -> None:
    """Forget rows by primary key."""
    known = Base.metadata.tables[table]
    [key] = known.primary_key.columns
    for chunk in chunks(sorted(set(keys))):
        session.execute(sa.delete(known).where(key.in_(chunk)))


def _required(table: sa.Table) -> set[str]:
    return {c.name for c in table.columns if not c.nullable and c.default is None and not c.primary_key}


def _change(session: Session, table: sa.Table, keys: list[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Update rows by key. The parameters of the keys have names of their own, as UPDATE wants it."""
    found = sa.and_(*(table.c[key] == sa.bindparam(f"key_{key}") for key in keys))
    named = [{f"key_{name}" if name in keys else name: value for name, value in row.items()} for row in rows]
    values: dict[str, Any] = {name: sa.bindparam(name) for name in rows[0] if name not in keys}
    # On the connection: the ORM would take a list of parameters for its own kind of bulk update.
    session.connection().execute(sa.update(table).where(found).values(values), named)
