"""The `[storage]` table."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from storage.configuration import ConfigError, Settings

BACKENDS = ("sqlite", "postgresql+psycopg")


class StorageSettings(Settings):
    """Where the database is. Empty `url` means SQLite inside `directory`."""

    # The default is a Path already, which a validation of JSON would refuse.
    directory: Annotated[Path, Field(strict=False, validate_default=False)] = Path(".helpdesk")
    url: str = ""
    url_env: str = ""
    busy_timeout_s: float = Field(default=5.0, gt=0, le=60)
    pool_size: int = Field(default=10, ge=1, le=200)
    connect_timeout_s: int = Field(default=5, ge=1, le=60)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.url and self.url_env:
            raise ValueError("set url or url_env, not both")
        if self.url:
            _checked(self.url)
        return self

    def engine_url(self) -> URL:
        """Return the SQLAlchemy address, from `url`, `url_env` or the default file. Raises ConfigError."""
        if not self.url_env:
            default = URL.create("sqlite", database=str(self.directory / "helpdesk.db"))
            return _checked(self.url) if self.url else default
        text = os.environ.get(self.url_env, "")
        if not text:
            raise ConfigError(f"storage.url_env names {self.url_env}, which is not set in the environment")
        try:
            return _checked(text)
        except ValueError as e:
            raise ConfigError(f"{self.url_env}, which storage.url_env names: {e}") from e


def _checked(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError as e:
        raise ValueError("is not a database address such as postgresql+psycopg://user@host/name") from e
    if url.drivername not in BACKENDS:
        raise ValueError(f"{url.drivername} is not supported; allowed: {', '.join(BACKENDS)}")
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        # Each connection would have a database of its own, and the other process none of them.
        raise ValueError("a database in memory is not supported: name a file, as in sqlite:////var/lib/h.db")
    return url
