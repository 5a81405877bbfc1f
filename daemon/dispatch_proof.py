"""Asks Redmine, as each reader, whether they may still see what is about to be sent to them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
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
    """`Proof` by Redmine's own answers. One request for each reader; one more for each guarded note."""

    def __init__(self, connection: RedmineConnection) -> None:
        self._connection = connection

    def shown(self, asked: Sequence[Due]) -> frozenset[int]:
        """Return which of these notifications their readers may still see."""
        pairs = {due.told.id: (due.told, due.member) for due in asked if due.told and due.member}
        plain: dict[Member, list[Told]] = defaultdict(list)
        kept: set[int] = set()
        for told, member in pairs.values():
            if told.journal_id is not None and (told.is_private_note or told.guarded):
                issue = rights.read_as(self._connection.client, member, told.item_id)
                if issue is not None and self._still_says(issue, told):
                    kept.add(told.id)
            else:
                plain[member].append(told)
        for member, rows in plain.items():
            visible = rights.visible_to(self._connection.client, member, {told.item_id for told in rows})
            kept.update(told.id for told in rows if told.item_id in visible)
        # A key that lost its right meanwhile was answered as its owner, whoever we meant to act as.
        self._connection.key.confirm()
        return frozenset(kept)

    def close(self) -> None:
        """Let go of connections."""
        self._connection.close()

    def _still_says(self, issue: Issue, told: Told) -> bool:
        """Say whether all that only some may see stands in the journal as its reader is shown it."""
        journal = next((j for j in issue.journals or () if j.id == told.journal_id), None)
        if journal is None or (told.notes and not journal.notes):
            return False
        self._connection.learn([issue], {})
        shown = diff.fields(journal.details, self._connection.names.names)
        return _keys(told.guarded) <= _keys(shown)


def _keys(details: Iterable[FieldChange]) -> set[tuple[str, str, str | None]]:
    return {(detail.field, detail.label, detail.new) for detail in details}
