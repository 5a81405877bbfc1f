"""Whom the ERP knows, as the contract says; and what of a profile is the ERP's."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daemon.clients.erp_settings import ErpSettings
from storage.settings import StorageSettings
from tests.erp.listener import listening, stall
from tests.erp.registry import Registry
from tests.web.conftest import Build
from tests.web.house import House
from tests.web.served import free_port, wait_until


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An ERP that knows one person."""
    made = Registry(f"sqlite:///{tmp_path / 'erp.db'}", tmp_path)
    made.add("IIVANOV", full_name="ИВАНОВ ИВАН", department_name="IT", post_name="Разработчик")
    yield made
    made.close()


@pytest.fixture
def erp_house(storage: StorageSettings, build: Build, registry: Registry) -> Iterator[House]:
    house = build(storage, erp=ErpSettings.model_validate(registry.settings()))
    house.add_user("ann", language="en")
    yield house
    assert house.viewer.erp is not None
    house.viewer.erp.close()


def test_a_person_is_shown_as_the_contract_says(erp_house: House) -> None:
    browser = erp_house.browser("ann")
    assert browser.api("/api/erp/user/iivanov").get_json() == {
        "exists": True,
        "user": {
            "username": "iivanov",
            "full_name": "Иванов Иван",
            "department": "IT",
            "position": "Разработчик",
        },
    }
    for name in ("nobody", "a[b]", "x' or '1'='1", "%", '"iivanov"'):
        assert browser.api(f"/api/erp/user/{name}").get_json() == {"exists": False, "user": None}


def test_only_those_who_signed_in_may_ask_and_not_all_day(erp_house: House) -> None:
    assert erp_house.browser().api("/api/erp/user/iivanov").status_code == 401
    browser = erp_house.browser("ann")
    statuses = [browser.api("/api/erp/user/iivanov").status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]


def test_an_erp_that_is_away_is_a_503(storage: StorageSettings, build: Build) -> None:
    url = f"postgresql+psycopg://reader@127.0.0.1:{free_port()}/erp"
    house = build(storage, erp=ErpSettings(url=url, deadline_s=5))
    house.add_user("ann", language="en")
    answer = house.browser("ann").api("/api/erp/user/iivanov")
    assert house.viewer.erp is not None
    house.viewer.erp.close()
    assert (answer.status_code, answer.get_json()["code"]) == (503, "erp_unavailable")
    assert answer.get_json()["message"] == "The ERP does not answer at the moment. Try again soon."


def test_a_stalled_erp_leaves_threads_to_the_others(
    storage: StorageSettings, build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.LOGIN_DEADLINE_S", 100.0)
    secret = tmp_path / "reader"
    secret.write_text("x")
    with ThreadPoolExecutor(8) as threads, listening(stall) as port:  # as many as the viewer has
        url = f"oracle+oracledb://reader@127.0.0.1:{port}/?service_name=ERP"
        erp = ErpSettings(url=url, password_file=secret, deadline_s=100, connections=2)
        house = build(storage, web={"threads": 8}, erp=erp)
        house.add_user("ann", language="en")
        browsers = [house.browser("ann") for _ in range(20)]
        asked = [threads.submit(browser.api, "/api/erp/user/iivanov") for browser in browsers]
        health = threads.submit(house.browser().get, "/healthz")
        assert health.result(timeout=60).is_json
        wait_until(lambda: sum(future.done() for future in asked) >= 18, 60)
        assert [future.done() for future in asked].count(False) == 2
        client = house.viewer.erp
        assert client is not None
        wait_until(lambda: client.requests_made == 2, 60)
    assert {future.result(timeout=40).status_code for future in asked} == {503}
    assert house.browser("ann").api("/api/erp/user/iivanov").status_code == 503
    assert client.requests_made == 2  # nor is it asked again at once
    client.close()


def test_what_the_erp_fills_nobody_changes_here(house: House) -> None:
    filled = ["department", "vpn_end_date"]
    user_id = house.add_user("ann", language="en", full_name="Ann", department="IT", from_erp=filled)
    house.add_user("root", role="admin", language="en")
    browser, admin = house.browser("ann"), house.browser("root")
    shown = browser.api("/users/profile").get_json()
    assert (shown["from_erp"], shown["can_set_vpn_date"]) == (filled, False)
    refused = browser.api("/users/profile", "PUT", json={"department": "Own", "position": "Chief"})
    assert refused.status_code == 422
    assert refused.get_json()["errors"] == {"department": ["comes from the ERP"]}
    assert house.user(user_id).position == ""
    same = browser.api("/users/profile", "PUT", json={"department": "IT", "position": "Chief"})
    assert same.status_code == 200
    day = {"vpn_end_date": "2030-01-01", "user_id": user_id}
    assert admin.api("/users/vpn-date", "PUT", json=day).status_code == 422
    assert admin.api(f"/admin/users/{user_id}", "PUT", json={"department": "HR"}).status_code == 422
    assert house.user(user_id).department == "IT"


def test_the_page_shows_those_fields_as_not_to_be_changed(house: House) -> None:
    house.add_user(
        "ann", language="en", full_name="Ann", department="IT", from_erp=["department"], erp_name="ann"
    )
    browser = house.browser("ann")
    text = browser.get("/users/profile").text
    field = text[text.index('id="department"') :]
    assert " disabled" in field[: field.index(">")]
    assert "comes from the ERP" in text
    field = text[text.index('id="position"') :]
    assert " disabled" not in field[: field.index(">")]
    again = browser.submit("/users/profile", full_name="", position="Chief")
    assert again.status_code == 422
    assert 'value="IT"' in again.text


def test_a_password_that_the_erp_keeps_is_not_reset_here(house: House) -> None:
    user_id = house.add_user("ann", language="en", password_hash=None, erp_name="ann")
    house.add_user("root", role="admin", language="en")
    answer = house.browser("root").api(f"/admin/users/{user_id}/password", "POST", json={})
    assert (answer.status_code, answer.get_json()["message"]) == (409, "The ERP keeps this user's password.")
