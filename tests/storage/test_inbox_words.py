"""Search: what it finds is the same before the daemon has taken the words of a notification, and after."""

import pytest
import sqlalchemy as sa

from storage import inbox, inbox_acts, inbox_words, notifications
from storage.inbox import Filter
from storage.inbox_acts import Chosen
from storage.models import Notification, NotificationWords
from storage.session import Database
from tests.storage.people import NOON, tell

TEXTS = [
    "Принтер ГОРИТ",
    "принтер, ещё раз",
    "Ёлка — 100% за 5_000 ₽ (скидка?)",
    "ÄRGER mit Straße",
    "日本語のプリンター",
    "한국어",
    "back\\slash and 'quotes' \"both\"",
    "ΑΓ",
    "ends with qwertz",
    "",
]
LOOKED_FOR = [
    *("принтер", "ПРИНТЕР", "горит", "Ё", "ё", "п", "100%", "%", "5_0", "_", "₽", "?", "(скидка?)", "ärger"),
    *(
        "straße",
        "ÄR",
        "日本",
        "日木",
        "プリ",
        "한국",
        "\\",
        "'",
        '"both"',
        "σ",
        "ς",
        "qwertz",
        "qwertzu",
        "нет",
    ),
]


def found(database: Database, user_id: int, text: str) -> list[int]:
    """Return the ids that a search finds, ascending."""
    with database.read() as session:
        rows, _ = inbox.of_thread(session, user_id, Filter(text=text), NOON, 100)
        groups = inbox.groups(session, user_id, Filter(text=text), NOON, 100).groups
    ids = sorted(row.id for row in rows)
    assert sorted(group.newest.id for group in groups) == ids
    assert [group.count for group in groups] == [1] * len(ids)
    return ids


def take(database: Database, limit: int = 100) -> int:
    with database.write() as session:
        return inbox_words.add_new(session, limit)


@pytest.fixture
def texts(database: Database, ann: int, bob: int) -> dict[int, str]:
    """What Ann was told, each of an issue of its own; Bob was told the same."""
    told = {}
    for number, text in enumerate(TEXTS):
        columns = {"issue_id": 900 + number, "message": "m", "notes": text, "actor_name": "a"}
        told[tell(database, ann, 1, **columns)[0]] = text
        tell(database, bob, 1, **columns)
    return told


@pytest.mark.parametrize("taken", [0, 7, 100], ids=["none-taken", "some-taken", "all-taken"])
def test_a_search_finds_the_same_whatever_is_taken(
    database: Database, ann: int, texts: dict[int, str], taken: int
) -> None:
    assert take(database, taken) == min(taken, 2 * len(TEXTS))
    for looked_for in LOOKED_FOR:
        right = [row for row, text in texts.items() if looked_for.lower() in text.lower()]
        assert found(database, ann, looked_for) == right, looked_for


def test_words_are_taken_once_and_in_slices(database: Database, ann: int, texts: dict[int, str]) -> None:
    with database.read() as session:
        assert inbox_words.has_new(session)
    assert [take(database, 8) for _ in range(4)] == [8, 8, 4, 0]
    with database.read() as session:
        assert not inbox_words.has_new(session)
    tell(database, ann, 1, issue_id=800, notes="принтер")
    assert len(found(database, ann, "принтер")) == 3
    assert take(database) == 1
    assert len(found(database, ann, "принтер")) == 3


@pytest.mark.parametrize("is_taken", [False, True])
def test_what_was_amended_is_found_by_its_new_words(database: Database, ann: int, is_taken: bool) -> None:
    first = tell(database, ann, 1, issue_id=1, notes="one")[0]
    tell(database, ann, 1, issue_id=2, notes="other")
    if is_taken:
        take(database)
    with database.write() as session:
        notifications.amend(session, first, {"notes": "two", "title": "T"})
    assert (found(database, ann, "two"), found(database, ann, "one")) == ([first], [])
    take(database)
    assert (found(database, ann, "two"), found(database, ann, "one")) == ([first], [])


def test_words_go_with_their_notification(database: Database, ann: int) -> None:
    ids = tell(database, ann, 3, issue_id=1, notes="old words")
    take(database)
    with database.write() as session:
        session.execute(sa.delete(Notification).where(Notification.id.in_(ids[1:])))
    with database.read() as session:
        assert list(session.scalars(sa.select(NotificationWords.notification_id))) == ids[:1]
    later = tell(database, ann, 1, issue_id=2, notes="new words")
    assert found(database, ann, "new words") == later
    assert take(database) == 1
    assert found(database, ann, "new words") == later


def test_an_act_on_what_a_search_finds_touches_nothing_else(database: Database, ann: int, bob: int) -> None:
    mine = tell(database, ann, 2, issue_id=1, notes="printer")
    tell(database, ann, 1, issue_id=2, notes="scanner")
    tell(database, bob, 1, issue_id=1, notes="printer")
    take(database, 1)
    with database.write() as session:
        changed = inbox_acts.perform(session, ann, "read", Chosen(asked=Filter(text="PRINT")), NOON)
    assert changed == mine
