"""The inbox as API and page."""

from datetime import timedelta
from typing import Any

import pytest

from storage import notifications
from storage.columns import utc_now
from tests.web.house import NOON, House


def test_the_api_answers_as_the_contract_says(house: House) -> None:
    user_id = house.add_user("ann")
    (row_id,) = house.notify(user_id)
    body = house.browser("ann").api("/tasks/api/notifications").get_json()
    (item,) = body["notifications"]
    contract = {
        "id": row_id,
        "issue_id": 101,
        "old_status": "Новый",
        "new_status": "В работе",
        "old_subj": "Принтер горит",
        "date_created": "2024-01-16T14:20:01Z",
        "is_read": False,
        "type": "status_change",
    }
    assert {key: item[key] for key in contract} == contract
    assert body["pagination"] == {"page": 1, "per_page": 20, "total": 1, "pages": 1}
    assert (body["unread"], body["last_id"], body["source"]) == (1, row_id, None)


def test_an_item_carries_all_that_a_page_shows(house: House) -> None:
    user_id = house.add_user("ann")
    house.notify(user_id, notes="Починил", is_private_note=True)
    (item,) = house.browser("ann").api("/tasks/api/notifications?html=1").get_json()["notifications"]
    assert item["html"].startswith("<article")
    assert "Починил" in item["html"]
    shown = {key: value for key, value in item.items() if key != "html"}
    assert shown == shown | {
        "title": "Изменение статуса задачи",
        "message": "Задача #101 переведена в статус 'В работе'",
        "created_at": "2024-01-16T14:20:01Z",
        "subject": "Принтер горит",
        "journal_id": 1,
        "reasons": ["assignee"],
        "actor": {"id": 7, "name": "Ann Manager"},
        "project": {"id": 1, "name": "Open project"},
        "details": [{"field": "status", "label": "", "old": "Новый", "new": "В работе"}],
        "notes": "Починил",
        "is_private_note": True,
        "url": "",
        "masked": False,
    }


def test_pages_are_newest_first_and_count_everything(house: House) -> None:
    user_id, other_id = house.add_user("ann"), house.add_user("bob")
    ids = [house.notify(user_id)[0] for _ in range(7)]
    house.notify(other_id)
    browser = house.browser("ann")
    first = browser.api("/tasks/api/notifications?per_page=3").get_json()
    third = browser.api("/tasks/api/notifications?per_page=3&page=3").get_json()
    beyond = browser.api("/tasks/api/notifications?per_page=3&page=4").get_json()
    assert [item["id"] for item in first["notifications"]] == ids[:3:-1]
    assert [item["id"] for item in third["notifications"]] == ids[:1]
    assert beyond["notifications"] == []
    assert third["pagination"] == {"page": 3, "per_page": 3, "total": 7, "pages": 3}
    assert first["unread"] == 7


def test_only_unread_ones_can_be_asked_for(house: House) -> None:
    user_id = house.add_user("ann")
    ids = [house.notify(user_id)[0] for _ in range(3)]
    browser = house.browser("ann")
    browser.api(f"/tasks/api/notifications/{ids[1]}/read", "PUT")
    for flag in ("true", "1", "True"):
        body = browser.api(f"/tasks/api/notifications?unread_only={flag}").get_json()
        assert [item["id"] for item in body["notifications"]] == [ids[2], ids[0]]
        assert body["pagination"]["total"] == 2
    everything = browser.api("/tasks/api/notifications?unread_only=false").get_json()
    assert [item["is_read"] for item in everything["notifications"]] == [False, True, False]


@pytest.mark.parametrize(
    ("query", "field", "text"),
    [
        ("page=0", "page", "must be at least 1"),
        ("page=-1", "page", "must be at least 1"),
        ("page=1e3", "page", "must be a whole number"),
        ("page=99999999999999999999", "page", "must be at most 1000000"),
        ("page=", "page", "must be a whole number"),
        ("per_page=101", "per_page", "must be at most 100"),
        ("per_page=0", "per_page", "must be at least 1"),
        ("unread_only=maybe", "unread_only", "must be true or false"),
    ],
)
def test_a_wrong_parameter_is_named(house: House, query: str, field: str, text: str) -> None:
    house.add_user("ann", language="en")
    answer = house.browser("ann").api(f"/tasks/api/notifications?{query}")
    assert answer.status_code == 422
    body = answer.get_json()
    assert (body["success"], body["code"], body["errors"]) == (False, "invalid", {field: [text]})


def test_marking_one_as_read_answers_as_the_contract_says(house: House) -> None:
    user_id = house.add_user("ann")
    ids = [house.notify(user_id)[0] for _ in range(2)]
    answer = house.browser("ann").api(f"/tasks/api/notifications/{ids[0]}/read", "PUT")
    assert answer.get_json() == {
        "success": True,
        "message": "Уведомление отмечено как прочитанное",
        "unread": 1,
    }
    assert house.row(ids[0]).read_at is not None
    assert house.row(ids[1]).read_at is None


def test_marking_again_keeps_the_first_moment(house: House) -> None:
    user_id = house.add_user("ann")
    (row_id,) = house.notify(user_id)
    browser = house.browser("ann")
    browser.api(f"/tasks/api/notifications/{row_id}/read", "PUT")
    first = house.row(row_id).read_at
    assert browser.api(f"/tasks/api/notifications/{row_id}/read", "PUT").status_code == 200
    assert house.row(row_id).read_at == first


