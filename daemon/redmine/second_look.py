"""Looks again at what people were told: may they still see it, does it still say so?"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from daemon import diff
from daemon.clients.values import Issue, Journal
from daemon.redmine import rights
from daemon.redmine.connection import RedmineConnection
from daemon.redmine.reading import in_parallel
from daemon.values import GUARDED_FIELDS, Addressed, Change, Correction, Member, Told

DELETED = "redmine:deleted:"


@dataclass(frozen=True, slots=True)
class SecondLook:
    """The notifications still shown, and their readers by our user id."""

    connection: RedmineConnection
    members: dict[int, Member]
    told: Sequence[Told]

    def lost_rights(self) -> Correction:
        """Find notifications about issues that their readers may not see any more.

        One request for each reader and hundred issues, as long as they may see them all. That an
        issue was deleted stays told; what was told of it before does not.
        """
        issues: dict[int, set[int]] = defaultdict(set)
        for row in self.told:
            if row.user_id in self.members:
                issues[row.user_id].add(row.item_id)
        readers = sorted(issues)
        answers = in_parallel(self.connection.reader.pool, lambda r: self._visible(r, issues[r]), readers)
        visible = dict(zip(readers, answers, strict=True))
        lost = [
            row
            for row in self.told
            if row.user_id in visible
            and row.item_id not in visible[row.user_id]
            and not row.change_key.startswith(DELETED)
        ]
        return Correction(gone=frozenset(row.id for row in lost))

    def edited(self, issue: Issue) -> Correction:
        """Compare the notes and guarded fields told of one issue with what its journals show now."""
        journals = {journal.id: journal for journal in issue.journals or ()}
        gone: set[int] = set()
        amended: dict[int, Addressed] = {}
        for row in self.told:
            if row.item_id == issue.id and row.journal_id is not None and row.user_id in self.members:
                journal = journals.get(row.journal_id)
                if journal is None:
                    gone.add(row.id)
                elif _is_filtered(journal, row) or journal.notes != row.notes:
                    again = self._as_shown(issue, journal, row)
                    if again is None:
                        gone.add(row.id)
                    elif _differs(again.change, row):
                        amended[row.id] = again
        touched = frozenset({issue.id} if gone or amended else ())
        return Correction(gone=frozenset(gone), amended=amended, ask_again=touched)

    def _visible(self, user_id: int, issues: Iterable[int]) -> frozenset[int]:
        return rights.visible_to(self.connection.client, self.members[user_id].login, issues)

    def _as_shown(self, issue: Issue, journal: Journal, row: Told) -> Addressed | None:
        """The journal as its reader sees it now, None where nothing is left of it for them."""
        self.connection.learn([issue], {})
        names = self.connection.names.names
        change = diff.journal_change(issue, journal, diff.assignees(issue), names)
        member = self.members[row.user_id]
        addressed = Addressed(change, member, row.reasons)
        if change.asks_reader:
            kept = self.connection.shown([addressed])
            return kept[0] if kept else None
        return addressed if change.details or change.notes else None


def _is_filtered(journal: Journal, row: Told) -> bool:
    """Whether not all who see the issue are shown all that was told."""
    return journal.private_notes or row.is_private_note or bool(row.guarded)


def _differs(change: Change, row: Told) -> bool:
    """Whether the reader is shown something else than was told: a text, a role or another issue changed."""
    guarded = tuple(detail for detail in change.details if detail.field in GUARDED_FIELDS)
    told = (row.notes, row.is_private_note, row.guarded)
    return (change.notes, change.is_private_note, guarded) != told
