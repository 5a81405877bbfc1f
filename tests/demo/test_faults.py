"""Trouble on order: each kind as a client meets it, aimed, counted, and with or without the work done."""

import json
import threading
import time

import pytest
import requests

from daemon.demo.faults import Aim
from daemon.demo.server import DemoRedmine
from tests.redmines import RedmineUnderTest


def get(redmine: RedmineUnderTest, path: str = "/issues.json") -> requests.Response:
    with redmine.session() as admin:
        return admin.get(f"{redmine.url}{path}", allow_redirects=False)


def test_a_status_comes_as_often_as_ordered(redmine: RedmineUnderTest) -> None:
    redmine.faults.status(503, Aim(times=2), retry_after="7")
    first = get(redmine)
    assert (first.status_code, first.headers["Retry-After"]) == (503, "7")
    assert [get(redmine).status_code for _ in range(2)] == [503, 200]
    assert redmine.faults.pending == 0


def test_a_fault_hits_only_what_it_is_aimed_at(redmine: RedmineUnderTest) -> None:
    redmine.faults.status(500, Aim(path=r"^/issues/\d+", times=None))
    redmine.faults.status(429, Aim(method="PUT"))
    issue = redmine.create_issue("ann")
    assert get(redmine).status_code == 200
    assert [get(redmine, f"/issues/{issue}.json").status_code for _ in range(3)] == [500] * 3
    redmine.faults.clear()
    assert get(redmine, f"/issues/{issue}.json").status_code == 200
    assert redmine.update_issue(issue, "ann", notes="x") == 204


def test_a_fault_waits_for_its_turn(redmine: RedmineUnderTest) -> None:
    redmine.faults.status(502, Aim(skip=2))
    assert [get(redmine).status_code for _ in range(4)] == [200, 200, 502, 200]


@pytest.mark.parametrize("performed", [False, True], ids=["before-the-work", "after-the-work"])
def test_a_lost_answer_may_hide_work_that_was_done(redmine: RedmineUnderTest, performed: bool) -> None:
    issue = redmine.create_issue("ann")
    redmine.faults.reset(Aim(method="PUT"), performed=performed)
    with pytest.raises(requests.ConnectionError):
        redmine.update_issue(issue, "ann", notes="did this arrive?")
    assert len(redmine.issue(issue)["journals"]) == int(performed)


@pytest.mark.parametrize("kind", ["reset", "hang_up"])
def test_a_connection_breaks_in_the_middle_of_the_body(redmine: RedmineUnderTest, kind: str) -> None:
    getattr(redmine.faults, kind)(mid_body=True)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(redmine)
    assert get(redmine).status_code == 200


def test_a_truncated_answer_claims_to_be_whole(redmine: RedmineUnderTest) -> None:
    redmine.faults.truncate()
    answer = get(redmine)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_page_or_a_redirect_comes_instead_of_json(redmine: RedmineUnderTest) -> None:
    redmine.faults.html()
    redmine.faults.redirect("/login")
    page, elsewhere = get(redmine), get(redmine)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert (elsewhere.status_code, elsewhere.headers["Location"]) == (302, "/login")


def test_a_conflict_is_an_empty_list_and_nothing_done(redmine: RedmineUnderTest) -> None:
    issue = redmine.create_issue("ann")
    redmine.faults.conflict(Aim(method="PUT"))
    assert redmine.update_issue(issue, "ann", notes="x") == 422
    assert redmine.issue(issue)["journals"] == []


@pytest.mark.parametrize("mid_body", [False, True], ids=["before-the-head", "in-the-body"])
def test_a_stall_runs_into_the_clients_time_out(redmine: RedmineUnderTest, mid_body: bool) -> None:
    redmine.faults.stall(30, mid_body=mid_body)
    with redmine.session() as admin, pytest.raises(requests.exceptions.RequestException):
        admin.get(f"{redmine.url}/issues.json", timeout=0.3)
    assert get(redmine).status_code == 200


def test_a_short_stall_ends_with_the_real_answer(redmine: RedmineUnderTest) -> None:
    redmine.faults.stall(0.2)
    started = time.monotonic()
    assert get(redmine).json()["total_count"] == 0
    assert time.monotonic() - started >= 0.2


def test_stopping_gives_up_stalled_answers(world: dict[str, object]) -> None:
    demo = DemoRedmine(world)
    demo.start()
    demo.faults.stall(60)
    failed = threading.Event()

    def ask() -> None:
        try:
            requests.get(f"{demo.url}/issues.json", timeout=30)
        except requests.ConnectionError:
            failed.set()

    client = threading.Thread(target=ask)
    client.start()
    deadline = time.monotonic() + 10
    while not demo.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    started = time.monotonic()
    demo.stop()
    client.join(10)
    assert failed.is_set()
    assert time.monotonic() - started < 10


def test_rest_switched_off_looks_like_an_empty_public_redmine(redmine: RedmineUnderTest) -> None:
    redmine.create_issue("ann")
    redmine.create_issue("ann", project="closed-circle")
    redmine.demo.disable_rest()
    answer = get(redmine)
    assert (answer.status_code, answer.json()["total_count"]) == (200, 1)
    assert get(redmine, "/users/current.json").status_code == 403
    redmine.demo.disable_rest(disabled=False)
    assert get(redmine).json()["total_count"] == 2


def test_a_revoked_key_looks_the_same_but_for_the_account(redmine: RedmineUnderTest) -> None:
    redmine.create_issue("ann", project="closed-circle")
    redmine.demo.revoke_key("admin")
    assert get(redmine).json()["total_count"] == 0
    refused = get(redmine, "/users/current.json")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Basic realm="Redmine API"')
    redmine.demo.revoke_key("admin", redmine.admin_key)
    assert get(redmine).json()["total_count"] == 1


def test_where_a_login_is_required_nothing_is_public(redmine: RedmineUnderTest) -> None:
    redmine.demo.require_login()
    redmine.demo.revoke_key("admin")
    assert get(redmine).status_code == 401
