"""Each function of the client against canned answers: what it asks, how often, what it makes of it."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest

from daemon.clients.errors import Rejected, SourceUnavailable, WrongAnswer
from daemon.clients.redmine import RedmineClient
from daemon.clients.values import CustomField, Ref
from tests.clients.samples import BARE_ISSUE, ISSUE
from tests.clients.scripted import ScriptedServer, Seen, answer


def page(ids: list[int], total: int, limit: int = 100) -> dict[str, object]:
    issues = [BARE_ISSUE | {"id": number} for number in ids]
    return {"issues": issues, "total_count": total, "offset": 0, "limit": limit}


def asked(seen: Seen) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(seen.target).query))


def test_an_issue_is_read_in_one_request(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(200, {"issue": ISSUE})
    issue = client.issue(7)
    assert [seen.target for seen in server.seen] == [
        "/issues/7.json?include=journals%2Cwatchers%2Cattachments%2Crelations"
    ]
    assert issue.journals is not None
    assert [journal.id for journal in issue.journals] == [12, 58]


def test_another_issue_than_asked_for_is_a_wrong_answer(
    server: ScriptedServer, client: RedmineClient
) -> None:
    server.rest = answer(200, {"issue": ISSUE})
    with pytest.raises(WrongAnswer, match=r"GET /issues/8\.json: brought issue 7"):
        client.issue(8)


def test_a_wrong_answer_names_request_and_key(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(200, {"issue": ISSUE | {"status": None}})
    with pytest.raises(
        WrongAnswer, match=r"GET /issues/7\.json: issue\.status: expected an object, found null"
    ):
        client.issue(7)


def test_an_unknown_include_is_refused_before_sending(server: ScriptedServer, client: RedmineClient) -> None:
    with pytest.raises(ValueError, match="changesets"):
        client.issue(7, include=("changesets",))
    with pytest.raises(ValueError, match="journals"):
        client.list_issues(include=("journals",))
    assert server.seen == []


def test_a_list_always_asks_for_closed_issues_too(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(200, page([3, 4], total=7, limit=2))
    found = client.list_issues(limit=2, watcher_id=5)
    assert asked(server.seen[0]) == {
        "status_id": "*", "sort": "updated_on:asc,id", "offset": "0", "limit": "2", "watcher_id": "5"
    }  # fmt: skip
    assert [issue.id for issue in found.issues] == [3, 4]
    assert (found.total_count, found.offset, found.limit) == (7, 0, 2)


@pytest.mark.parametrize(("total", "visible"), [(3, {7, 8, 9}), (0, set())], ids=["all", "none"])
def test_all_or_none_visible_takes_one_small_request(
    total: int, visible: set[int], server: ScriptedServer, client: RedmineClient
) -> None:
    server.rest = answer(200, page([7][:total], total))
    assert client.visible_ids([9, 7, 8, 8]) == visible
    assert [asked(seen) for seen in server.seen] == [
        {"status_id": "*", "sort": "id", "offset": "0", "limit": "1", "issue_id": "7,8,9"}
    ]


def test_some_visible_takes_a_second_request(server: ScriptedServer, client: RedmineClient) -> None:
    server.moves = [answer(200, page([7], 2)), answer(200, page([7, 9], 2))]
    assert client.visible_ids([7, 8, 9]) == {7, 9}
    assert [asked(seen)["limit"] for seen in server.seen] == ["1", "100"]


def test_visible_ids_are_asked_for_by_the_hundred(server: ScriptedServer, client: RedmineClient) -> None:
    server.moves = [answer(200, page([1], 100)), answer(200, page([], 0)), answer(200, page([201], 50))]
    assert client.visible_ids(range(1, 251)) == {*range(1, 101), *range(201, 251)}
    assert [len(asked(seen)["issue_id"].split(",")) for seen in server.seen] == [100, 100, 50]


def test_no_ids_need_no_request(server: ScriptedServer, client: RedmineClient) -> None:
    assert client.visible_ids([]) == frozenset()
    assert server.seen == []


def test_more_visible_than_asked_for_means_the_filter_was_lost(
    server: ScriptedServer, client: RedmineClient
) -> None:
    server.rest = answer(200, page([1], 20_040))
    with pytest.raises(WrongAnswer, match="20040 issues for 2 ids"):
        client.visible_ids([1, 2])


def test_issues_are_counted_in_one_small_request(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(200, page([1], 4711))
    assert client.count_issues((1, 5000)) == 4711
    assert asked(server.seen[0]) == {
        "status_id": "*", "sort": "id", "offset": "0", "limit": "1", "issue_id": "><1|5000"
    }  # fmt: skip


def users(first: int, count: int, total: int) -> dict[str, object]:
    person = {"firstname": "A", "lastname": "B", "admin": False}
    people = [person | {"id": n, "login": f"u{n}"} for n in range(first, first + count)]
    return {"users": people, "total_count": total, "offset": 0, "limit": 100}


def test_a_long_list_is_read_page_by_page(server: ScriptedServer, client: RedmineClient) -> None:
    server.moves = [answer(200, users(*args, 250)) for args in ((1, 100), (101, 100), (201, 50))]
    assert [user.id for user in client.users()] == list(range(1, 251))
    assert [asked(seen) for seen in server.seen] == [
        {"offset": offset, "limit": "100"} for offset in ("0", "100", "200")
    ]


def test_a_list_that_shrinks_between_pages_is_read_again(
    server: ScriptedServer, client: RedmineClient
) -> None:
    """The removed first user moves user 101 to a page that has been read already."""
    server.moves = [
        answer(200, users(1, 100, 150)),
        answer(200, users(102, 49, 149)),
        answer(200, users(2, 100, 149)),
        answer(200, users(102, 49, 149)),
    ]
    assert [user.id for user in client.users()] == list(range(2, 151))


def test_a_list_that_never_holds_still_is_given_up(server: ScriptedServer, client: RedmineClient) -> None:
    server.moves = [answer(200, users(1, n % 2 * 100, 150 + n)) for n in range(1, 40)]
    with pytest.raises(SourceUnavailable, match="changed during each"):
        client.users()
    assert len(server.seen) == 10


def test_a_total_that_is_never_reached_is_given_up(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(200, users(1, 0, 150))
    with pytest.raises(SourceUnavailable, match="changed during each"):
        client.users()


def test_an_empty_list_is_empty(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(200, {"projects": [], "total_count": 0})
    assert client.projects() == ()
    assert asked(server.seen[0]) == {"offset": "0", "limit": "100", "status": "1|5"}


def test_only_custom_fields_of_issues_are_listed(server: ScriptedServer, client: RedmineClient) -> None:
    field = {"name": "Room", "visible": True, "field_format": "string"}
    rows = [field | {"id": n, "customized_type": kind} for n, kind in enumerate(["user", "issue", "project"])]
    server.rest = answer(200, {"custom_fields": rows})
    assert client.custom_fields() == (CustomField(1, "Room", visible=True, field_format="string"),)


@pytest.mark.parametrize(
    ("call", "path", "key"),
    [
        (lambda c: c.groups(), "/groups.json", "groups"),
        (lambda c: c.categories(3), "/projects/3/issue_categories.json", "issue_categories"),
        (lambda c: c.versions(3), "/projects/3/versions.json", "versions"),
    ],
    ids=["groups", "categories", "versions"],
)
def test_plain_lists(
    call: Callable[[RedmineClient], tuple[Ref, ...]],
    path: str,
    key: str,
    server: ScriptedServer,
    client: RedmineClient,
) -> None:
    server.rest = answer(200, {key: [{"id": 1, "name": "One", "more": {}}]})
    assert call(client) == (Ref(1, "One"),)
    assert [seen.target for seen in server.seen] == [path]


def test_a_write_sends_exactly_the_fields(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(204)
    fields = {"notes": "Привет", "custom_fields": [{"id": 1, "value": "x"}]}
    client.acting_as("carl").update_issue(7, fields)
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("PUT", "/issues/7.json")
    assert seen.header("X-Redmine-Switch-User") == "carl"
    assert seen.header("Content-Type") == "application/json"
    assert seen.body.decode("unicode_escape") == (
        '{"issue": {"notes": "Привет", "custom_fields": [{"id": 1, "value": "x"}]}}'
    )


def test_nothing_to_write_is_refused_before_sending(server: ScriptedServer, client: RedmineClient) -> None:
    with pytest.raises(ValueError, match="nothing to change"):
        client.update_issue(7, {})
    assert server.seen == []


def test_a_read_may_be_rejected_too(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(422, {"errors": ["Updated is invalid"]})
    with pytest.raises(Rejected, match="Updated is invalid"):
        client.list_issues()
