"""What open pages must learn besides new notifications."""

from storage import live
from storage.session import Database


def publish(database: Database, *user_ids: int) -> None:
    for user_id in user_ids:
        with database.write() as session:
            live.publish(session, user_id, "unread_count", {"unread": user_id})


def test_events_are_read_in_order_from_the_last_one_seen(database: Database, ann: int, bob: int) -> None:
    publish(database, ann, bob, ann)
    with database.read() as session:
        events = live.after(session, 0, 10)
        assert [(e.user_id, e.event, e.payload) for e in events] == [
            (ann, "unread_count", {"unread": ann}),
            (bob, "unread_count", {"unread": bob}),
            (ann, "unread_count", {"unread": ann}),
        ]
        assert [e.id for e in live.after(session, events[0].id, 1)] == [events[1].id]
        assert live.newest_id(session) == events[-1].id


def test_without_events_the_newest_id_is_zero(database: Database) -> None:
    with database.read() as session:
        assert (live.newest_id(session), live.after(session, 0, 10)) == (0, [])
