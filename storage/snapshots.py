"""What the last poll saw of each Redmine issue, and which journals were already turned into notifications."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.models import Issue, JournalSeen

CHUNK = 500  # bound parameters: SQLite takes 32,766, PostgreSQL 65,535

T = TypeVar("T")
IssueRow = dict[str, Any]
_COLUMNS = tuple(Issue.__table__.columns)


def load_issues(session: Session, ids: Iterable[int]) -> dict[int, IssueRow]:
    """Return the snapshot rows of these issues as plain columns; unknown ids are absent."""
    rows: dict[int, IssueRow] = {}
    for chunk in chunks(sorted(set(ids))):
        found = session.execute(sa.select(*_COLUMNS).where(Issue.id.in_(chunk)))
        rows.update((row["id"], dict(row)) for row in found.mappings())
    return rows


def save_issues(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace snapshot rows; a row read earlier than the stored one changes nothing.

    Keys that a row lacks keep their stored value, so a row of the list (which carries no
    watchers) does not wipe out what a full read knew. All rows must have the same keys.
    """
    if not rows:
        return
    statement = insert_for(session, Issue)
    replaced = {name: statement.excluded[name] for name in rows[0] if name != "id"}
    upsert = statement.on_conflict_do_update(
        index_elements=["id"], set_=replaced, where=Issue.read_at <= statement.excluded.read_at
    )
    session.execute(upsert, [dict(row) for row in rows])


def follow_issue(session: Session, issue_id: int, columns: Mapping[str, Any], read_at: datetime) -> bool:
    """Let a known issue's row follow what somebody has just changed; say whether there is such a row.

    Only columns that no poll compares: with a new `updated_on` the poll would take the change for handled
    and tell nobody, and a row made here would hide that the issue is new.
    """
    if kept := columns.keys() & {"id", "updated_on", "attachments", "relations", "has_journals"}:
        raise ValueError(f"{sorted(kept)} are the poll's own")
    statement = sa.update(Issue).where(Issue.id == issue_id, Issue.read_at <= read_at)
    return changed_rows(session.execute(statement.values(**columns, read_at=read_at))) > 0


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells that a task is not as it was. The viewer's own writes move all but `updated_on`."""

    updated_on: datetime
    status_id: int
    priority_id: int
    assigned_to_id: int | None


def marks(session: Session, ids: Iterable[int]) -> dict[int, Mark]:
    """Return the marks of these issues by id; unknown ids are absent."""
    found: dict[int, Mark] = {}
    columns = (Issue.id, Issue.updated_on, Issue.status_id, Issue.priority_id, Issue.assigned_to_id)
    for chunk in chunks(sorted(set(ids))):
        rows = session.execute(sa.select(*columns).where(Issue.id.in_(chunk)))
        found.update((row[0], Mark(*row[1:])) for row in rows)
    return found


def subjects(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return the subjects of these issues by id; unknown ids are absent."""
    found: dict[int, str] = {}
    for chunk in chunks(sorted(set(ids))):
        rows = session.execute(sa.select(Issue.id, Issue.subject).where(Issue.id.in_(chunk)))
        found.update((row.id, row.subject) for row in rows)
    return found


def remove_issues(session: Session, ids: Iterable[int]) -> None:
    """Forget the snapshot and the journals of issues that are gone."""
    for chunk in chunks(sorted(set(ids))):
        session.execute(sa.delete(Issue).where(Issue.id.in_(chunk)))
        session.execute(sa.delete(JournalSeen).where(JournalSeen.issue_id.in_(chunk)))


def issue_ids(session: Session, id_range: tuple[int, int]) -> list[int]:
    """Return the ids that Redmine lists within an inclusive range, ascending, as far as we know."""
    query = sa.select(Issue.id).where(Issue.id.between(*id_range), ~Issue.is_hidden)
    return list(session.scalars(query.order_by(Issue.id)))


def count_issues(session: Session, id_range: tuple[int, int]) -> int:
    """Count the issues that Redmine lists within an inclusive id range, as far as we know."""
    query = sa.select(sa.func.count()).select_from(Issue)
    return session.scalar(query.where(Issue.id.between(*id_range), ~Issue.is_hidden)) or 0


def highest_id(session: Session) -> int:
    """Return the highest issue id of the snapshot, 0 where it is empty."""
    return session.scalar(sa.select(sa.func.max(Issue.id))) or 0


def hide_issues(session: Session, ids: Iterable[int]) -> None:
    """Note that Redmine does not list these any more although they exist."""
    for chunk in chunks(sorted(set(ids))):
        session.execute(sa.update(Issue).where(Issue.id.in_(chunk)).values(is_hidden=True))


def set_watched(session: Session, source_id: int, watched: frozenset[int]) -> int:
    """Make the snapshot say that this account watches just these issues; return how many rows changed.

    Only issues that were read by themselves are looked at: of the others the watchers are not known.
    """
    changed = 0
    rows = session.execute(sa.select(Issue.id, Issue.watcher_ids).where(Issue.has_journals))
    for issue_id, watchers in rows.all():
        if (source_id in watchers) != (issue_id in watched):
            others = set(watchers) - {source_id}
            new = sorted(others | ({source_id} if issue_id in watched else set()))
            session.execute(sa.update(Issue).where(Issue.id == issue_id).values(watcher_ids=new))
            changed += 1
    return changed


def issue_count(session: Session) -> int:
    """Count the issues of the snapshot."""
    return session.scalar(sa.select(sa.func.count()).select_from(Issue)) or 0


def journals_seen(session: Session, ids: Iterable[int]) -> dict[int, frozenset[int]]:
    """Return the journals already handled, by issue id; every asked id is present."""
    wanted = sorted(set(ids))
    seen: dict[int, set[int]] = {issue_id: set() for issue_id in wanted}
    for chunk in chunks(wanted):
        query = sa.select(JournalSeen.issue_id, JournalSeen.id).where(JournalSeen.issue_id.in_(chunk))
        for issue_id, journal_id in session.execute(query):
            seen[issue_id].add(journal_id)
    return {issue_id: frozenset(journals) for issue_id, journals in seen.items()}


def add_journals_seen(session: Session, journals: Iterable[tuple[int, int, datetime]]) -> None:
    """Remember journals as (journal id, issue id, created_on); known ones are left alone."""
    rows = [{"id": j, "issue_id": i, "created_on": at} for j, i, at in journals]
    if rows:
        session.execute(insert_for(session, JournalSeen).on_conflict_do_nothing(), rows)


def insert_for(session: Session, model: type[Any] | sa.Table) -> "sqlite.Insert | postgresql.Insert":
    """Return the dialect's INSERT into the model's table, or a table, the one that knows ON CONFLICT.

    It counts the rows it wrote (`changed_rows`). Into the table, not the model: an INSERT of several
    rows through the ORM counts none, and neither does psycopg's unless it is told to.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    table = model if isinstance(model, sa.Table) else model.__table__
    return insert(table).execution_options(preserve_rowcount=True)


def chunks(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut a list so that no statement has too many bound parameters."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def changed_rows(result: sa.Result[Any]) -> int:
    """Return how many rows a statement wrote; drivers that cannot tell say 0."""
    return max(result.rowcount, 0) if isinstance(result, sa.CursorResult) else 0
