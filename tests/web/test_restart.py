"""What a saved file changes for the viewer only after its restart is named, on the page and in the log."""

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.web.house import House
from web.restart import restart_keys
from web.settings import ViewerSettings, load
from web.viewer import EXTENSION

FILE = """
[storage]
directory = "{folder}"
[redmine]
url = "http://127.0.0.2:8099"
api_key_file = "{folder}/key"
[web]
port = 5000
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration as the viewer read it."""
    (tmp_path / "key").write_text("0123456789abcdef")
    path = tmp_path / "scheduler.toml"
    path.write_text(FILE.format(folder=tmp_path))
    return path


EDITS = {
    "nothing": ("port = 5000", "port = 5000 # as ever", []),
    "one": ("port = 5000", "port = 5001", ["web.port"]),
    "other-table": ("[web]", "[quality_control]\nprojects = ['a']\n[web]", ["quality_control.projects"]),
    "new-service": (
        "[web]",
        '[finesse]\nurls = ["https://f.example.com"]\nusername = "u"\npassword_env = "HOME"\n[web]',
        ["finesse"],
    ),
    "hosts": ("[web]", '[[host]]\nname = "a"\naddress = "127.0.0.1"\n[web]', ["host"]),
    "channel": ("[web]", "[channel.webpush]\nenabled = false\n[web]", ["channel"]),
    "the-daemons": ("[web]", "[daemon]\nlease_s = 20\n[web]", []),
    "a-mistake": ("port = 5000", "port = -1", []),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_each_key_that_waits_is_named_and_logged_once(file: Path, edit: tuple[str, str, list[str]]) -> None:
    settings = load(file)
    assert restart_keys(settings) == []
    assert edit[0] in file.read_text()
    file.write_text(file.read_text().replace(edit[0], edit[1]))
    with capture_logs() as logs:
        assert restart_keys(settings) == edit[2]
        assert restart_keys(settings) == edit[2]
    assert [line["keys"] for line in logs] == ([edit[2]] if edit[2] else [])
    assert restart_keys(replace(load(file), path=file) if edit[0] != edit[1] and edit[2] else settings) == []


def test_a_secret_that_was_saved_waits_for_a_restart(file: Path, tmp_path: Path) -> None:
    settings = load(file)
    (tmp_path / "key").write_text("fedcba98765432100")
    assert restart_keys(settings) == ["redmine.api_key_file"]
    assert restart_keys(load(file)) == []


def test_administrators_see_it_on_the_page(house: House, file: Path) -> None:
    house.add_user("root", role="admin", language="en")
    root = house.browser("root")
    assert root.api("/api/admin/jobs").get_json()["viewer"] == {"restart": []}
    assert "after a restart of the viewer" not in root.get("/admin/schedules").text
    started: ViewerSettings = load(file)
    file.write_text(file.read_text().replace("5000", "5001"))
    settings = replace(house.viewer.settings, path=file, web=started.web, stamps=started.stamps)
    house.app.extensions[EXTENSION] = replace(house.viewer, settings=settings)
    assert "web.port" in root.api("/api/admin/jobs").get_json()["viewer"]["restart"]
    page = root.get("/admin/schedules").text
    assert "after a restart of the viewer" in page
    assert "<code>web.port</code>" in page
