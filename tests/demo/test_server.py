"""The server around the model: log of requests, addresses, many clients, connections, pages for people."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from daemon.demo import server as server_module
from daemon.demo.server import DemoRedmine, RequestLog, SeenRequest
from tests.redmines import RedmineUnderTest


def test_every_request_is_in_the_log_with_who_it_acted_as(redmine: RedmineUnderTest) -> None:
    redmine.requests.clear()
    with redmine.session() as admin:
        admin.get(f"{redmine.url}/issues.json?limit=1&status_id=*", headers={"X-Redmine-Switch-User": "bob"})
        admin.get(f"{redmine.url}/issues.json", headers={"X-Redmine-Switch-User": "nobody"})
        admin.get(f"{redmine.url}/users/current.json")
    requests.get(f"{redmine.url}/issues/7.json", timeout=10)
    seen = [(r.method, r.path, dict(r.query), r.login) for r in redmine.requests]
    assert seen == [
        ("GET", "/issues.json", {"limit": "1", "status_id": "*"}, "bob"),
        ("GET", "/issues.json", {}, ""),
        ("GET", "/users/current.json", {}, "admin"),
        ("GET", "/issues/7.json", {}, ""),
    ]


def test_the_log_forgets_its_older_half_when_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "KEPT_REQUESTS", 10)
    log = RequestLog(SeenRequest("GET", f"/{n}", {}, "") for n in range(10))
    log.record(server_module.Request("GET", "/new"), server_module.StopError(412))
    assert [r.path for r in log] == ["/5", "/6", "/7", "/8", "/9", "/new"]


def test_acting_without_a_socket_is_neither_logged_nor_struck_by_faults(redmine: RedmineUnderTest) -> None:
    redmine.faults.status(500, None)
    before = len(redmine.requests)
    fields = {"issue": {"project_id": "open", "subject": "quiet"}}
    assert redmine.demo.act("ann", "POST", "/issues.json", fields).status == 201
    assert redmine.demo.act("nobody", "GET", "/issues.json").status == 404
    assert (len(redmine.requests), redmine.faults.pending) == (before, 1)


def test_the_same_port_and_data_after_a_stop(world: dict[str, Any]) -> None:
    demo = DemoRedmine(world)
    with pytest.raises(RuntimeError, match="before start"):
        _ = demo.url
    demo.start()
    url = demo.url
    demo.act("ann", "POST", "/issues.json", {"issue": {"project_id": "open", "subject": "kept"}})
    demo.stop()
    demo.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/issues.json", timeout=5)
    with demo:
        assert demo.url == url
        assert requests.get(f"{url}/issues.json", timeout=5).json()["total_count"] == 1


def test_one_connection_serves_many_requests_until_the_server_hangs_up(redmine: RedmineUnderTest) -> None:
    host, port = redmine.url.removeprefix("http://").split(":")
    ask = b"GET /issue_statuses.json HTTP/1.1\r\nHost: demo\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as client:
        for _ in range(3):
            client.sendall(ask)
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        redmine.demo.close_connections()
        assert client.recv(65536) == b""


def test_eight_clients_at_once_lose_nothing(redmine: RedmineUnderTest) -> None:
    issue = redmine.create_issue("ann")
    start = threading.Barrier(8)

    def write(number: int) -> list[int]:
        start.wait(10)
        return [redmine.update_issue(issue, "bob", notes=f"{number}-{n}") for n in range(5)]

    with ThreadPoolExecutor(8) as pool:
        answers = [status for statuses in pool.map(write, range(8)) for status in statuses]
    assert answers == [204] * 40
    notes = [j["notes"] for j in redmine.issue(issue)["journals"]]
    assert sorted(notes) == sorted(f"{number}-{n}" for number in range(8) for n in range(5))


def test_head_says_no_length_and_keeps_the_connection_usable(redmine: RedmineUnderTest) -> None:
    with redmine.session() as admin:
        head = admin.head(f"{redmine.url}/issue_statuses.json")
        assert (head.status_code, head.headers["Content-Length"]) == (200, "0")
        assert admin.get(f"{redmine.url}/issue_statuses.json").status_code == 200


def test_a_body_of_unknown_length_is_refused(redmine: RedmineUnderTest) -> None:
    with redmine.session() as admin:
        answer = admin.post(f"{redmine.url}/issues.json", data=iter([b"{}"]))
    assert answer.status_code == 411


def test_a_link_to_an_issue_leads_to_a_page_only_where_everybody_may_look(redmine: RedmineUnderTest) -> None:
    public = redmine.create_issue("ann", subject="<b>bold</b>")
    redmine.update_issue(public, "ann", notes="for all")
    redmine.update_issue(public, "ann", notes="for few", private_notes=True)
    hidden = redmine.create_issue("ann", subject="hush", is_private=True)
    page = requests.get(f"{redmine.url}/issues/{public}", timeout=10).text
    assert "&lt;b&gt;bold" in page
    assert "for all" in page
    assert "for few" not in page
    elsewhere = requests.get(f"{redmine.url}/issues/{hidden}", timeout=10, allow_redirects=False)
    assert elsewhere.status_code == 302
    assert "hush" not in requests.get(f"{redmine.url}/", timeout=10).text
    assert requests.get(f"{redmine.url}/issues/999", timeout=10).status_code == 404
    assert requests.get(elsewhere.headers["Location"], timeout=10).status_code == 200
