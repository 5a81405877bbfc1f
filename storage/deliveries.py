"""The outbox: one row for each notification, channel and device."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from storage.models import Delivery
from storage.snapshots import changed_rows, insert_for


def record(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert deliveries (columns by name); return how many were new."""
    if not rows:
        return 0
    result = session.execute(insert_for(session, Delivery).on_conflict_do_nothing(), list(rows))
    return changed_rows(result)
