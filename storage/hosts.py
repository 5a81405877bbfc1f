"""Hosts as the viewer shows them, and what administrators say of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import Host, HostAcknowledgement, HostMaintenance, HostOutage
from storage.snapshots import changed_rows, insert_for


@dataclass(frozen=True, slots=True)
class Shown:
    """A host, and who looks after its outage, if somebody does at this time."""

    host: Host
    acknowledgement: HostAcknowledgement | None


@dataclass(frozen=True, slots=True)
class OutagePage:
    """Some of the outages, newest first, with the names of their hosts."""

    rows: Sequence[tuple[HostOutage, str]]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return -(-self.total // self.per_page)


def watched(session: Session, now: datetime) -> list[Shown]:
    """Return the hosts of the configuration in its order. One statement."""
    rows = session.execute(_shown(now).where(Host.is_watched).order_by(Host.position, Host.name))
    return [Shown(host, acknowledgement) for host, acknowledgement in rows]


def find(session: Session, name: str, now: datetime) -> Shown | None:
    """Return a host of the configuration."""
    row = session.execute(_shown(now).where(Host.is_watched, Host.name == name)).one_or_none()
    return Shown(*row) if row else None


def behind(session: Session, name: str) -> list[str]:
    """Return the names of the hosts that name this one as their parent."""
    query = sa.select(Host.name).where(Host.is_watched, Host.parent == name)
    return list(session.scalars(query.order_by(Host.position)))


def mark(session: Session) -> tuple[object, ...]:
    """Return what is another value after each sweep, and after whatever administrators say. One statement."""
    newest = sa.select(sa.func.max(Host.checked_at)).scalar_subquery()
    acknowledged = sa.select(sa.func.max(HostAcknowledgement.at)).scalar_subquery()
    count = sa.select(sa.func.count()).select_from(HostAcknowledgement).scalar_subquery()
    latest = sa.select(sa.func.max(HostMaintenance.id)).scalar_subquery()
    windows = sa.select(sa.func.count()).select_from(HostMaintenance).scalar_subquery()
    return tuple(session.execute(sa.select(newest, acknowledged, count, latest, windows)).one())


def states(session: Session) -> dict[str, tuple[str, bool]]:
    """Return the state of each host by its name, and whether it flaps."""
    rows = session.execute(sa.select(Host.name, Host.state, Host.is_flapping).where(Host.is_watched))
    return {name: (state, is_flapping) for name, state, is_flapping in rows}


def outages(
    session: Session, page: int, per_page: int, host_id: int | None = None, state: str = ""
) -> OutagePage:
    """Return one page of the outages, newest first."""
    chosen = sa.select(HostOutage, Host.name).join(Host, Host.id == HostOutage.host_id)
    if host_id is not None:
        chosen = chosen.where(HostOutage.host_id == host_id)
    if state:
        chosen = chosen.where(HostOutage.state == state)
    total = session.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0
    ordered = chosen.order_by(HostOutage.started_at.desc(), HostOutage.host_id)
    rows = session.execute(ordered.offset((page - 1) * per_page).limit(per_page))
    return OutagePage([(outage, name) for outage, name in rows], page, per_page, total)


def outages_between(session: Session, host_id: int, since: datetime) -> list[HostOutage]:
    """Return a host's outages that had not ended by then, oldest first."""
    lasting = sa.or_(HostOutage.ended_at.is_(None), HostOutage.ended_at > since)
    query = sa.select(HostOutage).where(HostOutage.host_id == host_id, lasting)
    return list(session.scalars(query.order_by(HostOutage.started_at)))


def acknowledge(session: Session, given: HostAcknowledgement) -> None:
    """Note who looks after a host, instead of whoever did before."""
    columns = {c.name: getattr(given, c.name) for c in HostAcknowledgement.__table__.columns}
    statement = insert_for(session, HostAcknowledgement).values(**columns)
    replaced = {name: value for name, value in columns.items() if name != "host_id"}
    session.execute(statement.on_conflict_do_update(index_elements=["host_id"], set_=replaced))


def end_acknowledgement(session: Session, host_id: int) -> bool:
    """Forget who looks after a host; False where nobody does."""
    return _is_gone(session, sa.delete(HostAcknowledgement).where(HostAcknowledgement.host_id == host_id))


def maintenance(session: Session, now: datetime, host: Host) -> list[HostMaintenance]:
    """Return the windows of a host, its group and those before it that are not over, by their beginning."""
    above = HostMaintenance.host_id.in_([other.id for other in _above(session, host)])
    own = sa.or_(HostMaintenance.host_id == host.id, sa.and_(HostMaintenance.with_behind, above))
    if host.group_name:
        own = sa.or_(own, HostMaintenance.group_name == host.group_name)
    query = sa.select(HostMaintenance).where(HostMaintenance.ends_at > now, own)
    return list(session.scalars(query.order_by(HostMaintenance.begins_at)))


def add_maintenance(session: Session, window: HostMaintenance) -> int:
    """Store a window and return its id."""
    session.add(window)
    session.flush()
    return window.id


def window(session: Session, window_id: int) -> HostMaintenance | None:
    """Return a window by its id."""
    return session.get(HostMaintenance, window_id)


def named(session: Session, found: HostMaintenance) -> str:
    """Return the name of the host that a window is of, or of the group."""
    host = session.get(Host, found.host_id) if found.host_id else None
    return host.name if host else found.group_name or ""


def end_maintenance(session: Session, window_id: int) -> bool:
    """Forget a window; False where there is none."""
    return _is_gone(session, sa.delete(HostMaintenance).where(HostMaintenance.id == window_id))


def _above(session: Session, host: Host) -> Iterator[Host]:
    """Return the hosts behind which one lies, the nearest first."""
    passed = {host.name}
    while host.parent and host.parent not in passed:
        passed.add(host.parent)
        found = session.scalars(sa.select(Host).where(Host.name == host.parent)).one_or_none()
        if found is None:
            return
        host = found
        yield host


def _shown(now: datetime) -> sa.Select[Host, HostAcknowledgement]:
    """Return hosts with what was said of the outage they are in; of an earlier one, it ended with that."""
    said = HostAcknowledgement
    is_of_this = sa.and_(
        sa.or_(Host.state != "up", Host.outage_at.is_not(None)),
        said.at >= sa.func.coalesce(Host.outage_at, Host.state_since),
    )
    alive = sa.and_(said.host_id == Host.id, said.until > now, is_of_this)
    return sa.select(Host, said).outerjoin(said, alive)


def _is_gone(session: Session, statement: sa.Delete) -> bool:
    return changed_rows(session.execute(statement)) > 0
