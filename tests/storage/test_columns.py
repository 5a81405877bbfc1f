"""Times in the database: aware, UTC, to the microsecond."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import StatementError

from storage.models import Issue, JournalSeen
from storage.session import Database

MOSCOW = timezone(timedelta(hours=3))


def stored(database: Database, time: datetime) -> datetime:
    with database.write() as session:
        session.add(JournalSeen(id=1, issue_id=1, created_on=time))
    with database.read() as session:
        found = session.get(JournalSeen, 1)
        assert found is not None
        return found.created_on


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC)),
        (datetime(2026, 3, 1, 12, tzinfo=MOSCOW), datetime(2026, 3, 1, 9, tzinfo=UTC)),
        (datetime(2026, 3, 1, 1, tzinfo=MOSCOW), datetime(2026, 2, 28, 22, tzinfo=UTC)),
        (datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC)),
        (datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)),
    ],
    ids=["utc", "other-zone", "day-before", "microsecond", "long-ago"],
)
def test_a_time_comes_back_as_the_same_moment_in_utc(
    database: Database, given: datetime, expected: datetime
) -> None:
    found = stored(database, given)
    assert found == expected
    assert found.utcoffset() == timedelta(0)


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match=r"naive datetime .*every time in the database is aware UTC"):
        stored(database, datetime(2026, 3, 1))  # noqa: DTZ001


def test_a_naive_time_is_refused_in_a_comparison_too(database: Database) -> None:
    query = sa.select(JournalSeen).where(JournalSeen.created_on > datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive datetime"), database.read() as session:
        session.execute(query)


def test_times_of_different_zones_compare_as_moments(database: Database) -> None:
    stored(database, datetime(2026, 3, 1, 12, tzinfo=MOSCOW))
    with database.read() as session:
        for hour, expected in ((8, 1), (9, 0), (10, 0)):
            query = sa.select(sa.func.count()).where(
                JournalSeen.created_on > datetime(2026, 3, 1, hour, tzinfo=UTC)
            )
            assert session.scalar(query) == expected


def test_no_time_stays_none(database: Database) -> None:
    from tests.storage.test_snapshots import row

    with database.write() as session:
        session.execute(sa.insert(Issue).values(**row(1), watcher_ids=[], has_journals=False))
    with database.read() as session:
        assert session.scalar(sa.select(Issue.closed_on)) is None
