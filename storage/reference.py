"""What Redmine's ids stand for: statuses, priorities, and groups with their members."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import Group, GroupMember, Priority, Status


def save_statuses(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store all statuses there are, in Redmine's order."""
    _replace(session, Status, _in_order(rows))


def save_priorities(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store all priorities there are, the least urgent first."""
    _replace(session, Priority, _in_order(rows))


def save_groups(session: Session, groups: Mapping[int, str], members: Mapping[int, Iterable[int]]) -> None:
    """Store all groups there are by id and name, and which accounts belong to them."""
    session.execute(sa.delete(GroupMember))
    _replace(session, Group, [{"id": number, "name": name} for number, name in sorted(groups.items())])
    pairs = [
        {"group_id": group, "account_id": account} for group in groups for account in members.get(group, ())
    ]
    if pairs:
        session.execute(sa.insert(GroupMember), pairs)


def statuses(session: Session) -> list[Status]:
    """Return the statuses in Redmine's order; none before the first run of the daemon."""
    return list(session.scalars(sa.select(Status).order_by(Status.position)))


def priorities(session: Session) -> list[Priority]:
    """Return the priorities, the least urgent first; none before the first run of the daemon."""
    return list(session.scalars(sa.select(Priority).order_by(Priority.position)))


def urgent_ids(session: Session, names: Iterable[str] = ()) -> frozenset[int]:
    """Return the priorities of these names, in any case; without names the two most urgent active ones."""
    wanted = {name.casefold() for name in names}
    found = priorities(session)
    if wanted:
        return frozenset(row.id for row in found if row.name.casefold() in wanted)
    return frozenset(row.id for row in [row for row in found if row.is_active][-2:])


def groups(session: Session) -> list[Group]:
    """Return the groups by name; none before the first run of the daemon."""
    return list(session.scalars(sa.select(Group).order_by(Group.name, Group.id)))


def groups_of(session: Session, account_id: int) -> list[int]:
    """Return the ids of the groups that an account belongs to."""
    query = sa.select(GroupMember.group_id).where(GroupMember.account_id == account_id)
    return list(session.scalars(query.order_by(GroupMember.group_id)))


def memberships(session: Session) -> dict[int, frozenset[int]]:
    """Return the groups that each account belongs to; accounts without any are absent."""
    found: dict[int, set[int]] = {}
    for account, group in session.execute(sa.select(GroupMember.account_id, GroupMember.group_id)):
        found.setdefault(account, set()).add(group)
    return {account: frozenset(ids) for account, ids in found.items()}


def _in_order(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "position": position} for position, row in enumerate(rows)]


def _replace(session: Session, model: type[Any], rows: Sequence[Mapping[str, Any]]) -> None:
    session.execute(sa.delete(model))
    if rows:
        session.execute(sa.insert(model), [dict(row) for row in rows])
