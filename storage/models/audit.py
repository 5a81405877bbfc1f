"""What administrators did."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base, utc_now


class AuditEntry(Base):
    """One act of an administrator: who, what, before, after. Kept when the person is removed."""

    __tablename__ = "audit_entries"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    actor: Mapped[str] = mapped_column(sa.String(255))
    act: Mapped[str] = mapped_column(sa.String(32))
    subject: Mapped[str] = mapped_column(sa.String(255), index=True)
    at: Mapped[datetime] = mapped_column(default_factory=utc_now, insert_default=utc_now)
    user_id: Mapped[int | None] = mapped_column(default=None)  # None: at the command line, or the daemon
    before: Mapped[dict[str, Any]] = mapped_column(default_factory=dict, insert_default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default_factory=dict, insert_default=dict)
