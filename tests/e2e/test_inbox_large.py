"""An inbox of 50,000 notifications in a browser: reached, searched and read like a small one.

How soon it answers is measured by `tests.bench.inbox`.
"""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from storage import inbox_words, notifications
from storage.models import Notification
from tests.bench.inbox import MINE, rows_for
from tests.e2e.desk import Desk, card_ids
from tests.e2e.viewer import Person, ViewerUnderTest, wait_until

pytestmark = [pytest.mark.real, pytest.mark.long]
UNREAD = MINE // 10
AT_ONCE = 5_000


@pytest.fixture
def reader(own_viewer: ViewerUnderTest) -> Person:
    """Somebody with 50,000 notifications, each of which can be found by its words."""
    person = own_viewer.person()
    rows = list(rows_for(person.id, MINE, seed=1))
    for begin in range(0, MINE, AT_ONCE):
        with own_viewer.database.write() as session:
            notifications.record(session, rows[begin : begin + AT_ONCE])
    count = 1
    while count:
        with own_viewer.database.write() as session:
            count = inbox_words.add_new(session, 500)
    return person


def test_an_inbox_of_fifty_thousand_is_used_like_a_small_one(
    own_viewer: ViewerUnderTest, reader: Person, open_desk: Callable[[ViewerUnderTest], Desk]
) -> None:
    desk = open_desk(own_viewer)
    page, other = desk.inbox(reader), desk.inbox(reader)
    expect(page.locator("html")).to_have_attribute("data-ready", "true")
    expect(page.get_by_role("link", name=f"Unread {UNREAD}")).to_be_visible()
    first = card_ids(page)
    page.get_by_role("link", name="Earlier notifications").scroll_into_view_if_needed()
    page.wait_for_function("many => document.querySelectorAll('#list .note').length > many", arg=len(first))
    shown = card_ids(page)
    assert shown[: len(first)] == first
    assert len(set(shown)) == len(shown)

    page.get_by_label("Search notifications").fill("драйвер")
    page.keyboard.press("Enter")
    page.wait_for_url("**/notifications?*q=*")
    with own_viewer.database.read() as session:
        found = session.scalars(sa.select(Notification).where(Notification.id.in_(card_ids(page)))).all()
    assert found
    assert all("драйвер" in f"{row.subject} {row.message} {row.notes}" for row in found)

    newest = own_viewer.notify(reader, subject="Fifty thousand and one")
    expect(other.locator(f'#list .note[data-id="{newest}"]')).to_contain_text("Fifty thousand and one")
    assert card_ids(other)[0] == newest
    other.get_by_role("button", name="Mark all read").click()
    wait_until(lambda: own_viewer.unread(reader) == 0, "all read in the database")
    expect(other.get_by_role("button", name="Mark all read")).to_be_disabled()
    page.goto("/notifications?unread_only=1")
    expect(page.locator("#empty")).to_contain_text("Nothing unread")
