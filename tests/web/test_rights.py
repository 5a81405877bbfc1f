"""What is in doubt is shown only after Redmine has confirmed it to its reader."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from daemon.clients.errors import (
    ImpersonationRefused,
    NotFound,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    WrongAnswer,
)
from daemon.clients.values import Account, CustomValue, Issue, Journal, JournalDetail, Ref
from tests.web.house import House
from tests.web.test_live import look
from web.rights import Rights
from web.viewer import EXTENSION

SECRET = "Секретный принтер"
AT = datetime(2024, 1, 16, tzinfo=UTC)


@dataclass
class FakeRedmine:
    """What one reader may see; `error` is raised by everything, `slow_s` passes with each issue read."""

    account_id: int = 5
    issues: dict[int, Issue | None] = field(default_factory=dict)
    error: SourceError | None = None
    slow_s: float = 0.0
    now: float = 100.0
    asked: list[str] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def acting_as(self, login: str) -> "FakeRedmine":
        assert login == "ann"
        return self

    def account(self) -> Account:
        self._ask("account")
        return Account(self.account_id, "ann", False, "Ann", "Manager", None, None)

    def visible_ids(self, ids: Sequence[int]) -> frozenset[int]:
        self._ask("visible")
        return frozenset(ids) & self.issues.keys()

    def issue(self, issue_id: int, include: Sequence[str] = ()) -> Issue:
        assert include == ("journals",)
        self._ask(f"issue {issue_id}")
        self.now += self.slow_s
        found = self.issues[issue_id]
        if found is None:
            raise NotFound("gone meanwhile")
        return found

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error


def issue(*journals: Journal, fields: Sequence[str] = ()) -> Issue:
    """An issue as the reader sees it, with these journals and custom fields."""
    ref = Ref(1, "x")
    return Issue(
        id=101,
        subject=SECRET,
        description="",
        project=ref,
        tracker=ref,
        status=ref,
        priority=ref,
        author=ref,
        assigned_to=None,
        category=None,
        fixed_version=None,
        parent_id=None,
        is_private=False,
        start_date=None,
        due_date=None,
        done_ratio=0,
        estimated_hours=None,
        created_on=AT,
        updated_on=AT,
        closed_on=None,
        custom_fields=tuple(CustomValue(n, name, "") for n, name in enumerate(fields)),
        journals=journals,
        attachments=None,
        relations=None,
        watchers=None,
        allowed_statuses=None,
    )


def journal(number: int = 1, notes: str = "", *details: JournalDetail, private: bool = False) -> Journal:
    return Journal(number, Ref(7, "Bob"), AT, notes, private, details)


@dataclass
class Asked:
    """A viewer with ann's inbox, and what Redmine says."""

    house: House
    redmine: FakeRedmine
    ann: int

    def doubtful(self, **columns: Any) -> int:
        (row_id,) = self.house.notify(self.ann, subject=SECRET, verify_at_show=True, **columns)
        return row_id

    def items(self) -> list[dict[str, Any]]:
        body = self.house.browser("ann").api("/tasks/api/notifications?html=1").get_json()
        return list(body["notifications"])


@pytest.fixture
def asked(house: House) -> Asked:
    """Ann is Redmine's user 5; Redmine shows her nothing yet."""
    redmine = FakeRedmine()
    put_in(house, redmine)
    ann = house.add_user("ann", redmine_login="ann", id_redmine_user=5)
    return Asked(house, redmine, ann)


def put_in(house: House, redmine: FakeRedmine) -> None:
    rights = Rights(house.database, redmine, redmine.clock)
    house.live._rights = rights
    house.app.extensions[EXTENSION] = replace(house.viewer, rights=rights)


def test_a_visible_issue_is_shown_and_not_asked_for_again(asked: Asked) -> None:
    row_id = asked.doubtful()
    asked.redmine.issues[101] = issue()
    (item,) = asked.items()
    assert (item["subject"], item["masked"]) == (SECRET, False)
    assert not asked.house.row(row_id).verify_at_show
    asked.redmine.asked.clear()
    asked.items()
    assert asked.redmine.asked == []


def test_a_hidden_issue_is_withdrawn(asked: Asked) -> None:
    row_id = asked.doubtful()
    assert asked.items() == []
    assert asked.house.row(row_id).withdrawn_at is not None


