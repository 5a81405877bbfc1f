"""The shipped units as systemd itself judges them, and what their rights allow."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from daemon import install
from daemon.install import UNITS, Installation
from tests.conftest import not_available
from tests.services.layout import PROJECT

EXPOSURE = 2.0
UNPRIVILEGED = ("--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs")
PING = """
from daemon.clients.icmp import Pace, Prober
prober = Prober(Pace(echoes=1))
echoes = prober.probe(["127.0.0.1"])
print(prober.refusal(4) or "permitted", *(echo.received for echo in echoes.values()))
"""


@pytest.fixture(autouse=True)
def _systemd() -> None:
    for tool in ("systemd-analyze", "setpriv"):
        if shutil.which(tool) is None:
            not_available(f"{tool} is not installed: run `make test-services` as root")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units of an installation whose program exists."""
    program = Path(sys.executable).with_name("helpdesk")
    place = Installation(
        "www-data", "www-data", program, PROJECT / "scheduler.toml", {}, Path("/var/lib/helpdesk")
    )
    install.write(tmp_path, {name: install.unit(name, place) for name in UNITS}, force=True)
    return tmp_path


def analyze(*argv: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"SYSTEMD_COLORS": "0", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *argv],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_wrong(units: Path, name: str) -> None:
    done = analyze("verify", "--man=no", str(units / name))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_what_is_wrong_would_be_found(units: Path, name: str) -> None:
    unit = units / name
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    assert "WatchdogSecs" in analyze("verify", "--man=no", str(unit)).stderr


@pytest.mark.parametrize("name", UNITS)
def test_the_services_are_hardened(units: Path, name: str) -> None:
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE * 10:g}", str(units / name))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= EXPOSURE
    assert done.returncode == 0


@pytest.mark.parametrize("name", UNITS)
def test_the_readme_states_how_exposed_they_are(units: Path, name: str) -> None:
    done = analyze("security", "--offline=true", str(units / name))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found
    service = name.removeprefix("helpdesk-").removesuffix(".service")
    assert f"{service} {found[1]}" in (PROJECT / "README.md").read_text()


def rights(name: str) -> list[str]:
    """Return the capabilities that a shipped unit leaves its service, as setpriv takes them."""
    text = (PROJECT / "daemon" / "systemd" / name).read_text()
    ambient = re.search(r"(?m)^AmbientCapabilities=(.*)$", text)
    bounding = re.search(r"(?m)^CapabilityBoundingSet=(.*)$", text)
    assert bounding
    kept = [f"+{right.removeprefix('CAP_').lower()}" for right in bounding[1].split()]
    given = [f"+{right.removeprefix('CAP_').lower()}" for right in (ambient[1] if ambient else "").split()]
    return [
        f"--bounding-set={','.join(['-all', *kept])}",
        f"--inh-caps={','.join(['-all', *given])}",
        f"--ambient-caps={','.join(['-all', *given])}",
    ]


def pinged(name: str) -> str:
    """Return what a ping brings to nobody with the rights of a unit, where no sysctl permits it besides."""
    argv = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    argv += ["setpriv", *UNPRIVILEGED, *rights(name), sys.executable, "-c", PING]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_daemon_may_ping_and_the_viewer_may_not() -> None:
    """Capabilities, user and no_new_privs are those that systemd would set."""
    if os.geteuid() != 0:
        not_available("rights can only be taken away by root")
    assert pinged(UNITS[0]) == "permitted 1"
    assert pinged(UNITS[1]) == "not_permitted"
