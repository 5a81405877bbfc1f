"""What protects the viewer: tokens, origins, headers, cookies, redirects, proxies."""

import re
from typing import Any

import pytest
from flask import request

from storage import notifications
from storage.settings import StorageSettings
from tests.web.conftest import Build
from tests.web.house import HTML, House, password_of
from web.policy import Policy, allow
from web.redirects import safe_next
from web.security import EXEMPT


def writes(house: House) -> list[tuple[str, str]]:
    """Return every route that changes something, with 1 for whatever its address names."""
    return [
        (method, re.sub(r"<[^>]+>", "1", str(rule)))
        for rule in house.app.url_map.iter_rules()
        if rule.endpoint not in EXEMPT
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"})
    ]


def test_only_what_is_sent_from_outside_of_pages_needs_no_token() -> None:
    assert {"receipts.receive", "unsubscribe.decide"} == EXEMPT


@pytest.mark.parametrize("token", ["", "wrong"])
def test_no_write_is_done_without_its_token(house: House, token: str) -> None:
    house.notify(house.add_user("ann", role="admin"))
    browser = house.browser("ann")
    headers = {"X-CSRFToken": token} if token else {}
    found = writes(house)
    assert ("POST", "/users/login") in found
    for method, path in found:
        answer = browser.client.open(path, method=method, json={}, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "csrf"), (method, path)
        form = browser.client.open(path, method=method, data={"csrf_token": token}, headers=HTML)
        assert form.status_code == 400, (method, path)
    with house.database.read() as session:
        assert notifications.unread_count(session, 1) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
    ids=["origin", "null", "cross-site", "same-site", "contradiction"],
)
def test_a_json_log_in_from_another_site_is_refused(house: House, headers: dict[str, str]) -> None:
    house.add_user("ann")
    sent = {"username": "ann", "password": password_of("ann")}
    client = house.app.test_client()
    assert client.post("/users/login", json=sent, headers=headers).status_code == 400
    assert client.get("/tasks/api/notifications").status_code == 401
    assert client.post("/users/login", json=sent, headers={"Origin": "http://localhost"}).status_code == 200


def test_a_log_in_that_is_not_json_needs_the_token(house: House) -> None:
    house.add_user("ann")
    sent = f'{{"username": "ann", "password": "{password_of("ann")}"}}'
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ):
        answer = house.app.test_client().post("/users/login", data=sent, content_type=content_type)
        assert answer.status_code == 400


def test_somebody_who_is_signed_in_cannot_be_logged_in_as_another_without_a_token(house: House) -> None:
    house.add_user("ann")
    house.add_user("mallory")
    browser = house.browser("ann")
    sent = {"username": "mallory", "password": password_of("mallory")}
    assert browser.client.post("/users/login", json=sent).status_code == 400
    with browser.client.session_transaction() as session:
        assert session["_user_id"].startswith("1:")


def test_a_token_of_one_session_is_none_of_another(house: House) -> None:
    house.add_user("ann")
    house.add_user("bob")
    token = house.browser("bob").token()
    answer = house.browser("ann").client.put(
        "/tasks/api/notifications/read-all", headers={"X-CSRFToken": token}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/users/login",
        "/notifications",
        "/tasks/api/notifications",
        "/nowhere",
        "/static/css/app.css",
        "/healthz",
        "/socket.io/?EIO=4&transport=websocket",
    ],
)
def test_every_answer_carries_the_headers(house: House, path: str) -> None:
    path = path.replace("/static", house.app.static_url_path or "")
    with house.app.test_client().get(path, headers=HTML) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self' ws://localhost wss://localhost; font-src 'self'; manifest-src 'self';"
        " worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert ("no-store" in headers.get("Cache-Control", "")) != path.startswith("/static/")
    assert "Strict-Transport-Security" not in headers


def test_a_strange_host_does_not_reach_the_policy(house: House) -> None:
    answer = house.app.test_client().get("/healthz", headers={"Host": "x;script-src *"})
    assert "script-src *" not in answer.headers["Content-Security-Policy"]


def test_a_page_has_no_inline_script_or_style(house: House) -> None:
    house.notify(house.add_user("ann"))
    browser = house.browser("ann")
    for page in (browser.get("/notifications").text, house.browser().get("/users/login").text):
        assert "<script>" not in page
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page


@pytest.mark.parametrize(
    ("web", "is_secure"),
    [
        ({}, False),
        ({"public_url": "https://helpdesk.example.test"}, True),
        ({"public_url": "http://helpdesk.example.test"}, False),
        ({"public_url": "https://helpdesk.example.test", "cookie_secure": False}, False),
        ({"cookie_secure": True}, True),
    ],
)
def test_cookies_are_out_of_reach(
    storage: StorageSettings, build: Build, web: dict[str, Any], is_secure: bool
) -> None:
    house = build(storage, web=web)
    house.add_user("ann")
    answer = house.app.test_client().post(
        "/users/login", json={"username": "ann", "password": password_of("ann"), "remember": True}
    )
    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is is_secure
    assert ("Strict-Transport-Security" in answer.headers) is is_secure


