# mypy: allow-untyped-calls
"""`python -m web [--config FILE]`: checks settings and schema, then serves."""

import sys
from pathlib import Path

import click

from storage import logs, migrate
from storage.configuration import ConfigError, config_path
from storage.session import Database, StorageError
from web.secret import FILE, read_or_make
from web.server import Server
from web.settings import ViewerSettings, load

WRONG_SETTINGS = 2


@click.command()
@click.option("--config", "config", metavar="FILE", help="scheduler.toml to read.")
def main(config: str | None) -> None:
    """Serve the viewer."""
    try:
        settings = _checked(config_path(config))
    except (ConfigError, StorageError) as e:
        click.echo(str(e), err=True)
        sys.exit(WRONG_SETTINGS)
    logs.configure(settings.web.log_level, settings.web.log_style)
    Server(settings).run()


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
