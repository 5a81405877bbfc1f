"""The OpenAPI document, and that real answers are what it says."""

from typing import Any

import pytest
from pydantic import BaseModel

from tests.web.house import House, password_of
from web.contract import Done, Health, InboxAnswer, Marked, Preferences, Refusal, SignedIn


def checked(model: type[BaseModel], answer: Any) -> None:
    model.model_validate(answer.get_json(), strict=True, extra="forbid")


def test_the_document_names_what_may_be_asked_and_answered(house: House) -> None:
    document = house.app.test_client().get("/api/openapi.json").get_json()
    listing = document["paths"]["/tasks/api/notifications"]["get"]
    assert {parameter["name"] for parameter in listing["parameters"]} == {
        "page",
        "per_page",
        "unread_only",
        "html",
    }
    assert set(listing["responses"]) == {"200", "401", "422", "503"}


@pytest.mark.parametrize("name", ["swagger", "redoc", "scalar"])
def test_no_page_that_loads_scripts_from_elsewhere_is_served(house: House, name: str) -> None:
    assert house.app.test_client().get(f"/api/{name}").status_code == 404


def test_real_answers_are_what_the_document_says(house: House) -> None:
    user_id = house.add_user("ann")
    (row_id, _) = house.notify(user_id)[0], house.notify(user_id, verify_at_show=True)
    client = house.app.test_client()
    checked(Refusal, client.get("/tasks/api/notifications"))
    checked(Refusal, client.post("/users/login", json={"username": "ann", "password": "wrong"}))
    entered = client.post("/users/login", json={"username": "ann", "password": password_of("ann")})
    checked(SignedIn, entered)
    token = {"X-CSRFToken": entered.get_json()["csrf_token"]}
    checked(InboxAnswer, client.get("/tasks/api/notifications"))
    checked(InboxAnswer, client.get("/tasks/api/notifications?html=1"))
    checked(Refusal, client.get("/tasks/api/notifications?page=x"))
    checked(Marked, client.put(f"/tasks/api/notifications/{row_id}/read", headers=token))
    checked(Refusal, client.put("/tasks/api/notifications/99/read", headers=token))
    checked(Refusal, client.put(f"/tasks/api/notifications/{row_id}/read"))
    checked(Marked, client.put("/tasks/api/notifications/read-all", headers=token))
    checked(Preferences, client.post("/users/preferences", json={"theme": "dark"}, headers=token))
    checked(Health, client.get("/healthz"))
    checked(Done, client.get("/users/logout"))


def test_an_item_of_the_socket_is_an_item_of_the_document(house: House) -> None:
    from web.contract import Item

    ann = house.add_user("ann")
    house.live.tail.step()
    socket = house.socket(house.browser("ann"))
    house.notify(ann)
    house.live.tail.step()
    (item,) = socket.events("new_notification")
    Item.model_validate(item, strict=True, extra="forbid")
