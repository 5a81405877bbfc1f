"""Finds, slowly, what `updated_on` never shows, and corrects what is stored; it makes no false news.

Deleted issues, deleted files, relations, watchers, edited or hidden notes, lost rights. What has a
journal (files, relations) becomes a notification by the same way as in a poll; the rest corrects.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from pydantic import Field

from daemon import diff
from daemon.clients.errors import SourceError
from daemon.clients.settings import RedmineSettings
from daemon.clients.values import Issue, User
from daemon.options import JobOptions
from daemon.redmine import deletions, rights
from daemon.redmine.connection import RedmineConnection, utc_now
from daemon.redmine.cursor import Cursor
from daemon.redmine.reference import phones, read_reference
from daemon.redmine.rows import listed_row
from daemon.redmine.second_look import DELETED, SecondLook
from daemon.source import Memory
from daemon.values import Addressed, Change, Correction, FieldChange, Known, Member, Observation

PAGE = 100
LAST_ID = 2**31 - 1
DELETIONS = 200  # asked for one by one in one run; the next run goes on


class Options(JobOptions):
    """Options of a job with `source = "redmine_reconcile"`.

    `poll_job` is the job that polls the same Redmine, `overlap_s` the overlap of that job. One run
    sweeps `pages` hundreds of issues, looks at what `readers` may still see and at the notes of `issues`,
    both of what was told within `days`, at what `people` watch, and at the journals of `reads` issues; the
    next run goes on from there. `phone_field` names the custom field of users that holds their telephone.
    """

    poll_job: str = "redmine"
    overlap_s: float = Field(default=90.0, ge=0, le=3600)
    pages: int = Field(default=5, ge=1, le=1000)
    readers: int = Field(default=50, ge=1, le=10_000)
    issues: int = Field(default=50, ge=1, le=10_000)
    people: int = Field(default=5, ge=1, le=1000)
    reads: int = Field(default=50, ge=1, le=10_000)
    days: int = Field(default=30, ge=1, le=3650)
    phone_field: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the slow rounds stand: by issue id, by user id, by issue id, by account id, by issue id."""

    sweep: int = 0
    readers: int = 0
    notes: int = 0
    people: int = 0
    reads: int = 0

    def to_json(self) -> dict[str, int]:
        """Return the form that is stored."""
        return asdict(self)


