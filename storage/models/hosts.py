"""Network hosts: the state machine of each, its history, and what administrators said of it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base, utc_now


class Host(Base):
    """State machine of one network host; written by the daemon alone.

    `state` is `up`, `down`, `unreachable` (a host on the way to it is down) or `unknown`; `reason` says why
    in a word of `daemon.hosts.values`. `told` is the state that people were told last, "" for none.
    `results` are the last checks, oldest first, `1` for an answer.
    """

    __tablename__ = "hosts"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(255), unique=True)
    address: Mapped[str] = mapped_column(sa.String(255))
    ip: Mapped[str] = mapped_column(sa.String(64), default="")
    group_name: Mapped[str] = mapped_column(sa.String(255), default="")
    parent: Mapped[str] = mapped_column(sa.String(255), default="")
    position: Mapped[int] = mapped_column(default=0)  # in the configuration
    is_watched: Mapped[bool] = mapped_column(default=True)  # false: not in the configuration any more
    method: Mapped[str] = mapped_column(sa.String(8), default="icmp")
    state: Mapped[str] = mapped_column(sa.String(16), default="unknown")
    state_since: Mapped[datetime] = mapped_column(default_factory=utc_now, insert_default=utc_now)
    reason: Mapped[str] = mapped_column(sa.String(255), default="")
    told: Mapped[str] = mapped_column(sa.String(16), default="")
    # When the outage that people were told of, or would have been, began; kept until it is over.
    outage_at: Mapped[datetime | None] = mapped_column(default=None)
    has_answered: Mapped[bool | None] = mapped_column(default=None)  # to the last check
    failures: Mapped[int] = mapped_column(default=0)
    successes: Mapped[int] = mapped_column(default=0)
    results: Mapped[str] = mapped_column(sa.String(32), default="")
    is_flapping: Mapped[bool] = mapped_column(default=False)
    maintenance_until: Mapped[datetime | None] = mapped_column(default=None)
    sent: Mapped[int] = mapped_column(default=0)
    received: Mapped[int] = mapped_column(default=0)
    rtt_min_ms: Mapped[float | None] = mapped_column(default=None)
    rtt_ms: Mapped[float | None] = mapped_column(default=None)  # the median
    rtt_max_ms: Mapped[float | None] = mapped_column(default=None)
    checked_at: Mapped[datetime | None] = mapped_column(default=None)
    next_check_at: Mapped[datetime | None] = mapped_column(default=None)


class HostCheck(Base):
    """Probes of one host: what was sent, what came back and how long it took.

    One sweep where `span_s` is 0, else all of those from `checked_at` on for so long.
    """

    __tablename__ = "host_checks"
    __table_args__ = (
        sa.Index("ix_host_checks_span_s_checked_at", "span_s", "checked_at"),
        {"sqlite_with_rowid": False},  # a host's history lies together
    )

    host_id: Mapped[int] = mapped_column(sa.ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True)
    checked_at: Mapped[datetime] = mapped_column(primary_key=True)
    sent: Mapped[int]
    received: Mapped[int]
    span_s: Mapped[int] = mapped_column(default=0)
    rtt_min_ms: Mapped[float | None] = mapped_column(default=None)
    rtt_median_ms: Mapped[float | None] = mapped_column(default=None)
    rtt_max_ms: Mapped[float | None] = mapped_column(default=None)


class HostOutage(Base):
    """A time in which a host was `down`, `unreachable` or `unknown`; it lasts where there is no end."""

    __tablename__ = "host_outages"
    __table_args__ = (sa.Index("ix_host_outages_started_at", "started_at"),)

    host_id: Mapped[int] = mapped_column(sa.ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(sa.String(16))
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(sa.String(255), default="")


class HostAcknowledgement(Base):
    """Somebody looks after an outage: it is told no more until then."""

    __tablename__ = "host_acknowledgements"

    host_id: Mapped[int] = mapped_column(
        sa.ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    note: Mapped[str] = mapped_column(sa.Text)
    by_name: Mapped[str] = mapped_column(sa.String(255))
    at: Mapped[datetime]
    until: Mapped[datetime]


class HostMaintenance(Base):
    """Somebody works on a host, or on a whole group: nothing of it is told meanwhile.

    `with_behind`: nor of the hosts that lie behind it, however many are between.
    """

    __tablename__ = "host_maintenance"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(sa.Text)
    by_name: Mapped[str] = mapped_column(sa.String(255))
    host_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("hosts.id", ondelete="CASCADE"), index=True, default=None
    )
    group_name: Mapped[str | None] = mapped_column(sa.String(255), default=None)
    with_behind: Mapped[bool] = mapped_column(default=False)
