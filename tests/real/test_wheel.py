"""A wheel built of a clean export works by itself: in a new environment, far from the tree."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.web.served import ROOT, free_port, wait_until

pytestmark = pytest.mark.long

START_S = 240.0
MADE = ("web/static/vendor", "web/translations", "daemon/translations")
Helpdesk = Callable[..., subprocess.CompletedProcess[str]]


def called(*command: object, cwd: Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed."""
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What belongs to the tree by git, new files too, and what the set-up makes besides."""
    tree = tmp_path_factory.mktemp("export")
    for name in called(
        "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT
    ).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    for name in MADE:
        shutil.copytree(ROOT / name, tree / name, dirs_exist_ok=True)
    return tree


@pytest.fixture(scope="module")
def wheel(export: Path) -> Path:
    """The wheel."""
    called(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", export / "dist", cwd=export)
    [built] = (export / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; what it needs is borrowed from ours, as no network may be used."""
    folder = tmp_path_factory.mktemp("environment")
    called(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--disable-pip-version-check")
    called(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    [packages] = folder.glob("lib/python*/site-packages")
    # A folder named in a .pth file is only searched: the .pth there that points at our tree is not read.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return folder


@pytest.fixture
def helpdesk(environment: Path, tmp_path: Path) -> Helpdesk:
    """Run the command of the wheel in an empty folder."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(environment / "bin" / "helpdesk"), *words],
            cwd=tmp_path,
            env=clean_environment(environment),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def clean_environment(environment: Path, **more: str) -> dict[str, str]:
    """Return variables that say nothing of the tree."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HELPDESK", "PYTHON"))}
    return (
        kept | {"PATH": f"{environment / 'bin'}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"} | more
    )


@pytest.mark.parametrize(
    "name",
    [
        "web/static/vendor/.built",
        "web/static/js/live.js",
        "web/templates/_notification.html",
        "web/translations/ru/LC_MESSAGES/messages.mo",
        "daemon/translations/ru/LC_MESSAGES/messages.mo",
        "daemon/mail/templates/letter.html",
        "daemon/systemd/helpdesk-daemon.service",
        "daemon/systemd/helpdesk-web.service",
        "daemon/systemd/nginx.conf",
        "daemon/systemd/grafana.json",
        "storage/migrations/env.py",
        "storage/migrations/versions/0001_initial.py",
    ],
)
def test_it_holds(wheel: Path, name: str) -> None:
    assert name in zipfile.ZipFile(wheel).namelist()


def test_it_holds_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "daemon",
        "storage",
        "web",
        wheel.name.rpartition("-py3")[0] + ".dist-info",
    }
    assert not [name for name in names if "node_modules" in name or "__pycache__" in name]


def test_without_the_front_end_none_is_built(export: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(export, tree, ignore=shutil.ignore_patterns("vendor", "dist"))
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode != 0
    assert "run `make setup` first" in done.stderr


def test_what_points_at_the_tree_is_made_before_the_front_end(export: Path, tmp_path: Path) -> None:
    """`make setup` installs it first of all."""
    tree = tmp_path / "tree"
    shutil.copytree(export, tree, ignore=shutil.ignore_patterns("vendor", "dist", "*.mo"))
    code = "import hatchling.build, sys; print(hatchling.build.build_editable(sys.argv[1]))"
    assert called(sys.executable, "-c", code, tmp_path, cwd=tree).stdout.strip().endswith(".whl")


def test_the_code_is_that_of_the_wheel(environment: Path, tmp_path: Path) -> None:
    code = "import daemon, storage, web; print(daemon.__file__, storage.__file__, web.__file__)"
    done = subprocess.run(
        [str(environment / "bin" / "python"), "-c", code],
        cwd=tmp_path,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.count(str(environment)) == 3


def test_it_says_its_version_and_checks_itself(helpdesk: Helpdesk) -> None:
    assert helpdesk("--version").stdout.startswith("helpdesk 0.")
    assert "_HELPDESK_COMPLETE" in helpdesk("completion", "bash").stdout
    before = json.loads(helpdesk("check", "--json").stdout)
    assert {line["name"] for line in before["checks"] if line["state"] == "fault"} <= {"migrations", "port"}
    assert helpdesk("db", "upgrade").returncode == 0
    lines = {line["name"]: line for line in json.loads(helpdesk("check", "--json").stdout)["checks"]}
    assert lines["migrations"]["state"] == lines["viewer"]["state"] == "ok", lines


def test_daemon_and_viewer_run_on_the_demo(environment: Path, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(environment / "bin" / "helpdesk"), "demo"],
            cwd=tmp_path,
            env=clean_environment(environment, HELPDESK_WEB__PORT=str(port)),
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: is_ready(process, url), START_S, (tmp_path / "log").read_text)
        look_round(url)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def is_ready(process: subprocess.Popen[bytes], url: str) -> bool:
    """Say whether people may be sent there."""
    assert process.poll() is None
    try:
        return requests.get(f"{url}/readyz", timeout=10).status_code == 200
    except (requests.ConnectionError, requests.Timeout):
        return False


def look_round(url: str) -> None:
    """Sign in, and see a page with its style and its translation, and what the daemon has done."""
    with requests.Session() as session:
        given = {"username": "demo", "password": "demo"}
        answer = session.post(f"{url}/users/login", json=given, timeout=60)
        assert answer.status_code == 200, answer.text
        page = session.get(f"{url}/notifications", headers={"Accept": "text/html"}, timeout=60)
        assert page.status_code == 200
        assert "Уведомления" in page.text
        address = next(part for part in page.text.split('"') if "/vendor/" in part and part.endswith(".css"))
        assert session.get(url + address, timeout=60).status_code == 200
        wait_until(lambda: has_polled(session, url), START_S)


def has_polled(session: requests.Session, url: str) -> bool:
    """Say whether the daemon of the wheel has read the made-up Redmine, and counted that."""
    figures = session.get(f"{url}/metrics", timeout=60).text
    return 'helpdesk_job_runs_total{job_name="redmine",status="ok"}' in figures
