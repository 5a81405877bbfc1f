"""The first host and another channel are there in a running viewer; a mistake changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.web.house import Browser, House
from web.following import WHOLE_S, Following
from web.viewer import EXTENSION

FILE = '[storage]\ndirectory = "{folder}"\n[web]\nport = 5000\n'
HOST = '[[host]]\nname = "a"\naddress = "127.0.0.1"\n'
MAIL = '[channel.email]\nhost = "mail.example.com"\nsender = "helpdesk@example.com"\n'
NETWORK = 'href="/netmonitor"'


class Clock:
    """Lets time pass between two looks, of which the second takes what the first saw."""

    def __init__(self, house: House) -> None:
        self._following = Following(house.app)
        self._now_s = 0.0

    def pass_by(self) -> None:
        for _ in range(2):
            self._now_s += WHOLE_S
            self._following.look(self._now_s)

    def look(self) -> None:
        self._following.look(self._now_s)


@pytest.fixture
def file(house: House, tmp_path: Path) -> Path:
    """The file that the viewer was started with."""
    path = tmp_path / "scheduler.toml"
    path.write_text(FILE.format(folder=tmp_path))
    settings = replace(house.viewer.settings, path=path)
    house.app.extensions[EXTENSION] = replace(house.viewer, settings=settings)
    return path


@pytest.fixture
def clock(house: House, file: Path) -> Clock:
    """Another look at that file."""
    assert file.exists()
    return Clock(house)


@pytest.fixture
def ann(house: House) -> Browser:
    """Somebody who is signed in."""
    house.add_user("ann", language="en", email="ann@example.com")
    return house.browser("ann")


def test_the_first_host_brings_the_page_of_the_network(file: Path, clock: Clock, ann: Browser) -> None:
    clock.pass_by()
    assert NETWORK not in ann.get("/notifications").text
    before = file.read_text()
    file.write_text(before + HOST)
    clock.pass_by()
    assert NETWORK in ann.get("/notifications").text
    file.write_text(before)
    clock.pass_by()
    assert NETWORK not in ann.get("/notifications").text


def test_a_channel_is_on_in_peoples_settings_without_a_restart(
    house: House, file: Path, clock: Clock, ann: Browser
) -> None:
    def are_on() -> tuple[bool, bool]:
        shown = ann.api("/api/config").get_json()["notifications"]
        return shown["push_enabled"], shown["email_enabled"]

    clock.pass_by()
    assert are_on() == (True, False)
    assert "Mails are not set up here." in ann.get("/users/notifications").text
    file.write_text(file.read_text() + MAIL)
    clock.pass_by()
    assert are_on() == (True, True)
    assert "Mails are not set up here." not in ann.get("/users/notifications").text
    file.write_text(file.read_text() + "[channel.webpush]\nenabled = false\n")
    clock.pass_by()
    assert are_on() == (False, True)
    assert house.viewer.settings.web.port == 5000


def test_what_waits_for_a_restart_is_left_as_it_was(house: House, file: Path, clock: Clock) -> None:
    before = house.viewer.settings.web
    file.write_text(file.read_text().replace("5000", "5001") + HOST)
    with capture_logs() as logs:
        clock.pass_by()
    assert house.viewer.settings.web == before
    assert house.viewer.settings.has_hosts
    [line] = [line for line in logs if line["event"] == "restart_needed"]
    assert "web.port" in line["keys"]


def test_a_mistake_changes_nothing_and_is_logged_once_as_is_its_end(
    house: House, file: Path, clock: Clock
) -> None:
    clock.pass_by()
    good = file.read_text()
    file.write_text(good.replace("5000", "-1") + HOST)
    with capture_logs() as logs:
        for _ in range(3):
            clock.pass_by()
        file.write_text(file.read_text() + "# another look, the same mistake\n")
        clock.pass_by()
    [line] = [line for line in logs if line["event"] == "viewer_settings_refused"]
    assert line["file"] == str(file)
    assert line["error"].endswith("web.port = -1: should be greater than or equal to 1 (at line 4)")
    assert not house.viewer.settings.has_hosts
    file.write_text(good + HOST)
    with capture_logs() as logs:
        clock.pass_by()
        clock.pass_by()
    assert [line["event"] for line in logs].count("viewer_settings_mended") == 1
    assert house.viewer.settings.has_hosts


def test_a_file_that_is_still_being_written_is_left_alone(house: House, file: Path, clock: Clock) -> None:
    clock.pass_by()
    whole = file.read_text() + HOST
    with capture_logs() as logs:
        for end in range(10, len(whole)):
            file.write_text(whole[:end])
            clock.look()
    assert [line["event"] for line in logs] == []
    assert not house.viewer.settings.has_hosts


def test_a_viewer_that_read_no_file_follows_none(house: House) -> None:
    before = house.viewer
    Clock(house).pass_by()
    assert house.viewer is before


def test_a_viewer_at_work_looks_by_itself(house: House) -> None:
    """The tail's rounds look at the file: see `Live.look`."""
    assert any(getattr(look, "__self__", None).__class__ is Following for look in house.live.rounds)