class Source(RedmineConnection):
    """Reconciles one Redmine with the snapshot. It follows the poll and never runs ahead of it."""

    def __init__(
        self, settings: RedmineSettings, options: Options, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        super().__init__(settings, options.overlap_s)
        self._options = options
        self._now = now
        self._told: frozenset[tuple[int, int]] = frozenset()  # of the issues found to be gone
        self._baseline_id = 0
        self._followed_to: datetime | None = None  # below it the poll has surely seen everything
        self._unsettled: frozenset[int] = frozenset()  # but for these issues, which it reads again

    def observations(
        self, cursor: Mapping[str, Any] | None, memory: Memory, stop: Callable[[], bool]
    ) -> Iterator[Observation]:
        """Take one slice of each round. Nothing is done before the poll's first run is over."""
        place = Place(**cursor) if cursor else Place()
        edge = self._followed_to = self._edge(memory)
        if edge is None:
            return
        try:
            self.key.require_now()
            for seen in self._rounds(place, memory, edge):
                self.key.require_now()  # what a key showed that died meanwhile would be taken back for good
                yield seen
                if stop():
                    return
        except SourceError:
            self.key.doubt()
            raise

    def changes(self, known: Known, seen: Observation) -> tuple[Change, ...]:
        """Return the journals that no poll could see, and the issues that are gone."""
        self.learn(seen.items, known.journals)
        found = [
            c
            for issue in seen.items
            if issue.id not in seen.quiet
            for c in self.issue_changes(issue, known, seen.floor, is_new=issue.id not in known.rows)
        ]
        gone = [diff.deleted(i, known.rows[i], seen.read_at) for i in sorted(seen.removed) if i in known.rows]
        return tuple(found + gone)

    def counted(self, changes: Sequence[Change]) -> int:
        """Count what the poll should have found and did not; it should be 0."""
        return sum(self._was_missed(change) for change in changes)

    def _was_missed(self, change: Change) -> bool:
        """Say whether a change bumped `updated_on` and is one that the poll has passed by.

        Relations and deleted files bump nothing, and deleted issues are in no list.
        """
        followed_to = self._followed_to
        if followed_to is None or change.at >= followed_to or change.item_id in self._unsettled:
            return False
        return bool(change.notes) or change.type == "new_issue" or any(map(_bumps, change.details))

    def shown(self, addressed: Sequence[Addressed]) -> tuple[Addressed, ...]:
        """Ask Redmine; of a deleted issue it says nothing, so who was close to it and sees its project."""
        gone = [a for a in addressed if a.change.key.startswith(DELETED)]
        rest = [a for a in addressed if not a.change.key.startswith(DELETED)]
        members = {a.member for a in gone}
        projects = {member: rights.projects_of(self.client, member) for member in members}
        close = [
            a
            for a in gone
            if a.change.project is not None
            and a.change.project.id in projects[a.member]
            and (set(a.reasons) != {"watcher"} or (a.member.user_id, a.change.item_id) in self._told)
        ]
        return (*super().shown(rest), *close)

    def _edge(self, memory: Memory) -> datetime | None:
        """The `updated_on` below which the poll has surely seen everything; None: it has not begun.

        On a quiet Redmine that includes the newest one: what is done to that issue must not wait for
        somebody to change another.
        """
        stored = memory.cursor(self._options.poll_job)
        cursor = Cursor.from_json(stored) if stored else Cursor(next_id=1)
        self.baseline_on, self._baseline_id = cursor.baseline_on, cursor.baseline_id
        self._unsettled = frozenset(cursor.unsettled)
        if cursor.next_id is not None or cursor.high is None:
            return None
        return cursor.high + timedelta(seconds=1 if cursor.is_swept else -self._options.overlap_s)

    def _rounds(self, place: Place, memory: Memory, edge: datetime) -> Iterator[Observation]:
        since = self._now() - timedelta(days=self._options.days)
        accounts = self.client.users()
        members, renamed = _members(memory, accounts)
        reference = replace(read_reference(self.client), phones=phones(accounts, self._options.phone_field))
        yield Observation(
            place.to_json(), self._now(), correction=Correction(logins=renamed), reference=reference
        )
        look = SecondLook(self, {member.user_id: member for member in members})
        yield from self._deleted(place, memory, since)
        place, seen = self._rights(place, look, memory, since)
        yield seen
        place, seen = self._notes(place, look, memory, since)
        yield seen
        place, seen = self._watched(place, members)
        yield seen
        for _ in range(self._options.pages):
            place, seen = self._sweep(place, memory, edge)
            yield seen
            if place.sweep == 0:
                break
        place, seen = self._journals(place, memory)
        yield seen

    def _deleted(self, place: Place, memory: Memory, since: datetime) -> Iterator[Observation]:
        """Find what is gone."""
        missing = list(islice(deletions.unlisted(self.client, memory, (1, memory.highest_id())), DELETIONS))
        if not missing:
            return
        read_at = self._now()
        answers = {issue_id: deletions.is_deleted(self.client, issue_id) for issue_id in missing}
        self._told = frozenset((row.user_id, row.item_id) for row in memory.told_of(missing, since))
        yield Observation(
            place.to_json(),
            read_at,
            removed=frozenset(i for i, is_gone in answers.items() if is_gone),
            correction=Correction(hidden=frozenset(i for i, is_gone in answers.items() if is_gone is False)),
        )

    def _rights(
        self, place: Place, look: SecondLook, memory: Memory, since: datetime
    ) -> tuple[Place, Observation]:
        """Ask for a few readers whether they may still see what they were told of."""
        due, upto = _slice(sorted(look.members), place.readers, self._options.readers)
        correction = look.lost_rights(memory.told_to(due, since))
        place = replace(place, readers=upto)
        return place, Observation(place.to_json(), self._now(), correction=correction)

    def _notes(
        self, place: Place, look: SecondLook, memory: Memory, since: datetime
    ) -> tuple[Place, Observation]:
        """Read issues again of which somebody was told a note or a guarded field."""
        due = memory.told_items(since, place.notes, self._options.issues)
        told = memory.told_of(due, since)
        reads = self.reader.start({row.item_id for row in told if row.notes or row.guarded}).finish()
        correction = look.edited(reads.issues, told)
        place = replace(place, notes=due[-1] if len(due) == self._options.issues else 0)
        return place, Observation(place.to_json(), self._now(), correction=correction)

    def _watched(self, place: Place, members: Sequence[Member]) -> tuple[Place, Observation]:
        """List what a few people watch: adding or removing a watcher bumps nothing."""
        due, upto = _slice(sorted({m.source_id for m in members}), place.people, self._options.people)
        watched = {account: self._watched_by(account) for account in due}
        place = replace(place, people=upto)
        return place, Observation(place.to_json(), self._now(), correction=Correction(watched=watched))

    def _watched_by(self, account: int) -> frozenset[int]:
        found: set[int] = set()
        low = 1
        while True:
            page = self.client.list_issues(
                watcher_id=account, id_range=(low, LAST_ID), sort="id:asc", limit=PAGE
            )
            found.update(issue.id for issue in page.issues)
            if len(page.issues) < PAGE:
                return frozenset(found)
            low = page.issues[-1].id + 1

    def _sweep(self, place: Place, memory: Memory, edge: datetime) -> tuple[Place, Observation]:
        """Compare a page of the list with the snapshot, row by row."""
        read_at = self._now()
        page = self.client.list_issues(
            id_range=(place.sweep + 1, LAST_ID),
            include=("attachments", "relations"),
            sort="id:asc",
            limit=PAGE,
        )
        stored = memory.rows(issue.id for issue in page.issues)
        behind = [issue for issue in page.issues if issue.updated_on < edge]
        # What nobody stored although the poll has passed it was hidden then: an archived project is back.
        # One made since the first run is news all the same: summer time ended, and it was filed an hour back.
        adopted = frozenset(issue.id for issue in behind if issue.id not in stored)
        differs = [
            issue for issue in behind if issue.id in stored and _differs(issue, stored[issue.id], read_at)
        ]
        listed = {issue.id: issue for issue in page.issues}
        reads = self.reader.start([*adopted, *(issue.id for issue in differs)]).finish()
        items = tuple(_with_time_of(issue, listed[issue.id]) for issue in reads.issues)
        place = replace(place, sweep=page.issues[-1].id if len(page.issues) == PAGE else 0)
        return place, Observation(
            place.to_json(),
            read_at,
            items=items,
            quiet=frozenset(number for number in adopted if number <= self._baseline_id),
            correction=Correction(ask_again=frozenset(issue.id for issue in items)),
        )

    def _journals(self, place: Place, memory: Memory) -> tuple[Place, Observation]:
        """Read a few issues whole: a relation made and removed between two sweeps leaves only journals.

        One that was updated meanwhile is the poll's to find.
        """
        read_at = self._now()
        last = place.reads + self._options.reads
        stored = memory.rows(memory.ids((place.reads + 1, last)))
        reads = self.reader.start(stored).finish()
        items = tuple(i for i in reads.issues if i.updated_on == stored[i.id]["updated_on"])
        place = replace(place, reads=last if last < memory.highest_id() else 0)
        return place, Observation(place.to_json(), read_at, items=items)


def _members(memory: Memory, accounts: Iterable[User]) -> tuple[tuple[Member, ...], dict[int, str]]:
    """Return who can be told, by the log-in name of today, and the names that are not the stored ones."""
    logins = {account.id: account.login for account in accounts}
    stored = memory.members()
    members = tuple(replace(m, login=logins.get(m.source_id, m.login)) for m in stored)
    changed = {now.user_id: now.login for now, old in zip(members, stored, strict=True) if now != old}
    return members, changed


def _bumps(detail: FieldChange) -> bool:
    return detail.field != "relation" and (detail.field != "attachment" or bool(detail.new))


def _slice(ids: Sequence[int], after: int, size: int) -> tuple[list[int], int]:
    """Return the next ids of a round, and where it goes on: 0 once it is at its end."""
    due = [number for number in ids if number > after][:size]
    return due, due[-1] if len(due) == size else 0


def _differs(issue: Issue, stored: Mapping[str, Any], read_at: datetime) -> bool:
    row = listed_row(issue, read_at)
    return stored["is_hidden"] or any(row[name] != stored[name] for name in row if name != "read_at")


def _with_time_of(issue: Issue, listed: Issue) -> Issue:
    """Keep the list's `updated_on`: what happened since is the poll's to find."""
    return replace(issue, updated_on=listed.updated_on)
