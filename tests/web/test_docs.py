"""The document of the API: valid, complete, and it says who may call what."""

from typing import Any

import pytest
import schemathesis

from tests.web import spec
from tests.web.house import HTML, House
from web.policy import Policy, policy_of


@pytest.fixture
def document(house: House) -> dict[str, Any]:
    """The document as anybody gets it."""
    answer = house.app.test_client().get("/api/openapi.json")
    assert answer.status_code == 200
    return dict(answer.get_json())


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()


def test_every_call_of_the_contract_is_in_it(document: dict[str, Any]) -> None:
    calls = {f"{method.upper()} {path}" for path, found in document["paths"].items() for method in found}
    assert set(spec.calls()) - calls == set()


def test_every_route_of_the_api_is_in_it(house: House, document: dict[str, Any]) -> None:
    """Nothing under the API's own addresses is left out but what shows this document."""
    left_out = set()
    for rule in house.app.url_map.iter_rules():
        path = str(rule).replace("<int:", "{").replace("<", "{").replace(">", "}")
        if path.startswith(("/api/", "/tasks/api/")) and path not in document["paths"]:
            left_out.add(path)
    assert left_out == {"/api/docs", "/api/openapi.json"}


def test_it_says_what_is_sent_and_asked_for(document: dict[str, Any]) -> None:
    for call in spec.calls().values():
        described = document["paths"][call.path][call.method.lower()]
        assert set(call.query) <= {parameter["name"] for parameter in described["parameters"]}, call.name
        if call.sent:
            (reference,) = described["requestBody"]["content"]["application/json"]["schema"].values()
            schema = document["components"]["schemas"][reference.rpartition("/")[2]]
            assert set(call.sent) <= set(schema["properties"]), call.name


def test_it_says_who_needs_a_session_and_a_token(house: House, document: dict[str, Any]) -> None:
    assert document["paths"]["/users/login"]["post"]["security"] == []
    assert document["paths"]["/users/profile"]["get"]["security"] == [{"session": []}]
    assert document["paths"]["/users/profile"]["put"]["security"] == [{"session": [], "token": []}]
    assert policy_of(house.app, "docs.document") is Policy.ANYBODY


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(references(value) for value in node.values()))
        return set().union(*(references(item) for item in node)) if isinstance(node, list) else set()

    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= names


def test_the_page_needs_nothing_from_elsewhere(house: House) -> None:
    page = house.app.test_client().get("/api/docs", headers=HTML)
    assert page.status_code == 200
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text
    assert "<script>" not in page.text
