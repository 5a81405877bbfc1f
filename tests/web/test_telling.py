"""How people set what tells them of what: by the API, by the page, and never for others."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest
from werkzeug.test import TestResponse

from storage import mutes
from storage.columns import utc_now
from storage.preferences import ADMIN_TYPES, HOST_TYPES, SOURCE_OF, TYPES, WAYS, Preferences, default_way, of
from tests.web.house import HTML, House
from web.viewer import EXTENSION

PATH = "/users/profile"
PAGE = "/users/notifications"


def put(house: House, **preferences: Any) -> TestResponse:
    return house.browser("ann").api(PATH, "PUT", json={"preferences": preferences})


def shown(house: House) -> dict[str, Any]:
    body: dict[str, Any] = house.browser("ann").api(PATH).get_json()["preferences"]
    return body


def test_the_defaults_are_shown_whole(house: House) -> None:
    house.add_user("ann")
    found = shown(house)
    assert found["ways"] == {kind: {way: default_way(kind, way) for way in WAYS} for kind in TYPES}
    assert found["mail"] == {"mode": "immediate", "times": ["09:00"], "days": [0, 1, 2, 3, 4]}
    assert found["hours"]["is_on"] is False
    assert found["reminders"] == {"days_before": [1], "overdue": "once", "at": "09:00"}
    assert found["projects"] == {}


def test_one_cell_changes_one_cell_and_only_differences_are_kept(house: House) -> None:
    user_id = house.add_user("ann")
    before = shown(house)
    assert put(house, ways={"note_added": {"email": True}, "updated": {"sound": False}}).status_code == 200
    expected = {kind: dict(ways) for kind, ways in before["ways"].items()}
    expected["note_added"]["email"] = True
    assert shown(house)["ways"] == expected
    assert house.user(user_id).preferences == {"ways": {"note_added": {"email": True}}}
    put(house, ways={"note_added": {"email": False}})
    assert house.user(user_id).preferences == {}
    put(house, ways={"mention": {"webpush": False}})
    put(house, ways=None)
    assert shown(house) == before


def test_parts_that_are_not_sent_stay(house: House) -> None:
    user_id = house.add_user("ann")
    put(house, hours={"is_on": True, "begin": "22:30", "end": "06:15"}, mail={"mode": "digest"})
    put(house, hours={"days": [6, 5]}, mail={"times": ["08:00", "17:30"]})
    found = shown(house)
    assert found["hours"] == {
        "is_on": True,
        "days": [5, 6],
        "begin": "22:30",
        "end": "06:15",
        "urgent_passes": True,
        "hosts_pass": False,
    }
    assert (found["mail"]["mode"], found["mail"]["times"]) == ("digest", ["08:00", "17:30"])
    assert of(house.user(user_id).preferences).hours.end.hour == 6


def test_exceptions_of_projects_come_and_go(house: House) -> None:
    user_id = house.add_user("ann")
    put(house, projects={"3": "none", "7": "important"})
    put(house, projects={"3": "all"})
    assert shown(house)["projects"] == {"7": "important"}
    assert house.user(user_id).preferences == {"projects": {"7": "important"}}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"ways": {"gossip": {"email": True}}}, "preferences.ways.gossip"),
        ({"ways": {"mention": {"pigeon": True}}}, "preferences.ways.mention.pigeon"),
        ({"ways": {"mention": {"email": "often"}}}, "preferences.ways.mention.email"),
        ({"projects": {"x": "none"}}, "preferences.projects.x"),
        ({"projects": {"1": "some"}}, "preferences.projects.1"),
        ({"projects": {"0": "none"}}, "preferences.projects.0"),
        ({"hours": {"begin": "25:00"}}, "preferences.hours.begin"),
        ({"hours": {"begin": "9"}}, "preferences.hours.begin"),
        ({"hours": {"begin": "09:00:00+03:00"}}, "preferences.hours.begin"),
        ({"hours": {"days": [7]}}, "preferences.hours.days.0"),
        ({"hours": {"days": []}}, "preferences.hours.days"),
        ({"hours": {"lunch": "12:00"}}, "preferences.hours.lunch"),
        ({"mail": {"mode": "hourly"}}, "preferences.mail.mode"),
        ({"mail": {"times": []}}, "preferences.mail.times"),
        ({"mail": {"times": ["09:00"] * 7}}, "preferences.mail.times"),
        ({"reminders": {"days_before": [2]}}, "preferences.reminders.days_before.0"),
        ({"reminders": {"overdue": True}}, "preferences.reminders.overdue"),
        ({"is_admin": True}, "preferences.is_admin"),
    ],
)
def test_what_does_not_exist_is_refused_by_its_place(house: House, sent: dict[str, Any], field: str) -> None:
    user_id = house.add_user("ann")
    answer = put(house, **sent)
    assert answer.status_code == 422
    assert any(name.startswith(field) for name in answer.get_json()["errors"]), answer.get_json()
    assert house.user(user_id).preferences == {}


def form(**changes: Any) -> dict[str, Any]:
    """Return what the page sends where nothing was changed."""
    default = Preferences()
    return {
        "browser_notifications_enabled": "on",
        "notifications_widget_enabled": "on",
        "ways": [f"{kind}.{way}" for kind in TYPES for way in WAYS if default.wants(kind, way)],
        "hours_day": list("01234"),
        "hours_begin": "09:00",
        "hours_end": "18:00",
        "urgent_passes": "on",
        "time_zone": "UTC",
        "mail_mode": "immediate",
        "mail_time": ["09:00", "", ""],
        "mail_day": list("01234"),
        "remind": ["1"],
        "overdue": "once",
        "remind_at": "09:00",
    } | changes


def submit(house: House, **changes: Any) -> TestResponse:
    browser = house.browser("ann")
    return browser.client.post(PAGE, data={"csrf_token": browser.token(), **form(**changes)}, headers=HTML)


def test_a_page_that_was_not_changed_changes_nothing(house: House) -> None:
    user_id = house.add_user("ann")
    answer = submit(house)
    assert (answer.status_code, answer.location) == (303, "/users/notifications?saved=1")
    assert house.user(user_id).preferences == {}


def test_the_page_works_without_scripts(house: House) -> None:
    user_id = house.add_user("ann")
    changes = {
        "ways": ["mention.email"],
        "hours_on": "on",
        "hours_day": ["5", "6"],
        "time_zone": "Asia/Tokyo",
        "mail_mode": "digest",
        "mail_time": ["08:30", "16:00"],
        "project_3": "none",
        "remind": [],
        "overdue": "daily",
    }
    sent = form(**changes)
    del sent["browser_notifications_enabled"], sent["urgent_passes"]
    browser = house.browser("ann")
    answer = browser.client.post(PAGE, data={"csrf_token": browser.token(), **sent}, headers=HTML)
    assert answer.status_code == 303
    user = house.user(user_id)
    assert (user.browser_notifications_enabled, user.notifications_widget_enabled) == (False, True)
    assert user.time_zone == "Asia/Tokyo"
    preferences = of(user.preferences)
    assert preferences.wants("mention", "email")
    assert not any(preferences.wants("assigned", way) for way in WAYS)
    assert (preferences.hours.is_on, preferences.hours.urgent_passes) == (True, False)
    assert preferences.hours.days == {5, 6}
    assert [at.hour for at in preferences.mail.times] == [8, 16]
    assert (preferences.reminders.days_before, preferences.reminders.overdue) == (frozenset(), "daily")
    assert preferences.projects == {3: "none"}
    page = browser.get(PAGE).text
    assert 'value="mention.email" aria-label' in page
    assert '<option value="Asia/Tokyo" selected>' in page


def test_a_page_that_is_refused_is_shown_again_as_it_was_filled_in(house: House) -> None:
    user_id = house.add_user("ann", language="en")
    answer = submit(house, mail_mode="digest", hours_begin="later", hours_day=[])
    assert answer.status_code == 422
    assert "hours.begin: is not written as it should be" in answer.text
    assert "hours.days: at least one must be chosen" in answer.text
    assert 'value="digest" checked' in answer.text
    assert house.user(user_id).preferences == {}


def test_every_type_has_a_name_on_the_page(house: House) -> None:
    house.add_user("ann", language="en", role="admin")
    page = house.browser("ann").get(PAGE).text
    assert [kind for kind in TYPES if f'<th scope="row">{kind}</th>' in page] == []


def test_the_matrix_goes_back_to_the_defaults(house: House) -> None:
    user_id = house.add_user("ann")
    put(house, ways={"mention": {"email": False}}, mail={"mode": "off"})
    assert house.browser("ann").submit(f"{PAGE}/reset").status_code == 303
    assert house.user(user_id).preferences == {"mail": {"mode": "off"}}


def test_projects_of_news_are_offered_and_withdrawn_ones_are_not(house: House) -> None:
    user_id, bob = house.add_user("ann", language="en"), house.add_user("bob")
    house.notify(user_id, project_id=5, project_name="Garden <b>")
    house.notify(user_id, project_id=6, project_name="Secret", withdrawn_at=utc_now())
    house.notify(bob, project_id=8, project_name="Of Bob")
    put(house, projects={"9": "none"})
    page = house.browser("ann").get(PAGE).text
    assert "Garden &lt;b&gt;" in page
    assert "Secret" not in page
    assert "Of Bob" not in page
    assert "#9" in page


def test_muted_issues_are_listed_and_unmuted(house: House) -> None:
    user_id, bob = house.add_user("ann", language="en"), house.add_user("bob")
    house.notify(user_id, issue_id=42, subject="Noisy")
    with house.database.write() as session:
        for muting in (user_id, bob):
            mutes.mute(session, muting, 42, utc_now())
    browser = house.browser("ann")
    assert "#42 Noisy" in browser.get(PAGE).text
    assert browser.api(PAGE).get_json()["muted"] == [42]
    assert browser.submit(f"{PAGE}/unmute/42").status_code == 303
    assert browser.submit(f"{PAGE}/unmute/99999999999").status_code == 303
    with house.database.read() as session:
        assert (mutes.of_user(session, user_id), mutes.of_user(session, bob)) == ([], [42])


# --- what is not there is not offered ----------------------------------------------------------------


def with_sources(house: House, **sources: Any) -> None:
    """Have the viewer know of these sources."""
    settings = replace(house.viewer.settings, **sources)
    house.app.extensions[EXTENSION] = replace(house.viewer, settings=settings)


def offered(house: House) -> set[str]:
    page = house.browser("ann").get(PAGE).text
    return {kind for kind in TYPES if f'value="{kind}.webpush"' in page}


def test_types_of_sources_that_are_not_there_are_not_offered(house: House) -> None:
    house.add_user("ann", language="en")
    of_redmine = set(TYPES) - set(SOURCE_OF) - ADMIN_TYPES
    assert offered(house) == of_redmine
    assert "News of hosts" not in house.browser("ann").get(PAGE).text
    with_sources(house, has_hosts=True)
    assert offered(house) == of_redmine | HOST_TYPES
    assert "News of hosts" in house.browser("ann").get(PAGE).text


def test_only_administrators_choose_how_they_hear_of_troubles_here(house: House) -> None:
    house.add_user("ann", role="admin")
    house.add_user("bob")
    for name, shown_kinds in (("ann", ADMIN_TYPES), ("bob", frozenset())):
        browser = house.browser(name)
        for page, mark in ((PAGE, ".email"), ("/notifications", "")):
            text = browser.get(page).text
            assert {kind for kind in ADMIN_TYPES if f'value="{kind}{mark}"' in text} == shown_kinds, (
                name,
                page,
            )


def test_what_was_not_offered_stays_as_it_was(house: House) -> None:
    user_id = house.add_user("ann")
    put(house, ways={"host_down": {"sound": False}, "call": {"popup": False}}, hours={"hosts_pass": True})
    shown_kinds = sorted(offered(house))
    assert "host_down" not in shown_kinds
    ticked = [f"{kind}.{way}" for kind in shown_kinds for way in WAYS if default_way(kind, way)]
    assert submit(house, kind=shown_kinds, ways=ticked).status_code == 303
    preferences = of(house.user(user_id).preferences)
    assert preferences.ways == {"host_down": {"sound": False}, "call": {"popup": False}}
    assert preferences.hours.hosts_pass
    with_sources(house, has_hosts=True)
    assert submit(house, kind=[*shown_kinds, *HOST_TYPES], ways=ticked).status_code == 303
    preferences = of(house.user(user_id).preferences)
    assert not preferences.hours.hosts_pass
    assert set(preferences.ways) > HOST_TYPES - {"host_down"}


def test_a_time_of_reminders_that_was_moved_is_kept_with_the_one_before(house: House) -> None:
    user_id = house.add_user("ann")
    began = utc_now()
    put(house, reminders={"at": "07:00"})
    reminders = of(house.user(user_id).preferences).reminders
    assert reminders.moved_at is not None
    assert (reminders.at.hour, reminders.at_before, reminders.moved_at >= began) == (7, time(9), True)
    put(house, reminders={"at": "06:00"})  # on the same day: what was due at nine is still to come
    again = of(house.user(user_id).preferences).reminders
    assert again.moved_at is not None
    assert (again.at.hour, again.at_before, again.moved_at > reminders.moved_at) == (6, time(9), True)
    put(house, reminders={"overdue": "daily"})
    assert of(house.user(user_id).preferences).reminders.moved_at == again.moved_at
    assert shown(house)["reminders"] == {"days_before": [1], "overdue": "daily", "at": "06:00"}
