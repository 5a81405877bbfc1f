"""The grouped inbox as API: lists, acts and their undoing, mutes, deliveries, forms."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import deliveries, mutes, notifications
from storage.columns import utc_now
from tests.web.house import Browser, House
from web.contract import Refusal
from web.inbox.answers import ActDone, DeliveriesAnswer, GroupsAnswer, MuteAnswer, ThreadAnswer

ACTS = "/api/inbox/acts"
SENT: dict[str, Any] = {
    "channel": "webpush",
    "lane": "webpush:a",
    "state": "sent",
    "attempts": 1,
    "error": "",
}


def groups(browser: Browser, query: str = "") -> list[tuple[int, int, int]]:
    """Return (newest id, count, unread) of each group, as the document describes the answer."""
    body = browser.api(f"/api/inbox?{query}").get_json()
    GroupsAnswer.model_validate(body, strict=True, extra="forbid")
    return [(group["item"]["id"], group["count"], group["unread"]) for group in body["groups"]]


def act(browser: Browser, name: str, **body: Any) -> dict[str, Any]:
    answer = browser.api(ACTS, "POST", json={"act": name, **body})
    assert answer.status_code == 200, answer.text
    ActDone.model_validate(answer.get_json(), strict=True, extra="forbid")
    done: dict[str, Any] = answer.get_json()
    return done


def test_the_list_is_grouped_filtered_and_goes_on(house: House) -> None:
    user_id = house.add_user("ann")
    ids = [house.notify(user_id, issue_id=issue)[0] for issue in (1, 2, 1, 3)]
    browser = house.browser("ann")
    assert groups(browser) == [(ids[3], 1, 1), (ids[2], 2, 2), (ids[1], 1, 1)]
    first = browser.api("/api/inbox?per_page=2").get_json()
    assert [group["item"]["id"] for group in first["groups"]] == [ids[3], ids[2]]
    rest = browser.api(f"/api/inbox?per_page=2&before={first['following']}").get_json()
    assert [group["item"]["id"] for group in rest["groups"]] == [ids[1]]
    assert (rest["following"], rest["unread"], rest["last_id"]) == (None, 4, ids[3])
    assert groups(browser, "type=mention") == []
    assert groups(browser, "q=ПРИНТЕР&unread_only=1&project=1&reason=assignee") == groups(browser)


def test_a_thread_is_listed_by_itself(house: House) -> None:
    user_id = house.add_user("ann")
    ids = [house.notify(user_id, issue_id=1)[0] for _ in range(3)]
    browser = house.browser("ann")
    body = browser.api("/api/inbox/thread?thread=issue:1&per_page=2&html=1").get_json()
    ThreadAnswer.model_validate(body, strict=True, extra="forbid")
    assert [item["id"] for item in body["items"]] == ids[:0:-1]
    following = f"/api/inbox/thread?thread=issue:1&before={body['following']}"
    assert [item["id"] for item in browser.api(following).get_json()["items"]] == ids[:1]


@pytest.mark.parametrize(
    "query",
    [
        "before=x",
        "before=MjAyNg==",
        "per_page=101",
        "view=nowhere",
        "reason=mine",
        "project=-1",
        "type=A%20b",
        "q=" + "x" * 201,
    ],
)
def test_a_wrong_question_is_named(house: House, query: str) -> None:
    house.add_user("ann")
    answer = house.browser("ann").api(f"/api/inbox?{query}")
    assert answer.status_code == 422
    Refusal.model_validate(answer.get_json(), strict=True, extra="forbid")
    assert list(answer.get_json()["errors"]) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    "text", ["%00", "%ED%A0%80", "%25", "_", "\\", "'", '"', "#", "#0", "#99999999999999999999"]
)
def test_any_words_may_be_searched(house: House, text: str) -> None:
    house.notify(house.add_user("ann"))
    assert house.browser("ann").api(f"/api/inbox?q={text}").status_code == 200


def test_an_act_on_an_issue_is_undone_by_what_the_answer_says(house: House) -> None:
    user_id = house.add_user("ann", language="en")
    ids = [house.notify(user_id, issue_id=issue)[0] for issue in (1, 1, 2)]
    browser = house.browser("ann")
    done = act(browser, "archive", threads=["issue:1"], up_to=ids[-1])
    assert (done["message"], done["changed"], done["unread"]) == ("Archived: 2", 2, 1)
    assert groups(browser) == [(ids[2], 1, 1)]
    assert groups(browser, "view=archived") == [(ids[1], 2, 2)]
    undone = browser.api(ACTS, "POST", json=done["undo"]).get_json()
    assert (undone["changed"], undone["unread"]) == (2, 3)
    assert groups(browser) == [(ids[2], 1, 1), (ids[1], 2, 2)]


def test_an_act_on_very_many_is_undone_by_its_moment(house: House) -> None:
    user_id = house.add_user("ann")
    (before,) = house.notify(user_id)
    browser = house.browser("ann")
    act(browser, "read", ids=[before])
    rows = [
        {
            "change_key": f"many:{n}",
            "user_id": user_id,
            "type": "updated",
            "reasons": [],
            "title": "",
            "message": "",
            "created_at": utc_now(),
        }
        for n in range(1_001)
    ]
    with house.database.write() as session:
        notifications.record(session, rows)
    done = act(browser, "read", filter={})
    assert (done["changed"], done["unread"], set(done["undo"])) == (1_001, 0, {"act", "stamp"})
    assert browser.api(ACTS, "POST", json=done["undo"]).get_json()["unread"] == 1_001
    assert house.row(before).read_at is not None


def test_all_that_match_a_filter_up_to_what_was_seen(house: House) -> None:
    user_id = house.add_user("ann")
    mention, seen, late = (house.notify(user_id, type=kind)[0] for kind in ("mention", "updated", "updated"))
    done = act(house.browser("ann"), "read", filter={"type": "updated"}, up_to=seen)
    assert (done["changed"], done["unread"]) == (1, 2)
    assert [house.row(row_id).read_at is None for row_id in (mention, seen, late)] == [True, False, True]


def test_snoozing_is_until_a_moment_of_the_persons_clock(house: House) -> None:
    user_id = house.add_user("ann", time_zone="Asia/Tokyo")
    (row_id,) = house.notify(user_id)
    browser = house.browser("ann")
    local = (utc_now() + timedelta(days=2, hours=9)).replace(tzinfo=None, second=0, microsecond=0)
    done = act(browser, "snooze", ids=[row_id], until=local.isoformat(timespec="minutes"))
    until = house.row(row_id).snoozed_until
    assert until is not None
    assert until.replace(microsecond=0) == local.replace(tzinfo=UTC) - timedelta(hours=9)
    assert (done["unread"], done["undo"]) == (0, {"act": "unsnooze", "ids": [row_id]})
    assert groups(browser, "view=snoozed") == [(row_id, 1, 1)]
    undo = act(browser, "unsnooze", ids=[row_id])["undo"]
    assert (undo["act"], undo["ids"]) == ("snooze", [row_id])
    act(browser, undo.pop("act"), **undo)
    again = house.row(row_id).snoozed_until
    assert again is not None
    assert again.replace(microsecond=0) == until.replace(microsecond=0)
    (other,) = house.notify(user_id)
    act(browser, "snooze", ids=[other], until="hour")
    assert act(browser, "unsnooze", ids=[row_id, other])["undo"] is None  # each had an end of its own


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"ids": [1], "threads": ["a"]}, "body"),
        ({"ids": [1], "stamp": "2026-01-01T00:00:00Z"}, "body"),
        ({"ids": []}, "ids"),
        ({"ids": [2**31]}, "ids.0"),
        ({"ids": [1], "act": "eat"}, "act"),
        ({"stamp": "2026-01-01T00:00:00"}, "stamp"),
        ({"filter": {"view": "x"}}, "filter.view"),
        ({"ids": [1], "act": "snooze"}, "until"),
        ({"ids": [1], "act": "snooze", "until": "yesterday"}, "until"),
        ({"ids": [1], "act": "snooze", "until": "2020-01-01T00:00"}, "until"),
        ({"ids": [1], "act": "snooze", "until": "0001-01-01T00:00"}, "until"),
    ],
)
def test_an_act_that_is_not_clear_is_refused(house: House, body: dict[str, Any], field: str) -> None:
    house.notify(house.add_user("ann"))
    answer = house.browser("ann").api(ACTS, "POST", json={"act": "read", **body})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [field])


def test_what_is_another_persons_does_not_exist(house: House) -> None:
    house.add_user("ann")
    (theirs,) = house.notify(house.add_user("bob"), issue_id=1)
    browser = house.browser("ann")
    for chosen in ({"ids": [theirs]}, {"threads": ["issue:1"]}):
        assert browser.api(ACTS, "POST", json={"act": "archive", **chosen}).status_code == 404
    for path in (f"/api/notifications/{theirs}/deliveries", f"/notifications/{theirs}"):
        assert browser.api(path).status_code == 404
    for name in ("archive", "star", "unread"):
        assert browser.submit(f"/notifications/{theirs}/{name}").status_code == 404
    assert act(browser, "archive", filter={})["changed"] == 0
    row = house.row(theirs)
    assert (row.archived_at, row.starred_at, row.read_at) == (None, None, None)
    assert groups(house.browser("bob")) == [(theirs, 1, 1)]


def test_an_act_needs_its_token(house: House) -> None:
    (row_id,) = house.notify(house.add_user("ann"))
    answer = house.browser("ann").client.post(ACTS, json={"act": "read", "ids": [row_id]})
    assert answer.status_code == 400
    assert house.row(row_id).read_at is None


def test_other_tabs_hear_of_an_act_and_other_people_do_not(house: House) -> None:
    ann, bob = house.add_user("ann"), house.add_user("bob")
    (row_id,), _ = house.notify(ann), house.notify(bob)
    house.live.tail.step()
    browser = house.browser("ann")
    tab, device, other = (
        house.socket(browser),
        house.socket(house.browser("ann")),
        house.socket(house.browser("bob")),
    )
    act(browser, "archive", ids=[row_id])
    house.live.tail.step()
    told = [{"act": "archive", "ids": [row_id], "unread": 0}]
    assert tab.events("notifications_changed") == device.events("notifications_changed") == told
    assert other.events("notifications_changed") == []


def test_forms_act_on_the_whole_issue_of_a_card(house: House) -> None:
    user_id = house.add_user("ann")
    first, second, late = (house.notify(user_id, issue_id=1)[0] for _ in range(3))
    browser = house.browser("ann")
    answer = browser.submit(
        f"/notifications/{second}/archive", up_to=str(second), next="/notifications?view=starred"
    )
    assert (answer.status_code, answer.location) == (303, "/notifications?view=starred")
    assert [house.row(row_id).archived_at is None for row_id in (first, second, late)] == [False, False, True]
    assert browser.submit(f"/notifications/{late}/snooze").status_code == 422
    browser.submit(f"/notifications/{late}/snooze", until="tomorrow")
    assert house.row(late).snoozed_until is not None
    assert browser.submit(f"/notifications/{late}/eat").status_code == 404


def test_an_issue_is_muted_for_one_person(house: House) -> None:
    ann, bob = house.add_user("ann"), house.add_user("bob")
    browser = house.browser("ann")
    for method, is_muted in (
        ("PUT", True),
        ("PUT", True),
        ("DELETE", False),
        ("DELETE", False),
        ("PUT", True),
    ):
        body = browser.api("/tasks/api/task/7/mute", method).get_json()
        MuteAnswer.model_validate(body, strict=True, extra="forbid")
        assert (body["task_id"], body["is_muted"]) == (7, is_muted)
    with house.database.read() as session:
        assert (mutes.of_user(session, ann), mutes.of_user(session, bob)) == ([7], [])
    assert browser.submit("/tasks/7/unmute", next="/notifications").location == "/notifications"
    assert browser.api(f"/tasks/api/task/{2**31}/mute", "PUT").status_code == 404
    with house.database.read() as session:
        assert mutes.of_user(session, ann) == []


def told(house: House, row_id: int, *rows: dict[str, Any]) -> dict[str, Any]:
    with house.database.write() as session:
        deliveries.record(session, [{"notification_id": row_id, **SENT, **row} for row in rows])
    body = house.browser("ann").api(f"/api/notifications/{row_id}/deliveries").get_json()
    DeliveriesAnswer.model_validate(body, strict=True, extra="forbid")
    shown: dict[str, Any] = body
    return shown


def test_each_device_and_mail_is_shown_with_what_became_of_it(house: House) -> None:
    (row_id,) = house.notify(house.add_user("ann", language="en"))
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    times = {"finished_at": at, "received_at": None, "next_attempt_at": at}
    body = told(
        house,
        row_id,
        {"device": "1", "device_name": firefox, **times},
        {"device": "2", "device_name": firefox, **times, "received_at": at},
        {
            "device": "3",
            "device_name": "",
            **times,
            "state": "failed",
            "attempts": 6,
            "error": "answered 500",
        },
        {"device": "4", "device_name": "", **times, "state": "due", "attempts": 2, "finished_at": None},
        {"channel": "email", "lane": "email", "device": "", "device_name": "ann@example.org", **times},
    )
    texts = [(one["device"], one["text"], one["at"] or one["next_attempt_at"]) for one in body["deliveries"]]
    moment = "2026-03-01T12:00:00Z"
    assert texts == [
        ("Firefox on Linux", "Accepted by the push service", moment),
        ("Firefox on Linux", "Shown by the device", moment),
        ("", "Could not be delivered", moment),
        ("", "Waits to be tried again", moment),
        ("ann@example.org", "Accepted by the mail server", moment),
    ]
    assert (body["deliveries"][2]["error"], body["deliveries"][2]["attempts"]) == ("answered 500", 6)
    assert body["ways"] == []
    page = house.browser("ann").get(f"/notifications/{row_id}")
    assert page.status_code == 200
    assert "answered 500" in page.text


@pytest.mark.parametrize(
    ("columns", "push", "mail"),
    [
        ({}, "No browser of yours is subscribed.", "Your profile has no mail address."),
        (
            {"browser_notifications_enabled": False, "preferences": {"mail": {"mode": "off"}}},
            "Browser notifications are switched off in your profile.",
            "Mails are switched off in your profile.",
        ),
        (
            {"email": "ann@example.org", "preferences": {"projects": {"1": "none"}}},
            "You asked to hear less of this project.",
            "You asked to hear less of this project.",
        ),
        (
            {"email": "ann@example.org"},
            "No browser of yours is subscribed.",
            "You do not want this type this way.",
        ),
        (
            {"email": "ann@example.org", "preferences": {"ways": {"status_change": {"email": True}}}},
            "No browser of yours is subscribed.",
            "It was not set up when this came.",
        ),
    ],
)
def test_why_nothing_was_sent_is_said(house: House, columns: dict[str, Any], push: str, mail: str) -> None:
    (row_id,) = house.notify(house.add_user("ann", language="en", **columns))
    assert told(house, row_id)["ways"] == [
        {"channel": "webpush", "why_not": push},
        {"channel": "email", "why_not": mail},
    ]


@pytest.mark.parametrize(
    ("kind", "is_held_back"), [("status_change", True), ("reminder", True), ("mention", False)]
)
def test_a_mute_holds_back_all_but_what_turns_to_its_reader(
    house: House, kind: str, *, is_held_back: bool
) -> None:
    user_id = house.add_user("ann", language="en")
    (row_id,) = house.notify(user_id, type=kind)
    issue_id = house.row(row_id).issue_id
    assert house.browser("ann").api(f"/tasks/api/task/{issue_id}/mute", "PUT").status_code == 200
    reasons = {way["why_not"] for way in told(house, row_id)["ways"]}
    assert (reasons == {"You muted this issue."}) is is_held_back


@pytest.mark.parametrize(
    "query", ["", "unread_only=1", "view=starred", "view=snoozed", "view=archived", "q=x", "project=9"]
)
def test_every_list_has_an_empty_page(house: House, query: str) -> None:
    house.add_user("ann")
    assert 'class="empty"' in house.browser("ann").get(f"/notifications?{query}").text
