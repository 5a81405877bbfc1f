"""What Redmine said of somebody's tasks: which kinds of them it shows."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import GroupMember, Issue, TaskRight
from storage.snapshots import insert_for


@dataclass(frozen=True, slots=True)
class Kind:
    """What Redmine goes by when it shows or hides a task to somebody it is assigned to."""

    project_id: int
    tracker_id: int
    assigned_to_id: int
    is_private: bool


@dataclass(frozen=True, slots=True)
class KnownKind:
    """A kind of somebody's tasks, one task of it, and what Redmine last said (None: never asked)."""

    kind: Kind
    count: int
    sample_id: int
    is_shown: bool | None
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose tasks: a user of ours with their Redmine account.

    What Redmine said before `valid_since` does not count; `gone` are single tasks that it hides.
    """

    user_id: int
    account_id: int
    valid_since: datetime
    gone: frozenset[int] = frozenset()

    def values(self) -> dict[str, Any]:
        """Return what ASSIGNED and IS_SAID are run with."""
        return {"user_id": self.user_id, "account_id": self.account_id, "valid_since": self.valid_since}


_KIND = (Issue.project_id, Issue.tracker_id, Issue.assigned_to_id, Issue.is_private)
_RIGHT = (TaskRight.project_id, TaskRight.tracker_id, TaskRight.assigned_to_id, TaskRight.is_private)
_SAME_KIND = tuple(right == of_issue for right, of_issue in zip(_RIGHT, _KIND, strict=True))


def accounts_of(account_id: int | sa.BindParameter[int]) -> sa.Select[tuple[int]]:
    """Return the query of whom a task may be assigned to, to be somebody's: the account and its groups."""
    account = sa.literal(account_id) if isinstance(account_id, int) else account_id
    groups = sa.select(GroupMember.group_id).where(GroupMember.account_id == account)
    members = sa.union_all(groups, sa.select(account)).subquery()
    return sa.select(members.c[0])


# Whose tasks they are, and what Redmine said, lately enough, to show. Built once for all requests: SQLAlchemy
# takes as long to build such a query as the database to answer it. The values come with `Scope.values`.
# No join with the rights: SQLite would begin with them and read whole projects for each.
_USER, _ACCOUNT = sa.bindparam("user_id", type_=sa.Integer), sa.bindparam("account_id", type_=sa.Integer)
ASSIGNED = (Issue.assigned_to_id.in_(accounts_of(_ACCOUNT)), ~Issue.is_hidden)
IS_SAID = sa.exists().where(
    TaskRight.user_id == _USER,
    *_SAME_KIND,
    TaskRight.is_shown,
    TaskRight.checked_at >= sa.bindparam("valid_since"),
)


@functools.cache
def _kinds_query() -> sa.Select[*tuple[Any, ...]]:
    """Group first and join then: there are a few kinds of many tasks."""
    not_theirs = sa.case((Issue.author_id != _ACCOUNT, Issue.id))
    sample = sa.func.coalesce(sa.func.max(not_theirs), sa.func.max(Issue.id))
    grouped = sa.select(*_KIND, sa.func.count(), sample).where(*ASSIGNED).group_by(*_KIND).subquery()
    same = (right == grouped.c[right.name] for right in _RIGHT)
    said = sa.and_(TaskRight.user_id == _USER, *same)
    return sa.select(grouped, TaskRight.is_shown, TaskRight.checked_at).outerjoin(TaskRight, said)


def kinds(session: Session, user_id: int, account_id: int) -> list[KnownKind]:
    """Return the kinds of somebody's tasks with what Redmine last said of each.

    The sample is one that somebody else wrote, where there is one: authors may see more than assignees.
    """
    found = session.execute(_kinds_query(), {"user_id": user_id, "account_id": account_id})
    return [KnownKind(Kind(*row[:4]), *row[4:]) for row in found]


def others_of(session: Session, known: Iterable[KnownKind], limit: int) -> dict[Kind, list[int]]:
    """Return of each kind some tasks besides its sample, the newest first; kinds without any are absent."""
    found: dict[Kind, list[int]] = {}
    for each in known:
        where = zip(
            _KIND, (each.kind.project_id, each.kind.tracker_id, each.kind.assigned_to_id), strict=False
        )
        query = sa.select(Issue.id).where(
            *(column == value for column, value in where),
            Issue.is_private == each.kind.is_private,
            Issue.id != each.sample_id,
            ~Issue.is_hidden,
        )
        if ids := list(session.scalars(query.order_by(Issue.id.desc()).limit(limit))):
            found[each.kind] = ids
    return found


def save_rights(session: Session, user_id: int, said: Mapping[Kind, tuple[bool, datetime]]) -> None:
    """Store what Redmine said of these kinds, and when; in one order, so that two requests never deadlock."""
    if not said:
        return
    rows = [
        {
            "user_id": user_id,
            "project_id": kind.project_id,
            "tracker_id": kind.tracker_id,
            "assigned_to_id": kind.assigned_to_id,
            "is_private": kind.is_private,
            "is_shown": is_shown,
            "checked_at": at,
        }
        for kind, (is_shown, at) in sorted(said.items(), key=lambda item: astuple(item[0]))
    ]
    statement = insert_for(session, TaskRight)
    key = [column.name for column in TaskRight.__table__.primary_key]
    new = {name: statement.excluded[name] for name in ("is_shown", "checked_at")}
    session.execute(statement.on_conflict_do_update(index_elements=key, set_=new), rows)
