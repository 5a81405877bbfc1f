"""Pure: a change and the directory, to who is told and why. Nobody is told of what they did themselves.

These are candidates only: each is then checked against what the source shows that very person.
"""

from collections.abc import Iterable

from daemon.values import Addressed, Change, Concerned, Directory, Member


def address(changes: Iterable[Change], directory: Directory) -> tuple[Addressed, ...]:
    """Return each change once for each member it concerns, in the order of the changes."""
    return tuple(
        Addressed(change, member, reasons)
        for change in changes
        for member in directory.members
        if member.source_id != change.actor.id and (reasons := why(change.concerned, member, directory))
    )


def why(concerned: Concerned, member: Member, directory: Directory) -> tuple[str, ...]:
    """Return the reasons why a change concerns a member, the heaviest first; none means it does not."""
    mine = {member.source_id} | {g for g, people in directory.groups.items() if member.source_id in people}
    checks = (
        ("mentioned", member.login.lower() in concerned.mentioned),
        ("assignee", concerned.assignee == member.source_id),
        ("group_assignee", concerned.assignee in mine - {member.source_id}),
        ("previous_assignee", concerned.previous_assignee in mine),
        ("author", concerned.author == member.source_id),
        ("watcher", bool(concerned.watchers & mine)),
    )
    return tuple(reason for reason, holds in checks if holds)


def principals(changes: Iterable[Change]) -> frozenset[int]:
    """Return the ids that may be groups: assignees and watchers."""
    return frozenset(
        principal
        for change in changes
        for principal in (
            change.concerned.assignee,
            change.concerned.previous_assignee,
            *change.concerned.watchers,
        )
        if principal is not None
    )


def type_for(addressed: Addressed) -> str:
    """Return the type that a recipient sees: being mentioned outweighs what else was changed."""
    change = addressed.change
    if "mentioned" in addressed.reasons and change.type not in {"new_issue", "issue_deleted"}:
        return "mention"
    return change.type
