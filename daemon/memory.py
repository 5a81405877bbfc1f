"""Lets a source look at what is stored, and change nothing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from daemon.values import Colleague, FieldChange, Member, Reminded, Told
from storage import due, jobs, notifications, phones, preferences, reference, snapshots, states, users
from storage.models import Notification, User
from storage.session import Database


class StoredMemory:
    """`daemon.source.Memory` on the database. Each question is its own short read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, ids: Iterable[int]) -> Mapping[int, Mapping[str, Any]]:
        """Return the stored rows of items; unknown ids are absent."""
        with self._database.read() as session:
            return snapshots.load_issues(session, ids)

    def ids(self, id_range: tuple[int, int]) -> Sequence[int]:
        """Return the stored ids that the source lists, within an inclusive range, ascending."""
        with self._database.read() as session:
            return snapshots.issue_ids(session, id_range)

    def count(self, id_range: tuple[int, int]) -> int:
        """Count the stored ids that the source lists, within an inclusive range."""
        with self._database.read() as session:
            return snapshots.count_issues(session, id_range)

    def highest_id(self) -> int:
        """Return the highest stored id, 0 where nothing is stored."""
        with self._database.read() as session:
            return snapshots.highest_id(session)

    def cursor(self, job: str) -> Mapping[str, Any] | None:
        """Return where another job stands, None before its first run."""
        with self._database.read() as session:
            return jobs.cursor(session, job)

    def members(self) -> tuple[Member, ...]:
        """Return who can be told."""
        with self._database.read() as session:
            return tuple(Member(*columns) for columns in users.accounts_at_redmine(session))

    def reminded(self) -> tuple[Reminded, ...]:
        """Return who wants to be reminded of what is due."""
        with self._database.read() as session:
            teams = reference.memberships(session)
            return tuple(
                _reminded(user, user.id_redmine_user, teams)
                for user in users.linked_to_redmine(session)
                if user.id_redmine_user is not None
            )

    def due(
        self, principals: Iterable[int], latest: date, earliest: date | None
    ) -> Sequence[Mapping[str, Any]]:
        """Return the open items of these that are due by then, and not before `earliest`, by id."""
        with self._database.read() as session:
            return due.tasks(session, principals, latest, earliest)

    def colleagues(self) -> tuple[Colleague, ...]:
        """Return all active users."""
        with self._database.read() as session:
            return tuple(
                Colleague(
                    user.id,
                    user.username,
                    user.email,
                    user.role,
                    user.language,
                    user.time_zone,
                    user.erp_name or "",
                    tuple(user.from_erp),
                )
                for user in users.listed(session)
                if user.is_active
            )

    def kept(self, table: str, keys: Iterable[Any] | None = None) -> Mapping[Any, Mapping[str, Any]]:
        """Return the stored rows of a source's table by their keys; all of them where no keys are named."""
        with self._database.read() as session:
            return states.load(session, table, keys)

    def kept_keys(self, table: str, after: str, limit: int) -> Sequence[str]:
        """Return the next keys of a source's table, ascending; it has names for keys."""
        with self._database.read() as session:
            return states.keys(session, table, after, limit)

    def names_of_numbers(self, numbers: Iterable[str]) -> Mapping[str, str]:
        """Return whose these telephone numbers are, those that are known, however they are written."""
        with self._database.read() as session:
            return phones.owners(session, numbers)

    def told_to(self, user_ids: Iterable[int], since: datetime) -> Sequence[Told]:
        """Return the notifications about items created since then that these users are still shown."""
        with self._database.read() as session:
            return _told(notifications.shown_to(session, user_ids, since))

    def told_of(self, ids: Iterable[int], since: datetime) -> Sequence[Told]:
        """Return the notifications about these items created since then that anybody is still shown."""
        with self._database.read() as session:
            return _told(notifications.shown_of(session, ids, since))

    def told_items(self, since: datetime, after: int, limit: int) -> Sequence[int]:
        """Return the next items, ids ascending, of which something created since then is still shown."""
        with self._database.read() as session:
            return notifications.issues_shown(session, since, after, limit)


def _reminded(user: User, account: int, teams: Mapping[int, frozenset[int]]) -> Reminded:
    wishes = preferences.of(user.preferences).reminders
    return Reminded(
        member=Member(user.id, account, user.redmine_login, user.language),
        principals=teams.get(account, frozenset()) | {account},
        time_zone=user.time_zone,
        days_before=frozenset(wishes.days_before),
        overdue=wishes.overdue,
        at=wishes.at,
        at_before=wishes.at_before,
        moved_at=wishes.moved_at,
    )


def _told(rows: Iterable[Notification]) -> Sequence[Told]:
    return [
        Told(
            row.id,
            row.user_id,
            row.change_key,
            row.issue_id,
            row.journal_id,
            row.notes,
            tuple(row.reasons),
            tuple(FieldChange(d["field"], d["old"], d["new"], d["label"]) for d in row.details),
            row.is_private_note,
        )
        for row in rows
        if row.issue_id is not None
    ]