def test_all_can_be_marked_as_read(house: House) -> None:
    user_id, other_id = house.add_user("ann"), house.add_user("bob")
    mine = [house.notify(user_id)[0] for _ in range(3)]
    (other,) = house.notify(other_id)
    body = house.browser("ann").api("/tasks/api/notifications/read-all", "PUT").get_json()
    assert (body["success"], body["unread"]) == (True, 0)
    assert all(house.row(row_id).read_at for row_id in mine)
    assert house.row(other).read_at is None


def test_what_came_after_the_page_was_shown_stays_unread(house: House) -> None:
    user_id = house.add_user("ann")
    seen, unseen = house.notify(user_id)[0], house.notify(user_id)[0]
    browser = house.browser("ann")
    path = "/tasks/api/notifications/read-all"
    assert browser.api(path, "PUT", json={"up_to": seen}).get_json()["unread"] == 1
    assert house.row(seen).read_at is not None
    browser.submit("/notifications/read-all", up_to=str(seen))
    assert house.row(unseen).read_at is None
    assert browser.api(path, "PUT", json={"up_to": "all"}).status_code == 422


@pytest.mark.parametrize("row_id", ["0", "999999", "2147483648", "9" * 30])
def test_what_does_not_exist_is_not_found(house: House, row_id: str) -> None:
    house.add_user("ann")
    answer = house.browser("ann").api(f"/tasks/api/notifications/{row_id}/read", "PUT")
    assert answer.status_code == 404
    assert answer.get_json()["success"] is False


def test_another_users_notification_is_not_found_and_stays_unread(house: House) -> None:
    house.add_user("ann")
    (row_id,) = house.notify(house.add_user("bob"))
    browser = house.browser("ann")
    assert browser.api(f"/tasks/api/notifications/{row_id}/read", "PUT").status_code == 404
    assert browser.submit(f"/notifications/{row_id}/read").status_code == 404
    assert house.row(row_id).read_at is None


def test_a_withdrawn_notification_is_gone(house: House) -> None:
    user_id = house.add_user("ann")
    ids = [house.notify(user_id, subject="Секрет")[0] for _ in range(2)]
    with house.database.write() as session:
        notifications.withdraw(session, ids[:1], utc_now())
    browser = house.browser("ann")
    body = browser.api("/tasks/api/notifications").get_json()
    assert [item["id"] for item in body["notifications"]] == ids[1:]
    assert body["unread"] == 1
    assert browser.api(f"/tasks/api/notifications/{ids[0]}/read", "PUT").status_code == 404


def test_the_page_shows_the_inbox(house: House) -> None:
    user_id = house.add_user("ann")
    ids = [house.notify(user_id, subject=f"Задача <b>{n}</b>")[0] for n in range(3)]
    page = house.browser("ann").get("/notifications?per_page=2")
    assert page.status_code == 200
    assert [row_id for row_id in ids if f'id="n{row_id}"' in page.text] == ids[1:]
    assert "<b>2</b>" not in page.text
    assert f'data-last-id="{ids[-1]}"' in page.text
    assert 'data-unread="3"' in page.text


def test_an_empty_inbox_has_a_page(house: House) -> None:
    house.add_user("ann")
    assert house.browser("ann").get("/notifications").status_code == 200


def test_forms_mark_as_read_where_there_are_no_scripts(house: House) -> None:
    user_id = house.add_user("ann")
    ids = [house.notify(user_id)[0] for _ in range(3)]
    browser = house.browser("ann")
    answer = browser.submit(f"/notifications/{ids[0]}/read", next="/notifications?page=2")
    assert (answer.status_code, answer.location) == (303, "/notifications?page=2")
    assert house.row(ids[0]).read_at is not None
    assert browser.submit("/notifications/read-all", next="//evil.test").location == "/notifications"
    assert house.row(ids[2]).read_at is not None


def test_the_cursor_of_a_page_covers_what_it_shows(house: House) -> None:
    user_id, other_id = house.add_user("ann"), house.add_user("bob")
    house.notify(user_id)
    (newest,) = house.notify(other_id)
    body = house.browser("ann").api("/tasks/api/notifications").get_json()
    assert body["last_id"] == newest


def test_times_are_utc_whatever_zone_they_came_in(house: House) -> None:
    from datetime import timezone

    user_id = house.add_user("ann", time_zone="Asia/Tokyo")
    house.notify(user_id, created_at=NOON.astimezone(timezone(timedelta(hours=9))))
    (item,) = house.browser("ann").api("/tasks/api/notifications").get_json()["notifications"]
    assert item["created_at"] == item["date_created"] == "2024-01-16T14:20:00Z"


@pytest.mark.parametrize(
    "columns",
    [
        {"issue_id": None, "type": "vpn_end", "details": [], "old_status": None, "new_status": None},
        {"project_id": None, "project_name": "", "actor_id": None, "actor_name": ""},
        {"type": "issue_deleted", "journal_id": None},
        {"notes": "x" * 50_000, "subject": "<script>alert(1)</script>"},
    ],
    ids=["another-source", "no-project-no-actor", "deleted", "long-and-hostile"],
)
def test_every_kind_of_row_can_be_shown(house: House, columns: dict[str, Any]) -> None:
    user_id = house.add_user("ann")
    house.notify(user_id, **columns)
    browser = house.browser("ann")
    page = browser.get("/notifications")
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert len(browser.api("/tasks/api/notifications?html=1").get_json()["notifications"]) == 1
