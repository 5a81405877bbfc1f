"""What is searched of notifications: their words, small and side by side, so that 50,000 are looked through
in a moment.

Words are kept in lower case and one byte a letter: Latin and Cyrillic as they are, any other letter as a
question mark, and what such a mark finds is compared again in full. The daemon adds what is new within
seconds, so that recording need not; until then a notification is searched where it stands.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import FunctionElement

from storage import live
from storage.models import Notification, NotificationWords

Condition = sa.ColumnElement[bool]
SEARCHED = ("subject", "message", "notes", "actor_name")
UNKNOWN = b"?"


class holds(FunctionElement[bool]):  # noqa: N801 - a function of SQL
    """Whether bytes hold other bytes: `holds(within, looked_for)`."""

    type = sa.Boolean()
    name = "holds"
    inherit_cache = True


@compiles(holds, "sqlite")
def _holds_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)}) > 0"


@compiles(holds, "postgresql")
def _holds_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    within, looked_for = (compiler.process(clause, **options) for clause in element.clauses)
    return f"position({looked_for} IN {within}) > 0"


def short(text: str) -> bytes:
    """Return a text as it is searched."""
    return text.lower().encode("cp1251", "replace")


def mentions(user_id: int, text: str, row: Any = Notification, *, is_one_of_few: bool = False) -> Condition:
    """Say whether a text is in what a notification of this user shows.

    `is_one_of_few` where other conditions leave few rows: each is looked up, else all of the user's are read.
    """
    looked_for, words = short(text), NotificationWords
    in_full = sa.func.lower(_words_of(row)).contains(text.lower(), autoescape=True)
    found = sa.select(words.notification_id).where(
        words.user_id == user_id, holds(words.words, sa.literal(looked_for))
    )
    if is_one_of_few:
        is_found: Condition = found.where(words.notification_id == row.id).exists()
    else:
        is_found = row.id.in_(found)
    if UNKNOWN in looked_for:
        is_found = sa.and_(is_found, in_full)
    newest = sa.select(sa.func.max(words.notification_id)).where(words.user_id == user_id)
    is_later = row.id > sa.func.coalesce(newest.scalar_subquery(), 0)
    return sa.or_(is_found, sa.and_(is_later, in_full))


def add_new(session: Session, limit: int) -> int:
    """Take the words of the next notifications that are not taken yet; return of how many."""
    live.lock_order(session)
    newest = session.scalar(sa.select(sa.func.max(NotificationWords.notification_id))) or 0
    rows = session.execute(_texts().where(Notification.id > newest).order_by(Notification.id).limit(limit))
    values = [_values(row) for row in rows]
    if values:
        session.execute(sa.insert(NotificationWords), values)
    return len(values)


def has_new(session: Session) -> bool:
    """Say whether there are notifications whose words are not taken yet."""
    taken = session.scalar(sa.select(sa.func.max(NotificationWords.notification_id))) or 0
    return (session.scalar(sa.select(sa.func.max(Notification.id))) or 0) > taken


def refresh(session: Session, notification_id: int, changed: Iterable[str]) -> None:
    """Take the words of a notification anew, where they were taken and one of these columns holds them."""
    if not set(changed) & set(SEARCHED):
        return
    row = session.execute(_texts().where(Notification.id == notification_id)).one_or_none()
    if row is not None:
        query = sa.update(NotificationWords).where(NotificationWords.notification_id == notification_id)
        session.execute(query.values(words=_values(row)["words"]))


def _texts() -> sa.Select[Any]:
    columns = (getattr(Notification, name) for name in SEARCHED)
    return sa.select(Notification.id, Notification.user_id, *columns)


def _values(row: Any) -> dict[str, Any]:
    notification_id, user_id, *texts = row
    return {"notification_id": notification_id, "user_id": user_id, "words": short("\n".join(texts))}


def _words_of(row: Any) -> Any:
    return row.subject + "\n" + row.message + "\n" + row.notes + "\n" + row.actor_name
