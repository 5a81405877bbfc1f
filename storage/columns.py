"""Column types and the naming convention that every table shares."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime in and out; a naive one is refused rather than guessed at."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[datetime | None], Any]:
        """Turn any aware datetime into UTC. SQLite keeps text, and no zone in it."""
        return _as_text if dialect.name == "sqlite" else _as_utc

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], datetime | None]:  # noqa: ARG002
        """Give the value back with its zone."""
        return _of_text if dialect.name == "sqlite" else _with_zone


def _as_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"naive datetime {value!r}: every time in the database is aware UTC")
    return value.astimezone(UTC)


def _as_text(value: datetime | None) -> str | None:
    """Write what SQLAlchemy's own type for SQLite writes, in a third of its time."""
    utc = _as_utc(value)
    return None if utc is None else utc.isoformat(" ", "microseconds")[:26]


def _of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _with_zone(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """Declarative base: mapped dataclasses with keyword arguments."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UtcDateTime(),
        dict[str, Any]: sa.JSON(),
        list[Any]: sa.JSON(),
        list[str]: sa.JSON(),
        list[int]: sa.JSON(),
    }


def utc_now() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)


def new_token() -> str:
    """Return a name that nobody can guess, 22 characters that need no quoting in an address."""
    return secrets.token_urlsafe(16)
