"""Memberships and groups: as in Redmine a group's users inherit its roles as memberships of their own."""

from daemon.demo.model import Group, Member
from daemon.demo.store import Store


def add_member(store: Store, project_id: int, principal_id: int, role_ids: list[int]) -> Member:
    """Make the membership, and for a group those of its users."""
    member = _grant(store, project_id, principal_id, [(r, None) for r in role_ids])
    group = store.groups.get(principal_id)
    for user_id in group.user_ids if group else ():
        _grant(store, project_id, user_id, [(r, principal_id) for r in role_ids])
    return member


def set_roles(store: Store, member: Member, role_ids: list[int]) -> None:
    """Replace the roles given to the member itself; inherited ones stay."""
    given: list[tuple[int, int | None]] = [(r, None) for r in role_ids]
    member.roles = given + [(r, source) for r, source in member.roles if source is not None]
    group = store.groups.get(member.principal_id)
    for user_id in group.user_ids if group else ():
        _revoke_inherited(store, user_id, member.principal_id, member.project_id)
        _grant(store, member.project_id, user_id, [(r, member.principal_id) for r in role_ids])


def remove_member(store: Store, member: Member) -> None:
    """End the membership, and with a group's the inherited ones."""
    group = store.groups.get(member.principal_id)
    for user_id in group.user_ids if group else ():
        _revoke_inherited(store, user_id, member.principal_id, member.project_id)
    store.members.pop(member.id, None)


def add_to_group(store: Store, group: Group, user_id: int) -> None:
    """Let the user join the group and inherit its roles."""
    if user_id in group.user_ids:
        return
    group.user_ids.append(user_id)
    for member in [m for m in store.members.values() if m.principal_id == group.id]:
        _grant(store, member.project_id, user_id, [(r, group.id) for r, _ in member.roles])


def remove_from_group(store: Store, group: Group, user_id: int) -> None:
    """Let the user leave the group and lose what came from it."""
    if user_id in group.user_ids:
        group.user_ids.remove(user_id)
        for project_id in {m.project_id for m in store.members.values() if m.principal_id == group.id}:
            _revoke_inherited(store, user_id, group.id, project_id)


def _find(store: Store, project_id: int, principal_id: int) -> Member | None:
    mine = (m for m in store.members.values() if m.principal_id == principal_id)
    return next((m for m in mine if m.project_id == project_id), None)


def _grant(store: Store, project_id: int, principal_id: int, roles: list[tuple[int, int | None]]) -> Member:
    member = _find(store, project_id, principal_id)
    if member is None:
        member = Member(store.ids.next("members"), project_id, principal_id, [])
        store.members[member.id] = member
    member.roles.extend(r for r in roles if r not in member.roles)
    return member


def _revoke_inherited(store: Store, user_id: int, group_id: int, project_id: int) -> None:
    member = _find(store, project_id, user_id)
    if member is not None:
        member.roles = [(r, source) for r, source in member.roles if source != group_id]
        if not member.roles:
            del store.members[member.id]
