"""What other systems say, and how the viewer is set up."""

from dataclasses import replace
from pathlib import Path

import pytest

from storage.settings import StorageSettings
from tests.redmines import RedmineUnderTest
from tests.web.conftest import Build
from tests.web.house import House
from tests.web.test_redmine_login import settings_of
from web.settings import load
from web.viewer import EXTENSION


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/erp/user/ann", "erp_not_configured"),
        ("/netmonitor/status", "hosts_not_configured"),
        ("/finesse/dialogs", "finesse_not_configured"),
        ("/api/redmine/projects", "redmine_not_configured"),
        ("/api/redmine/statuses", "redmine_not_configured"),
    ],
)
def test_what_is_not_configured_says_so(house: House, path: str, code: str) -> None:
    house.add_user("ann")
    answer = house.browser("ann").api(path)
    assert answer.status_code == 503
    body = answer.get_json()
    assert (body["success"], body["code"]) == (False, code)
    assert body["message"]


def test_no_secret_is_in_the_configuration(
    storage: StorageSettings, build: Build, any_redmine: RedmineUnderTest, tmp_path: Path
) -> None:
    settings = settings_of(any_redmine, tmp_path)
    house = build(storage, redmine=settings)
    house.add_user("root", role="admin")
    answer = house.browser("root").api("/api/config")
    body = answer.get_json()
    assert body["redmine"] == {"url": any_redmine.url, "api_enabled": True}
    assert body["features"] == {"kanban_enabled": True, "quality_control_enabled": True}
    assert body["notifications"] == {"push_enabled": False, "email_enabled": False, "sound_enabled": True}
    assert any_redmine.admin_key not in answer.text


def test_channels_are_those_that_have_a_table(house: House, tmp_path: Path) -> None:
    file = tmp_path / "scheduler.toml"
    file.write_text(
        f'[storage]\ndirectory = "{tmp_path}"\n[channel.webpush]\n[channel.email]\nenabled = false\n'
    )
    assert load(file).channels == {"webpush"}
    house.add_user("ann")
    browser = house.browser("ann")
    parts = house.viewer
    house.app.extensions[EXTENSION] = replace(
        parts, settings=replace(parts.settings, channels=frozenset({"webpush"}))
    )
    assert browser.api("/api/config").get_json()["notifications"]["push_enabled"] is True


def test_projects_are_those_that_redmine_shows(
    storage: StorageSettings, build: Build, any_redmine: RedmineUnderTest, tmp_path: Path
) -> None:
    house = build(storage, redmine=settings_of(any_redmine, tmp_path))
    for login in ("admin", "eve"):
        house.add_user(login, redmine_login=login, id_redmine_user=any_redmine.id_of("user", login))
    house.add_user("local")
    everything = house.browser("admin").api("/api/redmine/projects").get_json()["projects"]
    shown = house.browser("eve").api("/api/redmine/projects").get_json()["projects"]
    assert {project["identifier"] for project in everything} == {"open", "closed-circle"}
    assert {project["identifier"] for project in shown} == {"open"}
    assert set(everything[0]) == {"id", "name", "identifier", "description"}
    assert house.browser("local").api("/api/redmine/projects").get_json()["code"] == "not_linked"


def test_statuses_have_a_colour_and_one_is_the_default(
    storage: StorageSettings, build: Build, any_redmine: RedmineUnderTest, tmp_path: Path
) -> None:
    house = build(storage, redmine=settings_of(any_redmine, tmp_path))
    house.add_user("admin", redmine_login="admin", id_redmine_user=1)
    statuses = house.browser("admin").api("/api/redmine/statuses").get_json()["statuses"]
    assert [status["name"] for status in statuses if status["is_default"]] == ["New"]
    assert all(status["color"].startswith("#") for status in statuses)
    assert any(status["is_closed"] for status in statuses)
