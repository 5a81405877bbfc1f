"""Stopping mails from a link in one of them, and with one click."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from storage import users
from storage.preferences import Mail, Preferences, kept, of
from tests.daemon.ticking import until
from tests.web.conftest import Build
from tests.web.house import HTML, House

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
NOBODY = "A" * 22
VARYING = {"Date", "Set-Cookie", "Content-Length"}


def token(house: House, user_id: int) -> str:
    return house.user(user_id).mail_token


def mode(house: House, user_id: int) -> str:
    return of(house.user(user_id).preferences).mail.mode


def send(house: House, token: str, form: dict[str, str], **headers: str) -> TestResponse:
    """Send a form without cookies, as mail programs do."""
    return house.app.test_client().post(f"/unsubscribe/{token}", data=form, headers=headers)


def test_one_click_stops_all_mails(any_house: House) -> None:
    ann, bob = any_house.add_user("ann"), any_house.add_user("bob")
    assert send(any_house, token(any_house, ann), ONE_CLICK).status_code == 200
    assert (mode(any_house, ann), mode(any_house, bob)) == ("off", "immediate")


def test_one_click_may_come_as_any_kind_of_form(house: House) -> None:
    ann = house.add_user("ann")
    client = house.app.test_client()
    client.post(f"/unsubscribe/{token(house, ann)}", data=ONE_CLICK, content_type="multipart/form-data")
    assert mode(house, ann) == "off"


def test_the_page_says_what_will_happen_and_changes_nothing(house: House) -> None:
    ann = house.add_user("ann")
    client = house.app.test_client()
    for _ in range(2):
        answer = client.get(f"/unsubscribe/{token(house, ann)}", headers=HTML | {"Accept-Language": "ru"})
        assert answer.status_code == 200
        assert "Прекратить все письма?" in answer.text
        assert mode(house, ann) == "immediate"
    assert client.head(f"/unsubscribe/{token(house, ann)}").status_code == 200
    assert mode(house, ann) == "immediate"


def test_the_button_stops_them_and_the_next_one_lets_them_come_again(house: House) -> None:
    ann = house.add_user("ann")
    answer = send(house, token(house, ann), {"mails": "off"}, **{"Accept-Language": "en"})
    assert "Mails are off" in answer.text
    assert 'name="mails" value="on"' in answer.text
    assert mode(house, ann) == "off"
    answer = send(house, token(house, ann), {"mails": "on"}, **{"Accept-Language": "en"})
    assert "Mails are on" in answer.text
    assert mode(house, ann) == "immediate"


def test_nothing_else_is_changed(house: House) -> None:
    wishes = Preferences(mail=Mail(mode="digest", days=frozenset({2})), projects={7: "none"})
    ann = house.add_user("ann", preferences=kept(wishes))
    send(house, token(house, ann), {"mails": "on"})
    assert of(house.user(ann).preferences) == wishes, "who gathers mails goes on to gather them"
    send(house, token(house, ann), ONE_CLICK)
    off = wishes.mail.model_copy(update={"mode": "off"})
    assert of(house.user(ann).preferences) == wishes.model_copy(update={"mail": off})
    assert house.user(ann).is_active


def told(answer: TestResponse) -> tuple[int, str, dict[str, Any]]:
    """Return an answer without the tokens and the address in it."""
    text = re.sub(r'data-csrf-token="[^"]+"|name="(csrf_token|next)" value="[^"]*"', "", answer.text)
    return answer.status_code, text, {k: v for k, v in answer.headers if k not in VARYING}


@pytest.mark.parametrize("form", [ONE_CLICK, {"mails": "on"}, {"mails": "off"}, {}])
def test_a_token_that_is_nobodys_is_answered_like_any_other(house: House, form: dict[str, str]) -> None:
    ann = house.add_user("ann")
    known = told(send(house, token(house, ann), form))
    for unknown in (NOBODY, "x", "%00" * 20, "%F0%9F%94%A5", "a" * 5000, "' OR 1=1 --"):
        assert told(send(house, unknown, form)) == known
    page, other = (
        told(house.app.test_client().get(f"/unsubscribe/{t}")) for t in (token(house, ann), NOBODY)
    )
    assert page == other


def test_a_page_of_another_site_cannot_do_it(house: House) -> None:
    ann = house.add_user("ann")
    answer = send(house, token(house, ann), ONE_CLICK, Origin="https://evil.example")
    assert answer.status_code == 400
    assert mode(house, ann) == "immediate"


def test_guessing_is_slow(house: House) -> None:
    statuses = [send(house, NOBODY, ONE_CLICK).status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]
    assert house.app.test_client().get(f"/unsubscribe/{NOBODY}").status_code == 200


def test_it_needs_no_session_and_ends_none(storage: Any, build: Build) -> None:
    house = build(storage, web={"public_url": "https://helpdesk.example.com"})
    ann = house.add_user("ann")
    assert send(house, token(house, ann), ONE_CLICK).status_code == 200
    assert mode(house, ann) == "off"


def test_one_click_and_a_save_of_the_profile_at_once_both_hold(any_house: House) -> None:
    """The click arrives while a save is under way: neither writes over the other."""
    ann = any_house.add_user("ann")
    link = token(any_house, ann)
    with ThreadPoolExecutor(1) as pool, any_house.database.write() as saving:
        user = users.locked(saving, ann)
        assert user is not None
        user.preferences = kept(of(user.preferences).model_copy(update={"projects": {3: "none"}}))
        saving.flush()
        click = pool.submit(send, any_house, link, ONE_CLICK)
        if not any_house.database.is_sqlite:
            until(lambda: is_waiting(any_house), "the click waits for the row")
        saving.commit()
        assert click.result(30).status_code == 200
    preferences = of(any_house.user(ann).preferences)
    assert (preferences.mail.mode, preferences.projects) == ("off", {3: "none"})


def is_waiting(house: House) -> bool:
    with house.database.engine.connect() as connection:
        return bool(connection.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