def test_many_are_asked_for_at_once(asked: Asked) -> None:
    ids = [asked.doubtful() for _ in range(10)]
    asked.redmine.issues.update({101 + n: issue() for n in range(0, 10, 2)})
    assert [item["id"] for item in asked.items()] == ids[::2][::-1]
    assert asked.redmine.asked == ["account", "visible"]


@pytest.mark.parametrize(
    "error",
    [
        SourceUnavailable("down"),
        WrongAnswer("html"),
        SourceRefused("dead key", status=401),
        ImpersonationRefused("locked", status=412),
    ],
    ids=["down", "html", "key", "locked"],
)
def test_while_redmine_says_nothing_nothing_is_shown(asked: Asked, error: SourceError) -> None:
    row_id = asked.doubtful(notes="Тайна", is_private_note=True)
    asked.redmine.error = error
    (item,) = asked.items()
    assert item["masked"]
    assert SECRET not in str(item)
    assert "Тайна" not in str(item)
    assert "Новый" not in str(item)
    assert item["url"] == ""
    assert asked.house.row(row_id).withdrawn_at is None
    page = asked.house.browser("ann").get("/notifications").text
    assert SECRET not in page
    assert "Тайна" not in page


def test_an_answer_for_somebody_else_proves_nothing(asked: Asked) -> None:
    row_id = asked.doubtful()
    asked.redmine.account_id = 1
    asked.redmine.issues[101] = issue()
    (item,) = asked.items()
    assert item["masked"]
    assert asked.house.row(row_id).verify_at_show
    assert asked.redmine.asked == ["account"]


def test_a_redmine_that_was_down_is_left_alone_for_a_moment(asked: Asked) -> None:
    asked.doubtful()
    asked.redmine.error = SourceUnavailable("down")
    for _ in range(3):
        assert asked.items()[0]["masked"]
    assert asked.redmine.asked == ["account"]
    asked.redmine.error = None
    asked.redmine.issues[101] = issue()
    asked.redmine.now += 11
    assert not asked.items()[0]["masked"]


def test_one_locked_reader_does_not_keep_the_others_waiting(asked: Asked) -> None:
    asked.doubtful()
    asked.redmine.error = ImpersonationRefused("locked", status=412)
    assert asked.items()[0]["masked"]
    asked.redmine.error = None
    asked.redmine.issues[101] = issue()
    assert not asked.items()[0]["masked"]


def test_without_redmine_or_account_nothing_in_doubt_is_shown(house: House) -> None:
    ann = house.add_user("ann", redmine_login="ann", id_redmine_user=5)
    bob = house.add_user("bob")
    house.notify(ann, bob, verify_at_show=True)
    assert house.browser("ann").api("/tasks/api/notifications").get_json()["notifications"][0]["masked"]
    put_in(house, FakeRedmine(issues={101: issue()}))
    assert house.browser("bob").api("/tasks/api/notifications").get_json()["notifications"][0]["masked"]


CF = JournalDetail("cf", "1", "1", "2")
BLOCKS = JournalDetail("relation", "blocks", None, "12")
STATUS = {"field": "status", "label": "", "old": "Новый", "new": "В работе"}
BAND = {"field": "custom_field", "label": "Salary band", "old": "1", "new": "2"}
ROOM = {"field": "custom_field", "label": "Room", "old": "1", "new": "2"}
LINK = {"field": "relation", "label": "blocks", "old": None, "new": "#12"}