def test_a_cookie_signed_with_another_key_is_no_session(storage: StorageSettings, build: Build) -> None:
    house = build(storage)
    house.add_user("ann")
    browser = house.browser("ann")
    house.app.secret_key = "another key of at least thirty-two characters"
    assert browser.client.get("/tasks/api/notifications").status_code == 401


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("/notifications?page=2", "/notifications?page=2"),
        ("/", "/"),
        ("", "/notifications"),
        ("//evil.test", "/notifications"),
        ("///evil.test", "/notifications"),
        ("/\\evil.test", "/notifications"),
        ("\\\\evil.test", "/notifications"),
        ("/\t/evil.test", "/notifications"),
        ("/\n/evil.test", "/notifications"),
        ("https://evil.test", "/notifications"),
        ("javascript:alert(1)", "/notifications"),
        ("evil.test", "/notifications"),
        ("@evil.test", "/notifications"),
        ("/users/login?next=/x", "/notifications"),
    ],
)
def test_next_stays_on_this_site(wanted: str, got: str) -> None:
    assert safe_next(wanted) == got


def test_no_form_leads_to_another_site(house: House) -> None:
    house.add_user("ann")
    browser = house.browser()
    assert browser.log_in("ann", next="https://evil.test/").location == "/notifications"
    assert browser.get("/users/login?next=//evil.test").location == "/notifications"
    assert browser.submit("/users/preferences", theme="dark", next="//evil.test").location == "/notifications"


@pytest.mark.parametrize(
    ("trusted", "peer", "seen"),
    [
        ((), "10.0.0.1", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "203.0.113.9"),
        (("10.0.0.2",), "10.0.0.1", "10.0.0.1"),
        (("::1",), "::1", "203.0.113.9"),
    ],
)
def test_only_a_trusted_proxy_says_where_a_request_comes_from(
    storage: StorageSettings, build: Build, trusted: tuple[str, ...], peer: str, seen: str
) -> None:
    house = build(storage, web={"trusted_proxies": trusted})

    @house.app.get("/seen")
    @allow(Policy.ANYBODY)
    def show() -> list[Any]:
        return [request.remote_addr, request.scheme, request.headers.get("X-Forwarded-Host", "")]

    headers = {
        "X-Forwarded-For": "198.51.100.1, 203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "helpdesk.example.test",
    }
    answer = house.app.test_client().get("/seen", headers=headers, environ_base={"REMOTE_ADDR": peer})
    is_believed = seen != peer
    assert answer.get_json() == [
        seen,
        "https" if is_believed else "http",
        "helpdesk.example.test" if is_believed else "",
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("POST", "/nowhere", 404),
        ("DELETE", "/tasks/api/notifications", 405),
        ("GET", "/static/../settings.py", 404),
        ("GET", "/tasks/api/notifications/abc/read", 404),
    ],
)
def test_errors_are_json_for_programs_and_pages_for_people(
    house: House, method: str, path: str, status: int
) -> None:
    client = house.app.test_client()
    if method == "DELETE":
        house.add_user("ann")
        token = client.get("/users/csrf-token").text
        answer = client.open(path, method=method, headers={"X-CSRFToken": token})
        assert answer.headers["Allow"]
    else:
        answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.get_json()["success"] is False
    if method == "GET" and "/api/" not in path:
        page = client.get(path, headers=HTML)
        assert page.status_code == status
        assert page.mimetype == "text/html"


def test_a_failure_inside_says_nothing_of_its_cause(house: House) -> None:
    house.app.testing = False

    @house.app.get("/boom")
    @allow(Policy.ANYBODY)
    def boom() -> None:
        raise RuntimeError("the secret")

    for headers in (HTML, {"Accept": "application/json"}):
        answer = house.app.test_client().get("/boom", headers=headers)
        assert answer.status_code == 500
        assert "secret" not in answer.text


def test_without_its_database_the_viewer_says_so(house: House, storage: StorageSettings) -> None:
    house.add_user("ann")
    browser = house.browser("ann")
    house.database.dispose()
    path = storage.directory / "helpdesk.db"
    for leftover in storage.directory.glob("helpdesk.db*"):
        leftover.unlink()
    path.mkdir()
    page = browser.get("/notifications")
    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert int(page.headers["Retry-After"]) > 0
    answer = browser.client.get("/tasks/api/notifications")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "no_database")
    assert browser.client.get("/healthz").status_code == 503
    assert browser.get("/users/login").status_code == 503
    assert browser.get("/users/logout").status_code == 303
    assert browser.get("/users/login").status_code == 200
