"""Reads what Redmine's ids stand for, as the viewer's lists need it."""

from collections.abc import Iterable
from typing import Protocol

from daemon.clients.errors import NotFound
from daemon.clients.values import Group, Priority, Ref, Status, User
from daemon.values import Reference


class Lists(Protocol):
    """The part of the client that gives reference data."""

    def statuses(self) -> tuple[Status, ...]: ...
    def priorities(self) -> tuple[Priority, ...]: ...
    def groups(self) -> tuple[Ref, ...]: ...
    def group(self, group_id: int) -> Group: ...


def read_reference(client: Lists) -> Reference:
    """Return statuses, priorities and groups as they are now: three requests and one for each group."""
    found = (_group(client, listed.id) for listed in client.groups())
    groups = {group.id: group for group in found if group is not None}
    return Reference(
        statuses=tuple({"id": s.id, "name": s.name, "is_closed": s.is_closed} for s in client.statuses()),
        priorities=tuple(
            {"id": p.id, "name": p.name, "is_default": p.is_default, "is_active": p.active}
            for p in client.priorities()
        ),
        groups={number: group.name for number, group in groups.items()},
        members={number: group.user_ids for number, group in groups.items()},
    )


def phones(users: Iterable[User], field: str) -> dict[int, tuple[str, str]]:
    """Return who has a telephone in this custom field: {account: (name, as written)}.

    Names of fields have no case here. No field, no telephones.
    """
    wanted = field.strip().casefold()
    return {
        user.id: (f"{user.firstname} {user.lastname}".strip(), text)
        for user in users
        for value in user.custom_fields
        if wanted and value.name.strip().casefold() == wanted
        if (text := value.value if isinstance(value.value, str) else ", ".join(value.value))
    }


def _group(client: Lists, group_id: int) -> Group | None:
    """Return a group with its members; None where it was deleted since it was listed."""
    try:
        return client.group(group_id)
    except NotFound:
        return None
