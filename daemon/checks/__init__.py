"""What can be wrong, each with what to do about it: `helpdesk check`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from daemon import vapid
from daemon.checks import machine
from daemon.checks.database import database_rows
from daemon.checks.redmine import redmine_rows
from daemon.checks.rows import Row, fault, warning, well
from daemon.checks.services import service_rows
from daemon.checks.viewer import viewer_row
from daemon.config import Config, load
from storage.configuration import ConfigError, read_tables
from storage.models import User
from storage.session import Database, StorageError

SECRET_KEY = "secret_key"  # noqa: S105 - the name of the viewer's file


def all_checks(path: Path) -> Iterator[Row]:
    """Yield what was looked at, in the order in which it is to be mended."""
    try:
        config = load(path)
        tables = read_tables(path)
    except ConfigError as e:
        yield fault(
            "configuration", str(e), "correct the key that is named; scheduler.toml explains every key"
        )
        return
    yield well("configuration", str(path.resolve()))
    yield viewer_row(path)
    yield from database_rows(config.storage)
    yield from _redmine(config)
    yield from service_rows(config)
    yield from _machine(config, tables)


def _redmine(config: Config) -> Iterator[Row]:
    if config.redmine is None:
        found = (
            "[redmine] has no url: `helpdesk run` shows the made-up Redmine, `helpdesk daemon` does not start"
        )
        yield warning("redmine", found, f"put the address of your Redmine into [redmine] of {config.path}")
    else:
        yield from redmine_rows(config.redmine)


def _machine(config: Config, tables: dict[str, Any]) -> Iterator[Row]:
    directory = config.storage.directory
    web = tables.get("web", {})
    yield machine.icmp_row(config.hosts)
    yield machine.port_row(str(web.get("host", "127.0.0.1")), int(web.get("port", 5000)))
    yield machine.zone_row({*_zones_of_hosts(config), *_zones_of_people(config)})
    yield machine.disk_row([directory, machine.uploads_folder()])
    made = (directory / vapid.FILE, directory / SECRET_KEY)
    yield from machine.secret_rows(tables, made, directory)


def _zones_of_hosts(config: Config) -> Iterable[str]:
    return (during.time_zone for host in config.hosts for during in host.maintenance)


def _zones_of_people(config: Config) -> Iterable[str]:
    """Return the time zones of profiles; none where the database has its own fault."""
    try:
        database = Database(config.storage)
        with database.read() as session:
            return list(session.scalars(sa.select(User.time_zone).distinct()))
    except (StorageError, ConfigError):
        return ()
