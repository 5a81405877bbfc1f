"""Open pages hear of changed tasks and of who else looks, and only of what Redmine shows them."""

from typing import Any

import pytest

from daemon.demo.faults import Aim
from storage import users
from tests.redmines import RedmineUnderTest
from tests.web.conftest import Build
from tests.web.house import NOON, House, TestSocket
from tests.web.snapshot import stored


def opened(house: House, login: str) -> TestSocket:
    return house.socket(house.browser(login))


@pytest.fixture
def issue_id(demo_town: House, demo_redmine: RedmineUnderTest) -> int:
    number = demo_redmine.create_issue("ann", project="closed-circle")
    stored(demo_town, number)
    return number


def test_a_watcher_hears_of_a_change(demo_town: House, issue_id: int) -> None:
    bob = opened(demo_town, "bob")
    answer = bob.call("watch_tasks", {"ids": [issue_id, 99_999]})
    assert (answer["success"], answer["ids"]) == (True, [issue_id])
    assert answer["updated_on"] == {str(issue_id): "2024-01-16T14:20:00Z"}
    demo_town.live.look()
    assert bob.events("task_changed") == []
    stored(demo_town, issue_id, updated_on=NOON.replace(hour=15), status_id=2)
    demo_town.live.look()
    demo_town.live.look()
    assert bob.events("task_changed") == [
        {
            "task_id": issue_id,
            "updated_on": "2024-01-16T15:20:00Z",
            "status_id": 2,
            "priority_id": 0,
            "assigned_to_id": None,
        }
    ]


def test_a_change_right_after_the_answer_is_told(demo_town: House, issue_id: int) -> None:
    """The first round comes later than the change: it must know how the task was before."""
    bob = opened(demo_town, "bob")
    bob.call("watch_tasks", {"ids": [issue_id]})
    stored(demo_town, issue_id, status_id=2)
    demo_town.live.look()
    assert [event["status_id"] for event in bob.events("task_changed")] == [2]


def test_nobody_hears_of_what_redmine_hides(demo_town: House, issue_id: int) -> None:
    carl, bob = opened(demo_town, "carl"), opened(demo_town, "bob")
    assert carl.call("watch_tasks", {"ids": [issue_id]})["ids"] == []
    assert carl.call("viewing", {"task_id": issue_id})["success"] is False
    bob.call("watch_tasks", {"ids": [issue_id]})
    demo_town.live.look()
    stored(demo_town, issue_id, status_id=2)
    demo_town.live.look()
    assert bob.events("task_changed")
    assert carl.events("task_changed") == carl.events("viewers") == []


def test_a_page_that_watches_others_hears_no_more_of_the_first(
    demo_town: House, demo_redmine: RedmineUnderTest, issue_id: int
) -> None:
    bob, other = opened(demo_town, "bob"), demo_redmine.create_issue("ann")
    stored(demo_town, other)
    bob.call("watch_tasks", {"ids": [issue_id]})
    bob.call("watch_tasks", {"ids": [other]})
    demo_town.live.look()
    stored(demo_town, issue_id, status_id=2)
    stored(demo_town, other, status_id=2)
    demo_town.live.look()
    assert [event["task_id"] for event in bob.events("task_changed")] == [other]


def test_redmine_is_asked_once_in_a_while_only(
    demo_town: House, demo_redmine: RedmineUnderTest, issue_id: int
) -> None:
    bob = opened(demo_town, "bob")
    bob.call("watch_tasks", {"ids": [issue_id]})
    before = len(demo_redmine.requests)
    assert bob.call("watch_tasks", {"ids": [issue_id]})["ids"] == [issue_id]
    assert len(demo_redmine.requests) == before


def test_who_looks_is_told_across_viewer_processes(
    demo_town: House, demo_redmine: RedmineUnderTest, build: Build, issue_id: int
) -> None:
    settings = demo_town.viewer.settings
    second = build(settings.storage, redmine=settings.redmine)
    demo_town.change_user(user_id_of(demo_town, "bob"), full_name="Боб")
    bob, ann = opened(demo_town, "bob"), opened(second, "ann")
    bob.call("viewing", {"task_id": issue_id})
    ann.call("viewing", {"task_id": issue_id})
    for house in (demo_town, second):
        house.live.look()
    assert _names(bob) == _names(ann) == ["ann", "Боб"]
    ann.client.disconnect()
    for house in (demo_town, second):
        house.live.look()
    assert _names(bob) == ["Боб"]


def user_id_of(house: House, username: str) -> int:
    with house.database.read() as session:
        user = users.by_username(session, username)
    assert user is not None
    return user.id


def _names(socket: TestSocket) -> list[str]:
    return [person["name"] for person in socket.events("viewers")[-1]["people"]]


def test_looking_away_is_told(demo_town: House, issue_id: int) -> None:
    bob, ann = opened(demo_town, "bob"), opened(demo_town, "ann")
    for socket in (bob, ann):
        socket.call("viewing", {"task_id": issue_id})
    demo_town.live.look()
    bob.call("viewing", {"task_id": None})
    demo_town.live.look()
    assert _names(ann) == ["ann"]


@pytest.mark.parametrize(
    "asked", [None, [], {}, {"ids": "1"}, {"ids": [0]}, {"ids": [True]}, {"ids": [2**40]}, {"ids": [1] * 501}]
)
def test_nonsense_is_refused(demo_town: House, asked: Any) -> None:
    bob = opened(demo_town, "bob")
    assert bob.call("watch_tasks", asked)["success"] is False
    assert bob.is_connected


def test_redmine_away_is_said(demo_town: House, demo_redmine: RedmineUnderTest, issue_id: int) -> None:
    demo_redmine.faults.status(500, Aim(times=None))
    answer = opened(demo_town, "bob").call("watch_tasks", {"ids": [issue_id]})
    assert (answer["success"], answer["ids"]) == (False, [])
    assert answer["message"]


def test_without_redmine_nothing_is_watched(house: House) -> None:
    house.add_user("bob")
    assert opened(house, "bob").call("watch_tasks", {"ids": [1]})["success"] is False
