"""The daemon's tidying: all rules in turn, room given back, its progress written down."""

from datetime import timedelta

import sqlalchemy as sa
from structlog.testing import capture_logs

from daemon.retention import Retention
from storage import jobs, sizes
from storage.columns import utc_now
from storage.models import JobState, Notification
from storage.retention import RetentionSettings
from storage.session import Database
from tests.storage.conftest import (  # noqa: F401 - fixtures
    ann,
    database,
    migrated_file,
    migrated_url,
    postgres,
    sqlite,
)
from tests.storage.people import add_user, tell

LONG_AGO = timedelta(days=400)


def read_long_ago(database: Database, ann: int, count: int, **columns: object) -> None:  # noqa: F811
    tell(database, ann, count, **columns)
    with database.write() as session:
        session.execute(sa.update(Notification).values(read_at=utc_now() - LONG_AGO))


def test_what_is_old_goes_and_the_page_is_told_so(database: Database, ann: int) -> None:  # noqa: F811
    read_long_ago(database, ann, 3)
    [recent] = tell(database, ann, 1)
    assert Retention(database, RetentionSettings(), 0).run()["unread"] == 0
    with capture_logs() as logs:
        gone = Retention(database, RetentionSettings(), 180).run()
    assert gone["read"] == 3
    assert [entry["read"] for entry in logs if entry["event"] == "tidied"] == [3]
    with database.read() as session:
        assert list(session.scalars(sa.select(Notification.id))) == [recent]
        state = session.get(JobState, jobs.TIDY)
        assert state is not None
        assert state.configured is not None
        assert (state.configured["rule"], state.configured["removed"]["read"]) == ("", 3)


def test_room_is_given_back(sqlite: Database) -> None:  # noqa: F811
    read_long_ago(sqlite, add_user(sqlite, "ann"), 2500, notes="x" * 8000)
    before = sizes.size(sqlite)
    Retention(sqlite, RetentionSettings(), 180).run()
    after = sizes.size(sqlite)
    assert after.total < before.total / 2
    assert after.free < before.total / 2


def test_a_database_that_is_away_is_told_and_survived(database: Database, ann: int) -> None:  # noqa: F811
    tell(database, ann, 1)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE job_states")
    with capture_logs() as logs:
        assert Retention(database).run() == {}
    assert [entry["event"] for entry in logs] == ["tidy_failed"]
