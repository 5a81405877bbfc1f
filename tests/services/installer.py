"""Install the real servers of the tests and make the pristine Redmine database.

Run as root on Debian 12: `tests/services/install`. Does again only what has changed. Standard library only.
"""

import fcntl
import json
import os
import platform
import sys
import time
from pathlib import Path

from tests.services.debian import install_packages, installed_versions, show_gem_folders
from tests.services.layout import pristine_archive, read_stamp, seed_digest, services_folder, stamp_file
from tests.services.pristine import make_pristine
from tests.services.processes import ServerFailed

MADE_FROM = ("redmine", "redmine-pgsql", "puma", "postgresql")


def wanted_stamp() -> dict[str, str]:
    """Return what the stamp file says when nothing has to be made again."""
    versions = installed_versions()
    return {
        "digest": seed_digest(),
        "packages": " ".join(f"{name}={versions.get(name)}" for name in MADE_FROM),
    }


def install() -> None:
    """Install the packages, then the pristine database unless the one there is up to date."""
    install_packages()
    wanted = wanted_stamp()
    if read_stamp() == wanted and pristine_archive().exists():
        return
    stamp_file().unlink(missing_ok=True)
    show_gem_folders()  # the packages may have been there before us, or been upgraded since
    make_pristine()
    unfinished = stamp_file().with_suffix(".new")
    unfinished.write_text(json.dumps(wanted))
    unfinished.replace(stamp_file())


def refusal() -> str | None:
    """Say why this machine cannot have the servers, or None."""
    if os.geteuid() != 0:
        return "installing Debian packages needs root: run `sudo make test-services`"
    system = platform.freedesktop_os_release()
    if (system.get("ID"), system.get("VERSION_ID")) != ("debian", "12"):
        return f"the tests' servers are Debian 12 packages; this is {system.get('PRETTY_NAME')}"
    return None


def prepare_folder() -> Path:
    """Make the folder of the services; every user may make a folder for a test run in it."""
    runs = services_folder() / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    runs.chmod(0o1777)
    return services_folder()


def main() -> int:
    """Install and say how long it took; return the exit status."""
    if reason := refusal():
        print(reason, file=sys.stderr)
        return 1
    started = time.monotonic()
    with (prepare_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            install()
        except ServerFailed as failure:
            print(failure, file=sys.stderr)
            return 1
    print(f"The tests' servers are ready in {services_folder()} ({time.monotonic() - started:.0f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
