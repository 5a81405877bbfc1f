"""What one Redmine source holds while it lives: client, threads, names, the key's standing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from daemon import diff
from daemon.clients.redmine import RedmineClient
from daemon.clients.settings import RedmineSettings
from daemon.clients.values import Issue
from daemon.redmine import rights
from daemon.redmine.foresight import Glimpses
from daemon.redmine.key import AdminKey
from daemon.redmine.names import NameBook
from daemon.redmine.reading import Reader
from daemon.redmine.rows import already_reflected, full_row, listed_row
from daemon.values import Addressed, Change, Known, Observation


class RedmineConnection:
    """The half of a Redmine source that does not depend on how it finds what changed."""

    def __init__(self, settings: RedmineSettings, overlap_s: float) -> None:
        self.client = RedmineClient(settings)
        self.overlap = timedelta(seconds=overlap_s)
        # The newest `updated_on` at the first run, as the poll's cursor has it.
        self.baseline_on: datetime | None = None
        # Within the overlap: what a dead key made us overlook is listed again once a living one is back.
        self.key = AdminKey(self.client, recheck_s=overlap_s / 2)
        self.names = NameBook(self.client)
        self.glimpses = Glimpses()
        self.reader = Reader(self.client, settings.connections)

    @property
    def requests_made(self) -> int:
        """How many requests were sent so far, retries counted."""
        return self.client.requests_made

    def close(self) -> None:
        """Let go of connections and threads."""
        self.reader.close()
        self.client.close()

    def learn(self, issues: Sequence[Issue], journals: Mapping[int, frozenset[int]]) -> None:
        """Get ready to name what the journals not handled yet speak of."""
        self.names.learn(issues)
        for issue in issues:
            for journal in diff.unseen(issue, journals.get(issue.id, frozenset())):
                self.names.complete(issue, journal.details)

    def groups(self, principals: frozenset[int]) -> Mapping[int, frozenset[int]]:
        """Return the members of those ids that are groups, as they are now."""
        return self.names.members(principals)

    def shown(self, addressed: Sequence[Addressed]) -> tuple[Addressed, ...]:
        """Keep what Redmine shows each reader.

        The key is checked afterwards: one that died meanwhile is answered as nobody, one that has lost
        its admin right as its owner, whoever we mean to act as. Where that was done after all early reads,
        and they answered everything, it need not be done again.
        """
        if not addressed:
            return ()
        asked, early = self.client.requests_made, self.glimpses
        kept = rights.shown(self.client, self.reader.pool, addressed, self.names.names, early.seen)
        if self.client.requests_made != asked or not early.is_key_confirmed:
            self.key.confirm()
        return kept

    def snapshot(self, seen: Observation) -> Sequence[Mapping[str, Any]]:
        """Return the rows of the issues read whole."""
        return [full_row(issue, seen.read_at) for issue in seen.items]

    def listed(self, seen: Observation) -> Sequence[Mapping[str, Any]]:
        """Return the rows of the issues that were only listed."""
        return [listed_row(issue, seen.read_at) for issue in seen.listed]

    def counted(self, changes: Sequence[Change]) -> int:
        """Count those that were journals."""
        return sum(change.journal_id is not None for change in changes)

    def issue_changes(
        self, issue: Issue, known: Known, since: datetime | None, *, is_new: bool
    ) -> tuple[Change, ...]:
        """Return what changed in an issue that was read whole.

        An issue of the baseline has no stored journals: those written until its row was listed are
        old, and so are those that only say what the row says already (they bump no `updated_on`), or
        are older than the first run itself.
        """
        row = known.rows.get(issue.id)
        stored = known.journals.get(issue.id, frozenset())
        names = self.names.names
        if row is None or row["has_journals"]:
            floor = since if row is None and not is_new else None
            return diff.issue_changes(issue, stored, names, is_new=is_new, since=floor)
        past = row["updated_on"]
        if self.baseline_on is not None:
            past = max(past, self.baseline_on - self.overlap)
        old = {j.id for j in issue.journals or () if j.created_on <= past or already_reflected(j, row)}
        return diff.issue_changes(issue, stored | old, names, is_new=False)


def utc_now() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)
