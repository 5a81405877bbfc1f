"""What is due, as the last poll saw it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import Issue, Status
from storage.snapshots import chunks

_COLUMNS = (
    Issue.id,
    Issue.subject,
    Issue.project_id,
    Issue.project_name,
    Issue.assigned_to_id,
    Issue.due_date,
)


def tasks(
    session: Session, assigned_to: Iterable[int], latest: date, earliest: date | None
) -> Sequence[dict[str, Any]]:
    """Return the open tasks of these accounts and groups that are due by then, by id.

    Without `earliest` however long ago they were due. A status that we do not know yet counts as open.
    """
    is_closed = sa.select(Status.id).where(Status.is_closed)
    query = sa.select(*_COLUMNS).where(
        ~Issue.is_hidden, Issue.due_date <= latest, Issue.status_id.not_in(is_closed)
    )
    if earliest is not None:
        query = query.where(Issue.due_date >= earliest)
    rows = [
        dict(row)
        for chunk in chunks(sorted(set(assigned_to)))
        for row in session.execute(query.where(Issue.assigned_to_id.in_(chunk))).mappings()
    ]
    return sorted(rows, key=lambda row: row["id"])