@pytest.mark.parametrize(
    ("columns", "seen", "shown"),
    [
        ({"notes": "Тайна"}, issue(journal(1, "Тайна")), True),
        ({"notes": "Тайна"}, issue(journal(2, "Иное")), False),
        ({"notes": "Тайна", "is_private_note": True}, issue(), False),
        ({"notes": "Тайна", "details": []}, issue(journal(1, "")), False),
        ({"notes": "Тайна"}, None, False),
        ({"details": [STATUS, BAND]}, issue(journal(1, "", CF), fields=["Salary band"]), True),
        ({"details": [BAND]}, issue(journal(1, "", CF), fields=["Room"]), False),
        ({"details": [LINK]}, issue(journal(1, "", BLOCKS)), True),
        ({"details": [LINK]}, issue(journal(1, "")), False),
        ({"details": [LINK]}, issue(journal(1, "", replace(BLOCKS, new_value="1"))), False),
    ],
    ids=[
        "note-shown",
        "note-hidden",
        "private-note-hidden",
        "note-blanked",
        "issue-gone",
        "field-shown",
        "field-hidden",
        "relation-shown",
        "relation-hidden",
        "another-relation",
    ],
)
def test_a_guarded_part_needs_the_readers_own_journal(
    asked: Asked, columns: dict[str, Any], seen: Issue | None, shown: bool
) -> None:
    row_id = asked.doubtful(**columns)
    asked.redmine.issues[101] = seen
    assert [item["masked"] for item in asked.items()] == ([False] if shown else [])
    assert (asked.house.row(row_id).withdrawn_at is None) is shown
    assert asked.redmine.asked[:3] == ["account", "visible", "issue 101"]


def test_a_part_that_is_hidden_now_is_cut_out(asked: Asked) -> None:
    asked.doubtful(details=[STATUS, ROOM, BAND, LINK])
    asked.redmine.issues[101] = issue(journal(1, "", CF), fields=["Room"])
    (item,) = asked.items()
    assert item["details"] == [STATUS, ROOM]
    assert "Salary band" not in str(item)


def test_an_edited_note_is_shown_as_it_is_now(asked: Asked) -> None:
    asked.doubtful(notes="Пароль: 123", message="Комментарий: Пароль: 123", title="Новый комментарий")
    asked.redmine.issues[101] = issue(journal(1, "Пароль убран", private=True))
    (item,) = asked.items()
    assert (item["notes"], item["is_private_note"]) == ("Пароль убран", True)
    assert "123" not in str(item)


def test_an_issue_is_read_once_for_all_its_notifications(asked: Asked) -> None:
    for number in (1, 2):
        asked.doubtful(issue_id=101, notes=f"Тайна {number}")
    asked.redmine.issues[101] = issue(journal(1, "Тайна 1"), journal(2, "Тайна 2"))
    assert [item["masked"] for item in asked.items()] == [False, False]
    assert asked.redmine.asked == ["account", "visible", "issue 101"]


def test_a_slow_redmine_is_not_waited_for(asked: Asked) -> None:
    ids = [asked.doubtful(notes="Тайна") for _ in range(4)]
    asked.redmine.issues = {101 + n: issue(journal(1 + n, "Тайна")) for n in range(4)}
    asked.redmine.slow_s = 2.0
    assert [(item["id"], item["masked"]) for item in asked.items()] == [
        (ids[3], False),
        (ids[2], False),
        (ids[1], True),
        (ids[0], True),
    ]
    assert not any(item["masked"] for item in asked.items())


def test_a_row_of_no_issue_is_shown(asked: Asked) -> None:
    asked.doubtful(issue_id=None)
    assert not asked.items()[0]["masked"]


def test_a_replay_masks_what_is_in_doubt_and_follows_it_up(asked: Asked) -> None:
    house = asked.house
    house.live.tail.step()
    shown, hidden = asked.doubtful(), asked.doubtful()
    asked.redmine.issues[101] = issue()
    look(house)
    started: list[Any] = []
    house.live.socketio.start_background_task = lambda *call: started.append(call)
    socket = house.socket(house.browser("ann"), last=0)
    assert [item["masked"] for item in socket.events("new_notification")] == [True, True]
    assert SECRET not in str(socket.client.queue)
    assert socket.events("task_status_changed") == []
    ((verify, *given),) = started
    verify(*given)
    look(house)
    (item,) = socket.events("notification_updated")
    assert (item["id"], item["masked"], item["subject"]) == (shown, False, SECRET)
    assert socket.events("notifications_withdrawn") == [{"ids": [hidden], "unread": 1}]


def test_news_in_doubt_are_masked_too(asked: Asked) -> None:
    house = asked.house
    house.live.tail.step()
    socket = house.socket(house.browser("ann"))
    asked.redmine.error = SourceUnavailable("down")
    asked.doubtful(notes="Тайна")
    look(house)
    (item,) = socket.events("new_notification")
    assert item["masked"]
    assert SECRET not in str(socket.client.queue)
    assert "Тайна" not in str(socket.client.queue)
