"""How commands fail where the user can mend it: in plain lines, without a traceback."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from daemon.clients.errors import SourceError
from daemon.clients.settings import SettingsError
from storage.configuration import ConfigError
from storage.session import StorageError


def plain_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Show what the user can mend as one message, exit code 2, no traceback."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (ConfigError, StorageError, SourceError, SettingsError) as e:
            for line in str(e).splitlines():
                click.echo(f"helpdesk: {line}", err=True)
            sys.exit(2)

    return wrapped
