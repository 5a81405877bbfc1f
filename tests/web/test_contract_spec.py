"""Every call of the user's contract is answered as its examples show: keys, types, formats and messages.

A row says how a call is made; one for each call of tests/spec/api.md, or a line that says why there is none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from storage import snapshots, users
from storage.models import Host
from tests.redmines import RedmineUnderTest
from tests.web import snapshot, spec
from tests.web.house import Browser, House, password_of
from tests.web.pushing import PATH as PUSH
from tests.web.pushing import subscription, switch_on
from tests.web.town import attach

PICTURE = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
# Where nothing is configured to ask there is a clear refusal, until the source exists.
NOT_CONFIGURED = {
    "GET /api/erp/user/{username}": "erp_not_configured",
    "GET /finesse/dialogs": "finesse_not_configured",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Ann, an administrator with a task, a notification and a post, in front of a Redmine."""

    house: House
    redmine: RedmineUnderTest
    browser: Browser
    task_id: int
    attachment_id: int
    notification_id: int

    def call(self, call: spec.Call, **path: Any) -> TestResponse:
        """Make a call with the contract's own example of what is sent."""
        options = {"json": call.sent} if call.sent else {}
        return self.browser.api(call.path.format(**path), call.method, **options)

    def change(self, call: spec.Call, **sent: Any) -> TestResponse:
        """Change the task, by ids that this Redmine knows."""
        return self.browser.api(
            call.path.format(task_id=self.task_id), call.method, json=(call.sent or {}) | sent
        )


@pytest.fixture
def scene(town: House, any_redmine: RedmineUnderTest) -> Scene:
    ann_at_redmine = any_redmine.id_of("user", "ann")
    with town.database.read() as session:
        ann = users.by_username(session, "ann")
        assert ann is not None
    town.change_user(
        ann.id,
        role="admin",
        language="ru",
        full_name="Анна Козлова",
        vpn_end_date=date(2024, 12, 31),
    )
    task_id = any_redmine.create_issue("bob", assigned_to_id=ann_at_redmine, due_date="2030-01-20")
    attachment_id = attach(any_redmine, "bob", task_id, "screenshot.png", PICTURE, "image/png")
    _remember(town, any_redmine, task_id)
    (notification_id,) = town.notify(ann.id, issue_id=task_id)
    browser = town.browser("ann")
    browser.api("/posts", "POST", json={"title": "Новость", "content": "Текст"})
    return Scene(switch_on(town), any_redmine, browser, task_id, attachment_id, notification_id)


def _remember(house: House, redmine: RedmineUnderTest, task_id: int) -> None:
    """Store the task and a host as the daemon would."""
    found = redmine.issue(task_id)
    row = snapshot.issue(
        task_id,
        assigned_to_id=found["assigned_to"]["id"],
        project_id=found["project"]["id"],
        tracker_id=found["tracker"]["id"],
        due_date=date(2030, 1, 20),
    )
    checked_at = datetime(2024, 1, 16, 14, 20, tzinfo=UTC)
    with house.database.write() as session:
        snapshots.save_issues(session, [row])
        session.add(
            Host(name="redmine", address="192.168.1.100", state="up", rtt_ms=45.2, checked_at=checked_at)
        )


Row = Callable[[Scene, spec.Call], TestResponse]


def plain(scene: Scene, call: spec.Call) -> TestResponse:
    """Make the call as the contract shows it."""
    return scene.call(
        call,
        task_id=scene.task_id,
        attachment_id=scene.attachment_id,
        notification_id=scene.notification_id,
        username="user123",
    )


def log_in(scene: Scene, call: spec.Call) -> TestResponse:
    sent = (call.sent or {}) | {"username": "ann", "password": password_of("ann")}
    return scene.house.app.test_client().post(call.path, json=sent)


def status(scene: Scene, call: spec.Call) -> TestResponse:
    return scene.change(call, status_id=scene.redmine.id_of("status", "Resolved"))


def priority(scene: Scene, call: spec.Call) -> TestResponse:
    return scene.change(call, priority_id=scene.redmine.id_of("priority", "High"))


def assignee(scene: Scene, call: spec.Call) -> TestResponse:
    return scene.change(call, assignee_id=scene.redmine.id_of("user", "bob"))


def subscribe(scene: Scene, call: spec.Call) -> TestResponse:
    """Subscribe as the contract's page does; its example abridges endpoint and keys."""
    sent = subscription(is_url=False)
    assert call.sent is not None
    assert set(sent) == set(call.sent)
    return scene.browser.api(PUSH, "POST", json=sent)


def unsubscribe(scene: Scene, call: spec.Call) -> TestResponse:
    assert call.sent is not None
    sent = subscription(is_url=False) | call.sent
    assert scene.browser.api(PUSH, "POST", json=sent).status_code == 201
    return scene.change(call)


SPECIAL: dict[str, Row] = {
    "POST /tasks/api/push-subscribe": subscribe,
    "DELETE /tasks/api/push-subscribe": unsubscribe,
    "POST /users/login": log_in,
    "PUT /tasks/api/task/{task_id}/status": status,
    "PUT /tasks/api/task/{task_id}/priority": priority,
    "PUT /tasks/api/task/{task_id}/assignee": assignee,
}
CALLS = list(spec.calls().values())


def test_the_contract_was_read_whole() -> None:
    assert len(spec.calls()) == spec.FILE.read_text().count("**Endpoint:**") == 23
    assert set(spec.events()) == {"join_notifications", "new_notification", "task_status_changed"}
    assert set(NOT_CONFIGURED) | set(SPECIAL) <= set(spec.calls())


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name.replace("/", " ").replace("  ", " "))
def test_a_call_is_answered_as_the_contract_shows(scene: Scene, call: spec.Call) -> None:
    answer = SPECIAL.get(call.name, plain)(scene, call)
    if call.name in NOT_CONFIGURED:
        assert (answer.status_code, answer.get_json()["code"]) == (503, NOT_CONFIGURED[call.name])
        return
    assert answer.status_code in {200, 201}, answer.text
    if call.path.endswith("/download"):
        assert answer.data == PICTURE
        return
    body = answer.get_json()
    assert spec.differences(call.answer or {"success": True, "message": "text"}, body) == []
    if call.answer and "message" in call.answer:
        assert body["message"] == call.answer["message"]
    if call.answer and "pagination" in call.answer:
        assert set(body["pagination"]) == {"page", "per_page", "total", "pages"}
    assert _lists(call.answer) == {name for name in _lists(call.answer) if body[name]}, "a list is empty"


def _lists(example: dict[str, Any] | None) -> set[str]:
    return {name for name, value in (example or {}).items() if isinstance(value, list)}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name.replace("/", " "))
def test_the_query_of_a_call_is_understood(scene: Scene, call: spec.Call) -> None:
    for name in call.query:
        assert scene.browser.api(f"{call.path}?{name}=1").status_code == 200
        assert scene.browser.api(f"{call.path}?{name}=x").status_code == 422


def test_the_live_channel_says_what_the_contract_shows(scene: Scene) -> None:
    user_id = scene.browser.api("/users/profile").get_json()["id"]
    scene.house.live.tail.step()
    socket = scene.house.socket(scene.browser)
    joined = socket.call("join_notifications", spec.events()["join_notifications"] | {"user_id": user_id})
    assert joined["success"] is True
    scene.house.notify(user_id)
    scene.house.live.tail.step()
    for name in ("new_notification", "task_status_changed"):
        (said,) = socket.events(name)
        assert spec.differences(spec.events()[name], said) == []
