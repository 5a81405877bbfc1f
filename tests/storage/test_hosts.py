"""Hosts as the viewer reads them, what administrators say, and the history that is thinned by age."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from storage import host_history, hosts
from storage.host_history import Bucket, merge
from storage.models import Host, HostAcknowledgement, HostCheck, HostMaintenance, HostOutage
from storage.session import Database

NOW = datetime(2026, 3, 2, 12, 3, 20, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def gw(database: Database) -> int:
    """A host."""
    with database.write() as session:
        session.add(Host(name="gone", address="10.0.0.9", is_watched=False))
        session.add(Host(name="web", address="10.0.0.2", position=1, parent="gw"))
        host = Host(name="gw", address="10.0.0.1", position=0, group_name="Office")
        session.add(host)
        session.flush()
        return host.id


def write_checks(database: Database, host_id: int, since: datetime, count: int, every: timedelta) -> None:
    with database.write() as session:
        session.add_all(
            HostCheck(
                host_id=host_id,
                checked_at=since + n * every,
                sent=5,
                received=5 if n % 5 else 0,
                rtt_min_ms=1.0 if n % 5 else None,
                rtt_median_ms=float(n % 5) if n % 5 else None,
                rtt_max_ms=10.0 if n % 5 else None,
            )
            for n in range(count)
        )


def spans(database: Database) -> dict[int, int]:
    query = sa.select(HostCheck.span_s, sa.func.count()).group_by(HostCheck.span_s)
    with database.read() as session:
        return {row[0]: row[1] for row in session.execute(query)}


def totals(database: Database) -> tuple[int, int]:
    query = sa.select(sa.func.sum(HostCheck.sent), sa.func.sum(HostCheck.received))
    with database.read() as session:
        sent, received = session.execute(query).one()
        return sent, received


def test_hosts_of_the_configuration_are_listed_in_its_order(database: Database, gw: int) -> None:
    with database.read() as session:
        assert [shown.host.name for shown in hosts.watched(session, NOW)] == ["gw", "web"]
        assert hosts.find(session, "gone", NOW) is None
        assert hosts.behind(session, "gw") == ["web"]


def test_an_acknowledgement_holds_until_its_end(database: Database, gw: int) -> None:
    given = {"host_id": gw, "note": "On it", "by_name": "ann", "at": NOW}
    with database.write() as session:
        session.execute(sa.update(Host).where(Host.id == gw).values(state="down", state_since=NOW))
        hosts.acknowledge(session, HostAcknowledgement(**given, until=NOW + HOUR))
        hosts.acknowledge(session, HostAcknowledgement(**given | {"note": "Mine"}, until=NOW + 2 * HOUR))
    with database.read() as session:
        held = [hosts.find(session, "gw", NOW + n * HOUR) for n in (1, 2)]
    assert [bool(shown and shown.acknowledgement) for shown in held] == [True, False]
    assert [shown.acknowledgement.note for shown in held if shown and shown.acknowledgement] == ["Mine"]
    with database.write() as session:
        assert [hosts.end_acknowledgement(session, gw) for _ in range(2)] == [True, False]


def test_maintenance_is_of_a_host_or_of_its_group(database: Database, gw: int) -> None:
    def window(**columns: object) -> HostMaintenance:
        given = {"begins_at": NOW, "ends_at": NOW + HOUR, "note": "", "by_name": "ann"}
        return HostMaintenance(**given | columns)

    with database.write() as session:
        for columns in ({"host_id": gw}, {"group_name": "Office"}, {"group_name": "Other"}):
            hosts.add_maintenance(session, window(**columns))
        over = window(host_id=gw, begins_at=NOW - DAY, ends_at=NOW)
        hosts.add_maintenance(session, over)
    with database.read() as session:
        shown = hosts.find(session, "gw", NOW)
        assert shown is not None
        found = hosts.maintenance(session, NOW, shown.host)
    assert [(row.host_id, row.group_name) for row in found] == [(gw, None), (None, "Office")]
    with database.write() as session:
        assert [hosts.end_maintenance(session, found[0].id) for _ in range(2)] == [True, False]


def test_outages_are_listed_newest_first(database: Database, gw: int) -> None:
    with database.write() as session:
        for n in range(5):
            began = NOW - n * DAY
            session.add(HostOutage(host_id=gw, started_at=began, ended_at=began + HOUR, state="down"))
        session.add(HostOutage(host_id=gw, started_at=NOW + HOUR, state="unknown", reason="own_network"))
    with database.read() as session:
        page = hosts.outages(session, 1, 2)
        assert [(row.state, name) for row, name in page.rows] == [("unknown", "gw"), ("down", "gw")]
        assert (page.total, page.pages) == (6, 3)
        assert hosts.outages(session, 1, 10, state="down").total == 5
        assert hosts.outages(session, 1, 10, host_id=gw + 99).total == 0
        assert len(hosts.outages_between(session, gw, NOW - DAY - MINUTE)) == 3


def test_the_mark_moves_with_whatever_changes(database: Database, gw: int) -> None:
    seen = []
    window = {"begins_at": NOW, "ends_at": NOW + HOUR, "note": "", "by_name": "ann"}
    given = {"host_id": gw, "note": "", "by_name": "ann", "at": NOW, "until": NOW + HOUR}
    for step in (
        lambda _: None,
        lambda s: s.execute(sa.update(Host).values(checked_at=NOW)),
        lambda s: hosts.acknowledge(s, HostAcknowledgement(**given)),
        lambda s: hosts.end_acknowledgement(s, gw),
        lambda s: hosts.add_maintenance(s, HostMaintenance(**window)),
    ):
        with database.write() as session:
            step(session)
        with database.read() as session:
            seen.append(hosts.mark(session))
    assert all(before != after for before, after in pairwise(seen))


def test_many_checks_are_one_by_their_extremes_and_the_median_of_medians() -> None:
    parts = [Bucket(NOW, 5, 5, 1, 2, 3), Bucket(NOW, 5, 0), Bucket(NOW, 5, 4, 0.5, 4, 9)]
    assert merge(NOW, parts) == Bucket(NOW, 15, 9, 0.5, 3, 9)
    assert merge(NOW, parts).loss_ratio == pytest.approx(0.4)
    assert merge(NOW, []) == Bucket(NOW)
    assert merge(NOW, []).loss_ratio is None


def test_a_graph_has_equal_parts_with_gaps(database: Database, gw: int) -> None:
    write_checks(database, gw, NOW - 2 * HOUR, 60, MINUTE)
    with database.read() as session:
        found = host_history.buckets(session, gw, NOW, DAY, 24)
        assert host_history.first_check_at(session, gw) == NOW - 2 * HOUR
    assert len(found) == 24
    assert [bucket.sent for bucket in found[20:]] == [0, 0, 300, 0]
    assert found[0].median_ms is None


def test_history_is_thinned_by_age_and_nothing_of_it_is_lost(database: Database, gw: int) -> None:
    """Two days of minutes: one stays as it is, the older one becomes five minutes."""
    write_checks(database, gw, NOW - 2 * DAY, 2 * 24 * 60, MINUTE)
    before = totals(database)
    assert host_history.tidy(database, NOW) > 0
    assert totals(database) == before
    found = spans(database)
    assert 24 * 12 - 1 <= found[300] <= 24 * 12 + 1
    assert 24 * 60 <= found[0] <= 24 * 60 + 5
    assert host_history.tidy(database, NOW) == 0
    month_later = NOW + 31 * DAY
    host_history.tidy(database, month_later)
    assert totals(database) == before
    assert set(spans(database)) <= {300, 3600}
    assert 24 <= spans(database)[3600] <= 50


def test_what_is_thinned_keeps_its_extremes(database: Database, gw: int) -> None:
    write_checks(database, gw, host_history.floor(NOW - 2 * DAY, 300), 5, MINUTE)
    host_history.tidy(database, NOW)
    with database.read() as session:
        [row] = session.scalars(sa.select(HostCheck))
    assert (row.sent, row.received, row.rtt_min_ms, row.rtt_median_ms, row.rtt_max_ms) == (25, 20, 1, 2.5, 10)


def test_after_a_year_it_is_forgotten(database: Database, gw: int) -> None:
    write_checks(database, gw, NOW - 2 * DAY, 10, MINUTE)
    for later in (NOW, NOW + 40 * DAY, NOW + 400 * DAY):
        host_history.tidy(database, later)
    assert spans(database) == {}
