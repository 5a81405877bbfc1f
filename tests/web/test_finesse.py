"""Calls in the viewer: the contract's dialogs, the page, teams of supervisors, and each refusal."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.models import ErpPerson
from storage.settings import StorageSettings
from tests.channels.certificates import Authority
from tests.finesse.samples import dialog, end, outside, ringing, team, user
from tests.finesse.server import NOT_YOURS, OUT_OF_SERVICE, FinesseUnderTest, says, settings_of
from tests.web.conftest import Build
from tests.web.house import House
from web.finesse.asking import EXTENSION

Open = Callable[..., House]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A private certificate authority."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def node(authority: Authority) -> Iterator[FinesseUnderTest]:
    """A Finesse that knows ann as agent 1001."""
    node = FinesseUnderTest(authority.issue("localhost"))
    node.has_agent("1001", first="Ann", last="Lee")
    yield node
    node.close()


@pytest.fixture
def office(
    node: FinesseUnderTest, authority: Authority, storage: StorageSettings, build: Build, tmp_path: Path
) -> Iterator[Open]:
    """Return what opens a viewer of that Finesse with ann, who is agent 1001, and bob, who is none."""
    made: list[House] = []

    def make(**changed: Any) -> House:
        changed = {"agents": {"1001": "ann"}, **changed}
        house = build(storage, finesse=settings_of(node, authority, tmp_path, **changed))
        made.append(house)
        for name in ("ann", "bob"):
            house.add_user(name, language="en")
        return house

    yield make
    for house in made:
        house.app.extensions[EXTENSION].client.close()


def test_dialogs_are_what_the_contract_says(node: FinesseUnderTest, office: Open) -> None:
    node.has_agent("1001", dialog("dialog123"))
    answer = office().browser("ann").api("/finesse/dialogs")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "dialogs": [
            {
                "id": "dialog123",
                "agent_id": "1001",
                "call_id": "call789",
                "state": "Connected",
                "start_time": "2024-01-16T14:15:00Z",
            }
        ]
    }


def test_no_calls_are_an_empty_list(office: Open) -> None:
    assert office().browser("ann").api("/finesse/dialogs").get_json() == {"dialogs": []}


@pytest.mark.parametrize(
    ("state", "word"), [("ALERTING", "Ringing"), ("HELD", "Held"), ("FAILED", "Failed"), ("ODD", "ODD")]
)
def test_states_are_words_and_new_ones_stay(
    node: FinesseUnderTest, office: Open, state: str, word: str
) -> None:
    node.has_agent("1001", dialog("1", end("1001", "ACTIVE"), state=state))
    [found] = office().browser("ann").api("/finesse/dialogs").get_json()["dialogs"]
    assert found["state"] == word


def test_the_list_of_calls_has_numbers_and_names(node: FinesseUnderTest, office: Open) -> None:
    node.has_agent("1001", ringing("2", "84957654321"), dialog("1"), dialog("3", fromAddress="900"))
    house = office()
    house.add_user("carl", full_name="Carl of here", phone="900")
    with house.database.write() as session:
        session.add(ErpPerson(name="eve", full_name="Eve Adams", phone="+7 (495) 123-45-67"))
    body = house.browser("ann").api("/finesse/calls").get_json()
    assert [(call["id"], call["number"], call["name"]) for call in body["calls"]] == [
        ("2", "84957654321", ""),
        ("1", "84951234567", "Eve Adams"),
        ("3", "900", "Carl of here"),
    ]
    assert (body["agent"], body["team"], body["teams"], body["failed"]) == ("1001", None, [], [])
    assert "Eve Adams" in body["html"]
    assert 'data-ringing="84957654321"' in body["html"]


def test_a_name_is_asked_of_the_database_once_in_minutes(node: FinesseUnderTest, office: Open) -> None:
    node.has_agent("1001", dialog("1"))
    house = office()
    browser = house.browser("ann")
    assert browser.api("/finesse/calls").get_json()["calls"][0]["name"] == ""
    house.add_user("carl", full_name="Carl", phone="84951234567")
    assert browser.api("/finesse/calls").get_json()["calls"][0]["name"] == ""
    house.app.extensions[EXTENSION].names.clock = lambda: float("inf")
    assert browser.api("/finesse/calls").get_json()["calls"][0]["name"] == "Carl"


@pytest.mark.parametrize(
    ("who", "behaviour", "refusal", "text"),
    [
        ("bob", None, (404, "not_an_agent"), "Finesse knows no agent bob."),
        (
            "ann",
            says(401, NOT_YOURS),
            (403, "finesse_not_supervised"),
            "does not show us the calls of agent 1001",
        ),
        ("ann", says(401, "<html>", "text/html"), (503, "finesse_refused"), "Finesse refuses our account"),
        ("ann", says(503, OUT_OF_SERVICE), (503, "finesse_unavailable"), "out of service at the moment"),
        ("ann", says(500, ""), (503, "finesse_unavailable"), "out of service at the moment"),
        ("ann", says(200, "<html>"), (503, "finesse_wrong_answer"), "cannot be read"),
        (
            "ann",
            says(200, "<!DOCTYPE d [<!ENTITY a 'b'>]><d>&a;</d>"),
            (503, "finesse_wrong_answer"),
            "be read",
        ),
    ],
)
def test_each_refusal_has_its_text_in_both_forms(
    node: FinesseUnderTest, office: Open, who: str, behaviour: Any, refusal: tuple[int, str], text: str
) -> None:
    if behaviour is not None:
        node.misbehaves(behaviour)
    browser = office().browser(who)
    for path in ("/finesse/dialogs", "/finesse/calls"):
        answer = browser.api(path)
        assert (answer.status_code, answer.get_json()["code"]) == refusal
        assert text in answer.get_json()["message"]
    page = browser.get("/finesse/calls")
    assert page.status_code == 200
    assert text in page.text
    assert "entity" not in page.text


def test_out_of_service_says_when_to_ask_again(node: FinesseUnderTest, office: Open) -> None:
    node.misbehaves(says(503, OUT_OF_SERVICE, Retry_After="20"))
    answer = office().browser("ann").api("/finesse/dialogs")
    assert 18 <= int(answer.headers["Retry-After"]) <= 20


def test_nobody_is_taken_for_an_agent_of_somebody_else(node: FinesseUnderTest, office: Open) -> None:
    node.has_agent("1001", dialog("secret"))
    house = office()
    house.add_user("1001", language="en")
    answer = house.browser("1001").api("/finesse/dialogs")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_an_agent")


def test_who_has_no_entry_is_the_agent_of_their_own_name(node: FinesseUnderTest, office: Open) -> None:
    node.has_agent("bob", dialog("7"))
    [found] = office().browser("bob").api("/finesse/dialogs").get_json()["dialogs"]
    assert (found["id"], found["agent_id"]) == ("7", "bob")


class TestTeams:
    """Supervisors see the calls of their teams, and nobody else's."""

    @pytest.fixture(autouse=True)
    def team_of_three(self, node: FinesseUnderTest) -> None:
        node.has_agent("1001", first="Ann", last="Lee", teams=team("5", "Support"))
        node.has_agent("1002", dialog("2", end("1002"), outside("900"), fromAddress="900", toAddress="1002"))
        node.has_agent("1003", dialog("3"))
        node.has_team("5", "Support", user("1001", "Ann", "Lee"), user("1002", "Bob", "Ray"), user("1003"))
        node.has_team("6", "Sales", user("1002", "Bob", "Ray"))

    def test_a_supervisor_sees_all_of_a_team(self, office: Open) -> None:
        browser = office().browser("ann")
        body = browser.api("/finesse/dialogs?team=5").get_json()
        assert [(d["agent_id"], d["id"]) for d in body["dialogs"]] == [("1002", "2"), ("1003", "3")]
        assert body["failed"] == []
        rich = browser.api("/finesse/calls?team=5").get_json()
        assert rich["team"] == {"id": "5", "name": "Support"}
        assert [call["agent_name"] for call in rich["calls"]] == ["Bob Ray", ""]
        page = browser.get("/finesse/calls?team=5")
        assert "Bob Ray" in page.text
        assert 'aria-current="page" href="/finesse/calls?team=5"' in page.text

    def test_another_team_is_refused_without_asking_for_it(
        self, node: FinesseUnderTest, office: Open
    ) -> None:
        answer = office().browser("ann").api("/finesse/dialogs?team=6")
        assert (answer.status_code, answer.get_json()["code"]) == (403, "not_your_team")
        assert not node.asked["/Team/6"]

    def test_an_agent_sees_no_team(self, node: FinesseUnderTest, office: Open) -> None:
        node.has_agent("bob")
        answer = office().browser("bob").api("/finesse/dialogs?team=5")
        assert (answer.status_code, answer.get_json()["code"]) == (403, "not_your_team")
        assert not node.asked["/Team/5"]

    def test_an_administrator_of_ours_is_no_supervisor(self, node: FinesseUnderTest, office: Open) -> None:
        node.has_agent("root")
        house = office()
        house.add_user("root", role="admin")
        assert house.browser("root").api("/finesse/dialogs?team=5").status_code == 403

    @pytest.mark.parametrize("asked", ["../User/1003", "5?x", "%2e%2e", "x" * 65, "5 6"])
    def test_what_is_no_team_is_refused(self, office: Open, asked: str) -> None:
        answer = office().browser("ann").api("/finesse/dialogs", query_string={"team": asked})
        assert answer.status_code == 422

    def test_one_agent_who_cannot_be_read_does_not_hide_the_others(
        self, node: FinesseUnderTest, office: Open
    ) -> None:
        node.misbehaves(says(500, ""), "/User/1002/Dialogs")
        browser = office().browser("ann")
        body = browser.api("/finesse/dialogs?team=5").get_json()
        assert ([d["id"] for d in body["dialogs"]], body["failed"]) == (["3"], ["1002"])
        assert "could not be read: Bob Ray" in browser.get("/finesse/calls?team=5").text

    def test_a_team_of_which_nothing_can_be_read_is_a_refusal(
        self, node: FinesseUnderTest, office: Open
    ) -> None:
        paths = [f"/User/{login}/Dialogs" for login in ("1001", "1002", "1003")]
        node.misbehaves(says(500, ""), *paths)
        answer = office().browser("ann").api("/finesse/dialogs?team=5")
        assert (answer.status_code, answer.get_json()["code"]) == (503, "finesse_unavailable")


def test_markup_in_what_finesse_says_stays_text(node: FinesseUnderTest, office: Open) -> None:
    evil = "&lt;script&gt;alert(1)&lt;/script&gt;"
    node.has_agent("1001", dialog("1", fromAddress=evil, state=evil), first=evil)
    browser = office().browser("ann")
    for text in (browser.get("/finesse/calls").text, browser.api("/finesse/calls").get_json()["html"]):
        assert "<script>alert" not in text
        assert evil in text


def test_pages_name_the_section_only_where_there_is_a_finesse(office: Open) -> None:
    house = office()
    assert 'href="/finesse/calls"' in house.browser("ann").get("/notifications").text


def test_without_finesse_there_is_no_section_and_a_clear_text(house: House) -> None:
    house.add_user("ann", language="en")
    browser = house.browser("ann")
    assert 'href="/finesse/calls"' not in browser.get("/notifications").text
    assert "No Finesse is configured." in browser.get("/finesse/calls").text


def test_visitors_see_nothing(office: Open) -> None:
    browser = office().browser()
    assert browser.api("/finesse/dialogs").status_code == 401
    assert browser.get("/finesse/calls").status_code == 303
