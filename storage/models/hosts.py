"""Network hosts."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base, utc_now


def _unknown() -> str:
    return "unknown"


class Host(Base):
    """State machine of one network host."""

    __tablename__ = "hosts"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(255), unique=True)
    address: Mapped[str] = mapped_column(sa.String(255))
    state: Mapped[str] = mapped_column(sa.String(16), default_factory=_unknown, insert_default=_unknown)
    state_since: Mapped[datetime] = mapped_column(default_factory=utc_now, insert_default=utc_now)
    failures: Mapped[int] = mapped_column(default_factory=int, insert_default=0)
    successes: Mapped[int] = mapped_column(default_factory=int, insert_default=0)
    rtt_ms: Mapped[float | None] = mapped_column(default=None)
    checked_at: Mapped[datetime | None] = mapped_column(default=None)


class HostCheck(Base):
    """One probe of one host: what was sent, what came back and how long it took."""

    __tablename__ = "host_checks"
    __table_args__ = (sa.Index("ix_host_checks_host_id_checked_at", "host_id", "checked_at"),)

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    host_id: Mapped[int] = mapped_column(sa.ForeignKey("hosts.id", ondelete="CASCADE"))
    checked_at: Mapped[datetime]
    sent: Mapped[int]
    received: Mapped[int]
    rtt_min_ms: Mapped[float | None] = mapped_column(default=None)
    rtt_median_ms: Mapped[float | None] = mapped_column(default=None)
    rtt_max_ms: Mapped[float | None] = mapped_column(default=None)
