"""Where the servers of the tests keep their files, and whether the installer has been run.

Standard library only: the installer imports this before any virtual environment exists.
"""

import hashlib
import json
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
WORLD = HERE.parent / "world.json"

INSTANCE = "helpdesk"
"""The Debian Redmine instance (REDMINE_INSTANCE) all test runs share; they differ in environment only."""

TIME_ZONE = "Europe/Moscow"
"""Of Redmine and PostgreSQL. Not UTC on purpose: Redmine stores local time, and only so naive code shows."""


def services_folder() -> Path:
    """Return the one folder of everything the servers write; HELPDESK_SERVICES_DIR overrides the default."""
    return Path(os.environ.get("HELPDESK_SERVICES_DIR", "/var/tmp/helpdesk-services"))  # noqa: S108


def pristine_archive() -> Path:
    """Return the tar file of a stopped PostgreSQL cluster that holds the database `pristine`."""
    return services_folder() / "pristine.tar"


def stamp_file() -> Path:
    """Return the JSON file the installer writes last: `{"digest": ..., "packages": ...}`."""
    return services_folder() / "stamp.json"


def seed_digest() -> str:
    """Hash what the pristine database is made from; another digest means it must be made again."""
    sources = [WORLD, HERE / "seed.rb", HERE / "pristine.py"]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.read_bytes() + b"\0")
    return digest.hexdigest()


def read_stamp() -> dict[str, str]:
    """Return what the installer noted, or an empty dict where it has not finished."""
    try:
        return dict(json.loads(stamp_file().read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def why_not_usable() -> str | None:
    """Say why tests cannot start the servers, or None when they can."""
    stamp = read_stamp()
    if not stamp or not pristine_archive().exists():
        return (
            f"the tests' servers are not installed in {services_folder()}: run `make test-services` as root"
        )
    if stamp.get("digest") != seed_digest():
        return (
            "the tests' servers were made from another world.json or seed: run `make test-services` as root"
        )
    return None
