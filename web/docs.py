"""The document of the API and the page that shows it; both are made of the models beside the views."""

import copy
from typing import Any

from flask import Blueprint, Response, current_app, jsonify

from web.answers import page
from web.contract import File, Refusal, spec
from web.policy import Policy, allow, policy_of

bp = Blueprint("docs", __name__, url_prefix="/api")
WRITES = frozenset({"post", "put", "patch", "delete"})
ABOUT = """\
Log in with `POST /users/login` and keep its cookie. Every write carries the token that the log-in
answered, or that `GET /users/csrf-token` gives, in the header `X-CSRFToken`. Where an address serves a page
too, JSON is given to those who do not ask for `text/html`. Times are UTC, written as `2024-01-16T14:20:00Z`.
What is refused says why: `code` is for programs, `message` for people.
"""
FILE = f"#/components/schemas/{spec.naming_strategy(File)}"
SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": "helpdesk"},
    "token": {"type": "apiKey", "in": "header", "name": "X-CSRFToken"},
}


@bp.get("/openapi.json")
@allow(Policy.ANYBODY)
def document() -> Response:
    """Return the OpenAPI document."""
    return jsonify(openapi())


@bp.get("/docs")
@allow(Policy.ANYBODY)
def docs_page() -> str:
    """Show the document so that calls can be tried out."""
    return page("api_docs.html")


def openapi() -> dict[str, Any]:
    """Return the document with what spectree cannot know: who may call what, and with which token."""
    made: dict[str, Any] = copy.deepcopy(spec.spec)
    made["info"]["description"] = ABOUT
    made["components"]["securitySchemes"] = SCHEMES
    made["security"] = []
    public = _public()
    for path, calls in made["paths"].items():
        for method, call in calls.items():
            _describe_files(call["responses"])
            if method in WRITES:  # whatever is sent may be too large
                call["responses"].setdefault("413", _refusal("Request Entity Too Large"))
            call["security"] = _security(method, is_public=(method, path) in public)
    return made


def _refusal(words: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{spec.naming_strategy(Refusal)}"}
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _describe_files(responses: dict[str, Any]) -> None:
    """Say of answers that are a file that they are of any type, where spectree knows JSON only."""
    for answer in responses.values():
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        if schema.get("$ref") == FILE:
            answer["content"] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}


def _security(method: str, *, is_public: bool) -> list[dict[str, list[str]]]:
    if is_public:
        return []
    return [{"session": [], "token": []}] if method in WRITES else [{"session": []}]


def _public() -> set[tuple[str, str]]:
    """Return method and path, as the document writes them, of what visitors may call."""
    return {
        (method.lower(), spec.backend.parse_path(str(rule), None)[0])
        for rule in current_app.url_map.iter_rules()
        if policy_of(current_app, rule.endpoint) is Policy.ANYBODY
        for method in rule.methods or ()
    }
