"""Every route says who may call it, and one that does not answers nobody."""

import pytest
from flask import Flask

from tests.web.house import House
from web import policy
from web.policy import Policy, allow

PUBLIC = {
    "static",
    "docs.docs_page",
    "docs.document",
    "auth.login_page",
    "auth.log_in",
    "auth.log_out",
    "auth.csrf_token",
    "auth.set_preferences",
    "health.healthz",
    "health.readyz",
    "metrics.metrics",
    "notifications.home",
    "unsubscribe.ask",
    "unsubscribe.decide",
    "receipts.receive",
    "worker.script",
}


def endpoints(app: Flask) -> set[str]:
    return {rule.endpoint for rule in app.url_map.iter_rules()}


def test_every_route_says_who_may_call_it(house: House) -> None:
    forgotten = [name for name in endpoints(house.app) if policy.policy_of(house.app, name) is None]
    assert forgotten == []


def test_only_these_routes_are_open_to_visitors(house: House) -> None:
    is_open = {n for n in endpoints(house.app) if policy.policy_of(house.app, n) is Policy.ANYBODY}
    assert is_open == PUBLIC


def test_a_visitor_gets_nothing_of_the_others(house: House) -> None:
    """Whatever the method: refused before the view is called."""
    client = house.app.test_client()
    for rule in house.app.url_map.iter_rules():
        if rule.endpoint in PUBLIC:
            continue
        path = rule.build(dict.fromkeys(rule.arguments, 1))[1]  # type: ignore[index]
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = client.open(path, method=method, headers={"Accept": "application/json"})
            # A write without a token is refused even before it is asked who sent it.
            assert answer.status_code == (401 if method == "GET" else 400), (method, path)


@pytest.fixture
def odd_house(house: House) -> House:
    """A viewer with a route whose author forgot the policy, and one of each kind."""
    house.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    for kind in Policy:
        view = allow(kind)(lambda: "shown")
        house.app.add_url_rule(f"/{kind.name}", kind.name, view)
    off = allow(Policy.ANYBODY, feature="kanban_enabled")(lambda: "shown")
    house.app.add_url_rule("/featured", "featured", off)
    return house


def test_a_forgotten_route_answers_nobody(odd_house: House) -> None:
    odd_house.add_user("root", role="admin", can_access_quality_control=True)
    answer = odd_house.browser("root").get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("columns", "allowed"),
    [
        (None, {"ANYBODY"}),
        ({}, {"ANYBODY", "SIGNED_IN"}),
        ({"can_access_quality_control": True}, {"ANYBODY", "SIGNED_IN", "QUALITY_CONTROL"}),
        ({"role": "admin"}, {"ANYBODY", "SIGNED_IN", "ADMIN"}),
    ],
    ids=["visitor", "user", "controller", "admin"],
)
def test_each_kind_of_person_is_let_in_where_the_policy_says(
    odd_house: House, columns: dict[str, object] | None, allowed: set[str]
) -> None:
    if columns is not None:
        odd_house.add_user("ann", **columns)
    browser = odd_house.browser("ann" if columns is not None else "")
    statuses = {kind.name: browser.get(f"/{kind.name}").status_code for kind in Policy}
    refused = 303 if columns is None else 403
    assert statuses == {kind.name: 200 if kind.name in allowed else refused for kind in Policy}


def test_what_is_switched_off_does_not_exist(odd_house: House) -> None:
    browser = odd_house.browser()
    assert browser.get("/featured").status_code == 200
    odd_house.app.extensions["helpdesk"] = odd_house.without_feature("kanban_enabled")
    assert browser.get("/featured").status_code == 404
