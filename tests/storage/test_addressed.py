"""What a tail reads: notifications with how their readers read."""

import sqlalchemy as sa

from storage import addressed, notifications
from storage.models import Notification
from storage.session import Database
from tests.storage.people import NOON, add_user, record, tell
from tests.storage.people import notification as columns


def test_news_of_everybody_come_oldest_first_so_many_at_once(database: Database, ann: int, bob: int) -> None:
    ids = [*tell(database, ann, 2), *tell(database, bob, 2)]
    with database.look() as connection:
        assert [told.row.id for told in addressed.after(connection, 0, 100)] == ids
        assert [told.row.id for told in addressed.after(connection, ids[0], 2)] == ids[1:3]
        assert addressed.after(connection, ids[-1], 100) == []


def test_every_column_is_read_as_the_row_itself_gives_it(database: Database, ann: int) -> None:
    detail = {"field": "status", "label": "", "old": "Новая", "new": "100 % «готово»"}
    record(database, columns(ann, "a", details=[detail], reasons=["watcher", "author"], notes="Тест"))
    with database.read() as session:
        [row] = session.scalars(sa.select(Notification))
        [told] = addressed.after(session.connection(), 0, 10)
        names = [column.key for column in Notification.__table__.columns]
        assert {name: getattr(told.row, name) for name in names} == {
            name: getattr(row, name) for name in names
        }
        assert {"details", "reasons", "created_at", "surfaced_at", "notes"} <= set(names)


def test_rows_by_id_come_in_order_without_withdrawn_ones(database: Database, ann: int) -> None:
    ids = tell(database, ann, 700)  # more than fit into one statement's chunk
    with database.write() as session:
        notifications.withdraw(session, ids[:1], NOON)
    with database.look() as connection:
        found = addressed.with_ids(connection, [*reversed(ids), 10**6])
        assert addressed.with_ids(connection, []) == []
    assert [told.row.id for told in found] == ids[1:]


def test_each_comes_with_its_readers_language_and_time_zone(database: Database, ann: int) -> None:
    eve = add_user(database, "eve", language="en", time_zone="Asia/Tokyo")
    tell(database, ann, 1)
    tell(database, eve, 1)
    with database.look() as connection:
        _, hers = addressed.after(connection, 0, 10)
    assert (hers.row.user_id, hers.language, hers.time_zone) == (eve, "en", "Asia/Tokyo")
