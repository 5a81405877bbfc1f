"""What can be wrong before anything runs, each with what to do about it."""

from collections.abc import Iterator
from pathlib import Path

from daemon.clients.erp import ErpClient
from daemon.clients.erp_settings import ErpSettings
from daemon.clients.errors import NotFound, SourceError
from daemon.clients.finesse import FinesseClient
from daemon.clients.finesse_settings import FinesseSettings
from daemon.clients.redmine import RedmineClient
from daemon.clients.settings import RedmineSettings, SettingsError
from daemon.config import load
from daemon.redmine.key import AdminKey
from storage import jobs, migrate
from storage.configuration import ConfigError
from storage.session import Database, StorageError
from storage.settings import StorageSettings


def all_checks(path: Path) -> Iterator[tuple[str, str]]:
    """Yield what was checked and its fault, "" where there is none."""
    try:
        config = load(path)
    except ConfigError as e:
        yield "configuration", str(e)
        return
    yield "configuration", ""
    yield "database", database_fault(config.storage)
    if config.redmine is None:
        yield "redmine", f"{path}: [redmine] has no url: `helpdesk run` uses the demo Redmine"
    else:
        yield "redmine", redmine_fault(config.redmine)
    if config.erp is not None:
        yield "erp", erp_fault(config.erp)
    if config.finesse is not None:
        yield "finesse", finesse_fault(config.finesse)
    for channel in config.channels:
        if hasattr(channel.module, "fault"):
            yield channel.name, channel.module.fault(channel.options)


def database_fault(settings: StorageSettings) -> str:
    """Return why the database cannot be written, "" where it can."""
    try:
        database = Database(settings)
        migrate.require_current(database)
        with database.write() as session, session.begin_nested() as trial:
            jobs.state(session, "@check")  # a real write, taken back: only that finds a read-only file
            trial.rollback()
    except (StorageError, ConfigError) as e:
        return str(e)
    return ""


def finesse_fault(settings: FinesseSettings) -> str:
    """Return why Finesse cannot be asked, "" where it can."""
    client = None
    try:
        client = FinesseClient(settings)
        client.agent(settings.username)
    except NotFound:
        return ""  # an administrator of Finesse need not be anybody's agent
    except (SourceError, SettingsError) as e:
        return str(e)
    finally:
        if client is not None:
            client.close()
    return ""


def redmine_fault(settings: RedmineSettings) -> str:
    """Return why Redmine cannot be polled, "" where it can."""
    try:
        client = RedmineClient(settings)
        AdminKey(client).require_now()
        client.list_issues(limit=1)
    except (SourceError, SettingsError) as e:
        return str(e)
    return ""


def erp_fault(settings: ErpSettings) -> str:
    """Return why the ERP's people cannot be read, "" where they can."""
    if not settings.has_reader:
        return ""  # people log in by their own accounts, and nobody is polled
    client = ErpClient(settings)
    try:
        client.person("helpdesk-check")
    except SourceError as e:
        return str(e)
    finally:
        client.close()
    return ""
