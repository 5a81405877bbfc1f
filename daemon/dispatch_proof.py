"""Asks Redmine, as each reader, whether they may still see what is about to be sent to them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from daemon import diff
from daemon.clients.values import Issue
from daemon.dispatch_values import Due
from daemon.redmine import rights
from daemon.redmine.connection import RedmineConnection
from daemon.values import FieldChange, Member, Told


class Proof(Protocol):
    """Confirms what is about to be sent."""

    def shown(self, asked: Sequence[Due]) -> frozenset[int]:
        """Return which of these notifications their readers may still see. Raises SourceError."""

    def close(self) -> None:
        """Let go of connections."""


class RedmineProof:
    """`Proof` by Redmine's own answers: a list for each reader, and the issue itself where there is a note.

    It may have become private since; and who sees a custom field depends on a role.
    """

    def __init__(self, connection: RedmineConnection) -> None:
        self._connection = connection

    def shown(self, asked: Sequence[Due]) -> frozenset[int]:
        """Return which of these notifications their readers may still see."""
        plain: dict[Member, list[Told]] = defaultdict(list)
        read: dict[tuple[Member, int], list[Told]] = defaultdict(list)
        for told, member in {due.told.id: (due.told, due.member) for due in asked if due.told}.values():
            if member is None:
                continue
            if told.journal_id is not None and (told.notes or told.is_private_note or told.guarded):
                read[member, told.item_id].append(told)
            else:
                plain[member].append(told)
        kept = {
            told.id for (member, number), rows in read.items() for told in self._said(member, number, rows)
        }
        for member, rows in plain.items():
            visible = rights.visible_to(self._connection.client, member, {told.item_id for told in rows})
            kept.update(told.id for told in rows if told.item_id in visible)
        # A key that lost its right meanwhile was answered as its owner, whoever we meant to act as.
        self._connection.key.confirm()
        return frozenset(kept)

    def _said(self, member: Member, issue_id: int, rows: Sequence[Told]) -> Iterator[Told]:
        """Yield those of which the issue, as its reader is shown it, still says all."""
        issue = rights.read_as(self._connection.client, member, issue_id)
        if issue is not None:
            self._connection.learn([issue], {})
            yield from (told for told in rows if self._still_says(issue, told))

    def close(self) -> None:
        """Let go of connections."""
        self._connection.close()

    def _still_says(self, issue: Issue, told: Told) -> bool:
        journal = next((j for j in issue.journals or () if j.id == told.journal_id), None)
        if journal is None or (told.notes and not journal.notes):
            return False
        shown = diff.fields(journal.details, self._connection.names.names)
        return _keys(told.guarded) <= _keys(shown)


def _keys(details: Iterable[FieldChange]) -> set[tuple[str, str, str | None]]:
    return {(detail.field, detail.label, detail.new) for detail in details}
