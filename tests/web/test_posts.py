"""Posts: read by all, written by administrators, told of at once."""

from typing import Any

import pytest

from storage import posts
from storage.columns import utc_now
from tests.web.house import House

SENT = {"title": "Новое объявление", "content": "Содержание **объявления**..."}


@pytest.fixture
def readers(house: House) -> House:
    """A viewer with an administrator and two readers."""
    house.add_user("root", role="admin", full_name="Администратор")
    house.add_user("ann", language="en")
    house.add_user("bob")
    return house


def publish(house: House, **sent: str) -> int:
    answer = house.browser("root").api("/posts", "POST", json=SENT | sent)
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["post"]["id"])


def test_a_post_is_what_the_contract_says(readers: House) -> None:
    answer = readers.browser("root").api("/posts", "POST", json=SENT)
    assert answer.get_json()["message"] == "Пост успешно создан"
    (post,) = readers.browser("ann").api("/posts").get_json()["posts"]
    assert post["title"] == SENT["title"]
    assert post["content"] == SENT["content"]
    assert post["author"]["username"] == "root"
    assert post["author"]["full_name"] == "Администратор"
    assert post["html"] == "<p>Содержание <strong>объявления</strong>...</p>\n"


def test_only_administrators_write(readers: House) -> None:
    post_id = publish(readers)
    ann = readers.browser("ann")
    refused = [
        ann.api("/posts", "POST", json=SENT),
        ann.api(f"/posts/{post_id}", "PUT", json=SENT),
        ann.api(f"/posts/{post_id}", "DELETE"),
        ann.submit(f"/posts/{post_id}/delete"),
        ann.submit("/posts/new", **SENT),
        ann.get("/posts/new"),
    ]
    assert [answer.status_code for answer in refused] == [403] * 6
    assert "Write a post" not in ann.get("/posts").text
    assert "Write a post" not in ann.get(f"/posts/{post_id}").text
    assert len(ann.api("/posts").get_json()["posts"]) == 1


def test_a_post_is_changed_and_deleted(readers: House) -> None:
    post_id = publish(readers)
    root = readers.browser("root")
    changed = root.api(f"/posts/{post_id}", "PUT", json={"title": "Other", "content": "Words"}).get_json()
    assert (changed["post"]["title"], changed["post"]["html"]) == ("Other", "<p>Words</p>\n")
    assert changed["post"]["updated_at"]
    assert root.api(f"/posts/{post_id}", "DELETE").get_json()["success"] is True
    assert root.api(f"/posts/{post_id}", "DELETE").status_code == 404
    assert root.api(f"/posts/{post_id}").status_code == 404


def test_forms_do_the_same_without_scripts(readers: House) -> None:
    root = readers.browser("root")
    created = root.submit("/posts/new", **SENT)
    assert created.status_code == 303
    assert SENT["title"] in root.get(created.location).text
    wrong = root.submit("/posts/new", title="", content="kept")
    assert wrong.status_code == 422
    assert ">kept</textarea>" in wrong.text
    assert root.submit(f"{created.location}/edit", title="Other", content="x").status_code == 303
    assert 'value="Other"' in root.get(f"{created.location}/edit").text
    assert root.submit(f"{created.location}/delete").location == "/posts"
    assert root.get(created.location).status_code == 404


def test_a_post_is_unread_until_it_was_opened(readers: House) -> None:
    post_id, ann = publish(readers), readers.browser("ann")
    publish(readers, title="Second")
    assert [post["is_read"] for post in ann.api("/posts").get_json()["posts"]] == [False, False]
    assert 'data-count="2"' in ann.get("/notifications").text
    ann.get(f"/posts/{post_id}")
    listed = ann.api("/posts").get_json()
    assert [post["is_read"] for post in listed["posts"]] == [False, True]
    assert listed["unread"] == 1
    assert readers.browser("bob").api("/posts").get_json()["unread"] == 2
    assert readers.browser("root").api("/posts").get_json()["unread"] == 0
    ann.submit("/posts/read-all")
    assert ann.api("/posts").get_json()["unread"] == 0


def test_older_posts_are_no_news_to_a_newcomer(readers: House) -> None:
    publish(readers)
    readers.add_user("new", created_at=utc_now())
    assert readers.browser("new").api("/posts").get_json()["unread"] == 0


def test_pages_are_cut_newest_first(readers: House) -> None:
    with readers.database.write() as session:
        for number in range(5):
            posts.add(session, 1, f"Post {number}", "x")
    ann = readers.browser("ann")
    body = ann.api("/posts?per_page=2&page=2").get_json()
    assert [post["title"] for post in body["posts"]] == ["Post 2", "Post 1"]
    assert body["pagination"] == {"page": 2, "per_page": 2, "total": 5, "pages": 3}
    assert 'href="/posts?page=3' not in ann.get("/posts?page=9&per_page=2").text
    assert ann.api("/posts?page=0").status_code == 422


def test_it_arrives_at_every_open_page(readers: House) -> None:
    readers.live.tail.step()
    ann, bob = readers.socket(readers.browser("ann")), readers.socket(readers.browser("bob"))
    post_id = publish(readers)
    readers.live.tail.step()
    for socket in (ann, bob):
        (news,) = socket.events("post_published")
        assert (news["id"], news["title"], news["author"]) == (post_id, SENT["title"], "Администратор")
    readers.browser("root").api(f"/posts/{post_id}", "DELETE")
    readers.live.tail.step()
    assert ann.events("posts_changed") == [{"id": post_id}]


@pytest.mark.parametrize(
    "sent",
    [
        {"title": "", "content": "x"},
        {"title": "x"},
        {"title": "x", "content": " "},
        {"title": "x\ny", "content": "x"},
        {"title": "x" * 256, "content": "x"},
        {"title": "x", "content": "x" * 20_001},
        {"title": "x", "content": "nul\x00"},
        {"title": ["x"], "content": {}},
    ],
)
def test_a_post_that_cannot_be_is_refused(readers: House, sent: dict[str, Any]) -> None:
    answer = readers.browser("root").api("/posts", "POST", json=sent)
    assert answer.status_code == 422
    assert set(answer.get_json()["errors"]) <= {"title", "content"}


def test_nothing_in_a_post_runs(readers: House) -> None:
    post_id = publish(
        readers,
        title="<img src=x onerror=alert(1)>",
        content="<script>alert(1)</script> [x](javascript:alert(1))",
    )
    ann = readers.browser("ann")
    for page in (ann.get("/posts").text, ann.get(f"/posts/{post_id}").text):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'href="javascript' not in page


@pytest.mark.parametrize("post_id", [0, 99, 2**31, 2**63, 10**30])
def test_a_post_that_is_not_there_is_not_found(readers: House, post_id: int) -> None:
    root = readers.browser("root")
    assert root.api(f"/posts/{post_id}").status_code == 404
    assert root.api(f"/posts/{post_id}", "PUT", json=SENT).status_code == 404
    assert root.api(f"/posts/{post_id}", "DELETE").status_code == 404


def test_a_post_outlives_its_author(readers: House) -> None:
    with readers.database.write() as session:
        posts.add(session, 1, "Old", "x").author_id = None
    (post,) = readers.browser("ann").api("/posts").get_json()["posts"]
    assert post["author"] is None
    assert readers.browser("ann").get("/posts").status_code == 200
