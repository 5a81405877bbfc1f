"""What a saved file changes for the viewer only after its restart, or breaks, is on the page and logged."""

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from storage import jobs
from tests.web.house import House
from web.restart import saved
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
    "push-services": (
        "[web]",
        '[channel.webpush]\nservices = ["push.example.com"]\n[web]',
        ["channel.webpush.services"],
    ),
    "followed-hosts": ("[web]", '[[host]]\nname = "a"\naddress = "127.0.0.1"\n[web]', []),
    "followed-channel": ("[web]", "[channel.webpush]\nenabled = false\n[web]", []),
    "the-daemons": ("[web]", "[daemon]\nlease_s = 20\n[web]", []),
}


def restart_keys(settings: ViewerSettings) -> list[str]:
    return list(saved(settings).keys)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_each_key_that_waits_is_named_and_logged_once(file: Path, edit: tuple[str, str, list[str]]) -> None:
    settings = load(file)
    assert restart_keys(settings) == []
    assert saved(settings).fault == ""
    assert edit[0] in file.read_text()
    file.write_text(file.read_text().replace(edit[0], edit[1]))
    with capture_logs() as logs:
        assert restart_keys(settings) == edit[2]
        assert restart_keys(settings) == edit[2]
    assert [line["keys"] for line in logs] == ([edit[2]] if edit[2] else [])
    assert restart_keys(replace(load(file), path=file) if edit[0] != edit[1] and edit[2] else settings) == []


MISTAKES = {
    "value": ("port = 5000", "port = -1", "web.port = -1: should be greater than or equal to 1", 8),
    "key": ("[web]", "[auth]\nbackend = 1\n[web]", "auth.backend: unknown key", 8),
    "together": ("[web]", "[auth]\nbackends = ['erp']\n[web]", "there is no [erp] with a url", 8),
    "features": ("[web]", "[features]\nkanban_enabled = 1\n[web]", "features.kanban_enabled = 1", 8),
    "tasks": ("[web]", "[tasks]\nmax_upload_mb = 0\n[web]", "tasks.max_upload_mb = 0", 8),
    "quality": ("[web]", "[quality_control]\nprojects = 1\n[web]", "quality_control.projects = 1", 8),
    "syntax": ("port = 5000", "port = ", "web.port: Invalid value", 8),
}


@pytest.mark.parametrize("edit", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_viewers_tables_is_named_with_file_line_and_key(
    file: Path, edit: tuple[str, str, str, int]
) -> None:
    settings = load(file)
    file.write_text(file.read_text().replace(edit[0], edit[1]))
    found = saved(settings)
    assert (found.settings, found.keys) == (None, ())
    assert found.fault.startswith(f"{file}: ")
    assert edit[2] in found.fault
    assert f"at line {edit[3]}" in found.fault


def test_a_secret_that_was_saved_waits_for_a_restart(file: Path, tmp_path: Path) -> None:
    settings = load(file)
    (tmp_path / "key").write_text("fedcba98765432100")
    assert restart_keys(settings) == ["redmine.api_key_file"]
    assert restart_keys(load(file)) == []


def test_administrators_see_it_on_the_page(house: House, file: Path) -> None:
    house.add_user("root", role="admin", language="en")
    root = house.browser("root")
    assert root.api("/api/admin/jobs").get_json()["viewer"] == {"fault": "", "restart": []}
    assert "after a restart of the viewer" not in root.get("/admin/schedules").text
    started: ViewerSettings = load(file)
    file.write_text(file.read_text().replace("5000", "5001"))
    settings = replace(house.viewer.settings, path=file, web=started.web, stamps=started.stamps)
    house.app.extensions[EXTENSION] = replace(house.viewer, settings=settings)
    assert "web.port" in root.api("/api/admin/jobs").get_json()["viewer"]["restart"]
    page = root.get("/admin/schedules").text
    assert "after a restart of the viewer" in page
    assert "<code>web.port</code>" in page


def test_administrators_see_a_mistake_on_the_page(house: House, file: Path) -> None:
    house.add_user("root", role="admin", language="en")
    root = house.browser("root")
    settings = replace(house.viewer.settings, path=file)
    house.app.extensions[EXTENSION] = replace(house.viewer, settings=settings)
    assert "would not start" not in root.get("/admin/schedules").text
    file.write_text(file.read_text().replace("5000", "-1"))
    fault = f"{file}: web.port = -1: should be greater than or equal to 1 (at line 8)"
    assert root.api("/api/admin/jobs").get_json()["viewer"] == {"fault": fault, "restart": []}
    page = root.get("/admin/schedules").text
    assert "The viewer would not start with the saved file" in page
    assert page.count(fault) == 1
    with house.database.write() as session:  # the daemon complains of the same: once is enough
        jobs.save_daemon_status(session, {"path": str(file), "fault": fault, "fault_at": None})
    assert root.get("/admin/schedules").text.count(fault) == 1
