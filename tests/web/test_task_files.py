"""Attached files on their way through the viewer, on the demo Redmine and the real one."""

import io
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from tests.redmines import RedmineUnderTest
from tests.web.house import Browser, House
from tests.web.town import attach, task
from web.task.files import disposition, safe_name

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200_000)


def test_a_file_is_sent_as_it_is(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("ann")
    attach(any_redmine, "ann", issue_id, "Снимок №1.png", PNG, "image/png")
    (file,) = task(town, "carl", issue_id)["attachments"]
    assert (file["filename"], file["size"], file["content_type"]) == ("Снимок №1.png", len(PNG), "image/png")
    answer = town.browser("carl").get(file["url"])
    assert answer.data == PNG
    assert answer.headers["Content-Length"] == str(len(PNG))
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert "filename*=UTF-8''%D0%A1%D0%BD" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    shown = town.browser("carl").get(file["preview"])
    assert shown.headers["Content-Disposition"].startswith("inline; ")
    assert (shown.content_type, shown.data) == ("image/png", PNG)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("page.html", "text/html"),
        ("logo.svg", "image/svg+xml"),
        ("x.xml", "application/xml"),
        ("odd", 'a/b"c'),
    ],
)
def test_what_could_run_is_never_shown_in_the_page(
    demo_town: House, demo_redmine: RedmineUnderTest, name: str, kind: str
) -> None:
    issue_id = demo_redmine.create_issue("ann")
    attach(demo_redmine, "ann", issue_id, name, b"<script>alert(1)</script>", kind)
    (file,) = task(demo_town, "carl", issue_id)["attachments"]
    assert file["preview"] is None
    answer = demo_town.browser("carl").get(f"{file['url']}?inline=1")
    assert answer.headers["Content-Disposition"].startswith("attachment; ")


def test_a_file_belongs_to_its_task_and_to_those_who_see_it(
    town: House, any_redmine: RedmineUnderTest
) -> None:
    open_id = any_redmine.create_issue("ann")
    walled_id = any_redmine.create_issue("ann", project="closed-circle")
    file_id = attach(any_redmine, "ann", walled_id, "a.png", PNG, "image/png")
    address = "/tasks/api/task/{}/attachment/{}/download"
    carl = town.browser("carl")
    assert carl.get(address.format(walled_id, file_id)).status_code == 404
    assert carl.get(address.format(open_id, file_id)).status_code == 404
    assert carl.get(address.format(open_id, 99_999)).status_code == 404
    assert town.browser().get(address.format(walled_id, file_id)).status_code == 401
    assert town.browser("bob").get(address.format(walled_id, file_id)).status_code == 200
    assert town.browser("bob").get(address.format(open_id, file_id)).status_code == 404


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a\r\nSet-Cookie: x=1", "aSet-Cookie: x=1"),
        ("exe.\u202egnp", "exe.gnp"),
        ("...", "file"),
        ("", "file"),
        ("a" * 300 + ".txt", "a" * 196 + ".txt"),
    ],
)
def test_names_lead_nowhere(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def send(browser: Browser, issue_id: int, *files: tuple[bytes, str]) -> Any:
    """Send files as the page's script does."""
    # Not by the client itself: it would leave a temporary file open.
    boundary, body = encode_multipart(
        {"files": [FileStorage(io.BytesIO(content), name) for content, name in files]}
    )
    return browser.api(
        f"/tasks/api/task/{issue_id}/attachments",
        "POST",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
    )


def test_files_are_attached_in_ones_own_name(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("ann")
    answer = send(town.browser("bob"), issue_id, (PNG, "Снимок.png"), (b"text", "../../notes.txt"))
    assert answer.status_code == 200, answer.text
    attached = answer.get_json()["attached"]
    assert [file["filename"] for file in attached] == ["Снимок.png", "notes.txt"]
    assert {file["author"]["name"] for file in attached} == {"Боб Разработчиков"}
    assert town.browser("carl").get(attached[0]["url"]).data == PNG


def test_a_file_over_redmines_own_limit_is_refused_in_its_words(
    town: House, any_redmine: RedmineUnderTest
) -> None:
    issue_id = any_redmine.create_issue("ann")
    answer = send(town.browser("ann"), issue_id, (bytes(6 * 1024 * 1024), "big.bin"))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "rejected")
    assert any_redmine.issue(issue_id, include="attachments")["attachments"] == []


def test_a_file_over_our_limit_is_refused(demo_town: House, demo_redmine: RedmineUnderTest) -> None:
    issue_id = demo_redmine.create_issue("ann")
    limit = demo_town.viewer.settings.tasks.max_upload_mb * 1024 * 1024
    before = len(demo_redmine.requests)
    answer = send(demo_town.browser("ann"), issue_id, (bytes(limit + 1), "big.bin"))
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")
    answer = send(demo_town.browser("ann"), issue_id, (bytes(limit), "a.bin"), (bytes(limit), "b.bin"))
    assert answer.status_code == 413
    assert len(demo_redmine.requests) == before


def test_visitors_cannot_send_large_bodies(demo_town: House) -> None:
    assert send(demo_town.browser(), 1, (bytes(1024 * 1024), "a.bin")).status_code in {401, 413}
    assert demo_town.browser("ann").api("/tasks/api/task/1/attachments", "POST").status_code == 422


def test_a_name_is_told_in_ascii_and_as_it_is() -> None:
    told = disposition('Отчет "1".pdf')
    assert told == (
        'attachment; filename="_____ _1_.pdf";'
        " filename*=UTF-8''%D0%9E%D1%82%D1%87%D0%B5%D1%82%20%221%22.pdf"
    )
