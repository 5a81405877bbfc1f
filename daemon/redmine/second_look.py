"""Looks again at what people were told: may they still see it, does it still say so?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
    """Compares with Redmine what is still shown; `members` are the readers by our user id."""

    connection: RedmineConnection
    members: Mapping[int, Member]

    def lost_rights(self, told: Sequence[Told]) -> Correction:
        """Find, of these, notifications about issues that their readers may not see any more.

        One request for each reader and hundred issues, as long as they may see them all. That an
        issue was deleted stays told; what was told of it before does not.
        """
        issues: dict[int, set[int]] = defaultdict(set)
        for row in told:
            if row.user_id in self.members:
                issues[row.user_id].add(row.item_id)
        readers = sorted(issues)
        answers = in_parallel(self.connection.reader.pool, lambda r: self._visible(r, issues[r]), readers)
        visible = dict(zip(readers, answers, strict=True))
        lost = [
            row
            for row in told
            if row.user_id in visible
            and row.item_id not in visible[row.user_id]
            and not row.change_key.startswith(DELETED)
        ]
        return Correction(gone=frozenset(row.id for row in lost))

    def edited(self, issues: Iterable[Issue], told: Sequence[Told]) -> Correction:
        """Compare the notes and guarded fields told of these issues with what readers are shown now.

        One read for each reader and issue of which something guarded was told, several at a time.
        """
        rows: dict[int, Told] = {}
        now: dict[int, Addressed] = {}
        by_issue = self._by_issue(told)
        for issue in issues:
            journals = {journal.id: journal for journal in issue.journals or ()}
            for row in by_issue.get(issue.id, ()):
                journal = journals.get(row.journal_id or 0)
                if journal is None:
                    rows[row.id] = row
                elif _is_filtered(journal, row) or journal.notes != row.notes:
                    rows[row.id] = row
                    now[row.id] = self._addressed(issue, journal, row)
        shown = self._shown(now)
        amended = {number: a for number, a in shown.items() if _differs(a.change, rows[number])}
        gone = frozenset(rows.keys() - shown.keys())
        touched = frozenset(rows[number].item_id for number in gone | amended.keys())
        return Correction(gone=gone, amended=amended, ask_again=touched)

    def _visible(self, user_id: int, issues: Iterable[int]) -> frozenset[int]:
        return rights.visible_to(self.connection.client, self.members[user_id], issues)

    def _by_issue(self, told: Sequence[Told]) -> Mapping[int, list[Told]]:
        """What was told of journals, to readers who are still users."""
        found: dict[int, list[Told]] = defaultdict(list)
        for row in told:
            if row.journal_id is not None and row.user_id in self.members:
                found[row.item_id].append(row)
        return found

    def _addressed(self, issue: Issue, journal: Journal, row: Told) -> Addressed:
        """The journal as it is now, to the same reader for the same reasons."""
        self.connection.learn([issue], {})
        change = diff.journal_change(issue, journal, diff.assignees(issue), self.connection.names.names)
        return Addressed(change, self.members[row.user_id], row.reasons)

    def _shown(self, now: Mapping[int, Addressed]) -> dict[int, Addressed]:
        """Keep, by notification, what its reader is shown."""
        asked = self.connection.shown([a for a in now.values() if a.change.asks_reader])
        answers = {(a.member.user_id, a.change.key): a for a in asked}
        kept = {
            number: answers.get((a.member.user_id, a.change.key)) if a.change.asks_reader else a
            for number, a in now.items()
        }
        return {
            number: a for number, a in kept.items() if a is not None and (a.change.details or a.change.notes)
        }


def _is_filtered(journal: Journal, row: Told) -> bool:
    """Whether not all who see the issue are shown all that was told."""
    return journal.private_notes or row.is_private_note or bool(row.guarded)


def _differs(change: Change, row: Told) -> bool:
    """Whether the reader is shown something else than was told: a text, a role or another issue changed."""
    guarded = tuple(detail for detail in change.details if detail.field in GUARDED_FIELDS)
    told = (row.notes, row.is_private_note, row.guarded)
    return (change.notes, change.is_private_note, guarded) != told
