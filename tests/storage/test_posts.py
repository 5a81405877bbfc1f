"""Announcements, who has read which, and telling everybody of them."""

from datetime import timedelta

from storage import live, posts
from storage.columns import utc_now
from storage.models import Post
from storage.session import Database
from tests.storage.people import NOON, add_user


def publish(database: Database, author: int, title: str = "Post") -> int:
    with database.write() as session:
        return posts.add(session, author, title, "Words").id


def unread(database: Database, reader: int) -> int:
    with database.read() as session:
        return posts.unread_count(session, reader)


def test_a_post_is_unread_until_it_was_marked_and_marking_twice_is_no_harm(
    database: Database, ann: int, bob: int
) -> None:
    first, _second = publish(database, ann), publish(database, ann)
    assert (unread(database, bob), unread(database, ann)) == (2, 0)
    for _ in range(2):
        with database.write() as session:
            posts.mark_read(session, bob, NOON, first)
    assert unread(database, bob) == 1
    with database.read() as session:
        shown = posts.find(session, bob, first)
    assert shown is not None
    assert shown.is_read
    assert shown.author is not None
    assert shown.author.id == ann


def test_everything_is_marked_at_once(database: Database, ann: int, bob: int) -> None:
    for _ in range(3):
        publish(database, ann)
    for _ in range(2):
        with database.write() as session:
            posts.mark_read(session, bob, NOON)
    assert unread(database, bob) == 0


def test_older_posts_are_no_news_to_a_newcomer(database: Database, ann: int) -> None:
    publish(database, ann)
    newcomer = add_user(database, "newcomer", created_at=utc_now() + timedelta(seconds=1))
    assert unread(database, newcomer) == 0


def test_pages_are_cut_newest_first(database: Database, ann: int) -> None:
    with database.write() as session:
        for number in range(5):
            posted_at = NOON + timedelta(hours=number)
            session.add(Post(title=f"{number}", content="x", author_id=ann, date_posted=posted_at))
    with database.read() as session:
        page = posts.page(session, ann, 2, 2)
        assert [row.post.title for row in page.rows] == ["2", "1"]
        assert (page.total, page.pages) == (5, 3)
        assert posts.page(session, ann, 9, 2).rows == []


def test_a_post_is_deleted_once(database: Database, ann: int, bob: int) -> None:
    post_id = publish(database, ann)
    with database.write() as session:
        posts.mark_read(session, bob, NOON, post_id)
    for is_gone in (True, False):
        with database.write() as session:
            assert posts.remove(session, post_id) is is_gone
    with database.read() as session:
        assert posts.find(session, bob, post_id) is None


def test_every_active_user_is_told_in_one_statement(database: Database, ann: int, bob: int) -> None:
    add_user(database, "gone", is_active=False)
    payload = {"id": 7, "title": 'Кавычки \' и "ещё"'}
    with database.write() as session:
        live.lock_order(session)
        posts.announce(session, "post_published", payload, NOON)
    with database.read() as session:
        told = live.after(session, 0, 100)
    assert [(event.user_id, event.event, event.payload) for event in told] == [
        (ann, "post_published", payload),
        (bob, "post_published", payload),
    ]
    assert {event.created_at for event in told} == {NOON}
