"""Install the Debian packages of the tests' servers so that none of them starts by itself.

Standard library only; everything here runs as root.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.services.layout import INSTANCE
from tests.services.processes import SYSTEM_PATH, ServerFailed

PACKAGES = (
    *("redmine", "redmine-pgsql", "puma", "imagemagick"),
    *("postgresql", "redis-server", "nginx", "systemd", "fping", "iproute2", "nftables"),
    "prometheus",
    *("chromium", "firefox-esr", "fonts-dejavu", "fonts-liberation"),
)

SERVICES = {
    "redis-server": "redis-server.service",
    "nginx": "nginx.service",
    "prometheus": "prometheus.service",
}
"""Packages whose units would start at the next boot. PostgreSQL starts nothing without a cluster."""

ANSWERS = f"""\
redmine redmine/current-instances string {INSTANCE}
redmine redmine/instances/{INSTANCE}/dbconfig-install boolean false
"""

APT = (
    *("apt-get", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"),
    *("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"),
)


def root_environment() -> dict[str, str]:
    """Return our environment (apt may need its proxy settings) with Debian's own commands first."""
    ours = {"PATH": SYSTEM_PATH, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    ours["BUNDLE_SILENCE_ROOT_WARNING"] = "1"
    foreign = ("RUBY", "GEM", "BUNDLE", "PERL", "PG")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | ours


def run_as_root(argv: Sequence[str], *, cwd: Path | None = None, stdin: str = "") -> None:
    """Run a command with its output on ours. Raises ServerFailed when it fails."""
    if (code := _run(argv, cwd=cwd, stdin=stdin)) != 0:
        raise ServerFailed(f"`{' '.join(argv)}` ended with {code}; its output is above")


def _run(argv: Sequence[str], *, cwd: Path | None = None, stdin: str = "") -> int:
    done = subprocess.run(
        argv, env=root_environment(), cwd=cwd, input=stdin, text=True, timeout=1800, check=False
    )
    return done.returncode


def _ask(argv: Sequence[str]) -> str:
    done = subprocess.run(
        argv, env=root_environment(), capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout


def installed_versions() -> dict[str, str]:
    """Return the version of each of PACKAGES that is completely installed."""
    rows = _ask(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\n", *PACKAGES]
    ).splitlines()
    parts = [row.split() for row in rows]
    return {part[0]: part[2] for part in parts if len(part) == 3 and part[1] == "installed"}


def install_packages() -> None:
    """Install what is missing of PACKAGES; quick when nothing is."""
    present = installed_versions()
    missing = [name for name in PACKAGES if name not in present]
    if not missing:
        return
    with _nothing_starts(set(missing)):
        run_as_root([*APT, "update"])
        # debconf is what reads the answers; a bare system may lack debconf-utils, never debconf.
        run_as_root(["debconf-set-selections"], stdin=ANSWERS)
        _run([*APT, "install", *missing])  # fails in redmine's postinst, see show_gem_folders
        show_gem_folders()
        run_as_root(["dpkg", "--configure", "-a"])
    left = set(PACKAGES) - set(installed_versions())
    if left:
        raise ServerFailed(f"not installed: {', '.join(sorted(left))}; apt-get's words are above")


def show_gem_folders() -> None:
    """Make an empty folder for every gem Debian ships as a specification only.

    Bundler of Debian's Ruby 3.1.7 takes a gem without `gems/NAME-VERSION` for deleted and stops with "Could
    not find racc-1.6.2.gem for installation"; Debian keeps the code elsewhere and makes no such folders.
    """
    for root in _ask(["ruby", "-e", "puts Gem.path"]).split():
        for specification in Path(root).glob("specifications/*.gemspec"):
            (Path(root) / "gems" / specification.stem).mkdir(parents=True, exist_ok=True)


@contextmanager
def _nothing_starts(fresh: set[str]) -> Iterator[None]:
    """Keep the `fresh` packages from starting servers now or at boot, and from making clusters."""
    with ExitStack() as undo:
        policy = Path("/usr/sbin/policy-rc.d")
        if not policy.exists():
            _temporary(undo, policy, "#!/bin/sh\nexit 101\n")
        if "postgresql" in fresh:
            options = Path("/etc/postgresql-common/createcluster.d/helpdesk-tests.conf")
            _temporary(undo, options, "create_main_cluster = false\n")
        yield
        if shutil.which("systemctl", path=SYSTEM_PATH):
            for package in fresh & SERVICES.keys():
                run_as_root(["systemctl", "disable", "--quiet", SERVICES[package]])


def _temporary(undo: ExitStack, path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    undo.callback(path.unlink, missing_ok=True)
