# mypy: allow-untyped-calls
"""`python -m web [--config FILE]`: checks settings and schema, then serves."""

import os
import sys
from pathlib import Path

import click
from limits.storage import storage_from_string

from storage import logs, migrate
from storage.configuration import ConfigError, config_path
from storage.session import Database, DatabaseAway, StorageError
from web import throttle
from web.metrics import sharing
from web.secret import FILE, read_or_make
from web.server import Server
from web.settings import ViewerSettings, load

WRONG_SETTINGS = 2
DOUBTFUL_SETTINGS = 3  # not 1, with which Python ends on a fault of ours


@click.command()
@click.option("--config", "config", metavar="FILE", help="scheduler.toml to read.")
@click.option("--check", "is_check", is_flag=True, help="Only check the settings: 2 is a fault, 3 a warning.")
def main(config: str | None, *, is_check: bool) -> None:
    """Serve the viewer."""
    if is_check:
        sys.exit(_check(config_path(config)))
    try:
        settings = _checked(config_path(config))
    except (ConfigError, StorageError) as e:
        click.echo(str(e), err=True)
        # Whoever started us may do so again where the database is away: systemd, `helpdesk run`.
        sys.exit(os.EX_TEMPFAIL if isinstance(e, DatabaseAway) else WRONG_SETTINGS)
    logs.configure(settings.web.log_level, settings.web.log_style)
    sharing.share(settings.web.workers)  # before the fork
    Server(settings).run()


def _check(path: Path) -> int:
    """Say whether the settings are right, and whether what counts wrong passwords answers."""
    try:
        settings = load(path)
    except ConfigError as e:
        click.echo(str(e), err=True)
        return WRONG_SETTINGS
    url = settings.auth.limiter_storage()
    counter = storage_from_string(url, wrap_exceptions=True, **throttle.options(url))
    if not counter.check():
        click.echo(
            "[auth] limiter_url does not answer: each worker counts wrong passwords by itself meanwhile"
        )
        return DOUBTFUL_SETTINGS
    click.echo(f"[web] and [auth] are right; {settings.web.public_url or 'no public_url'}")
    return 0


def _checked(path: Path) -> ViewerSettings:
    """Return settings with which the workers will start. Raises ConfigError, StorageError."""
    settings = load(path)
    database = Database(settings.storage)
    migrate.require_current(database)
    database.dispose()  # before the fork
    read_or_make(settings.web.secret_key_file or settings.storage.directory / FILE)
    return settings


if __name__ == "__main__":
    main()
