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
    url_file: Annotated[Path, Field(strict=False)] | None = None
    busy_timeout_s: float = Field(default=5.0, gt=0, le=60)
    pool_size: int = Field(default=10, ge=1, le=200)
    connect_timeout_s: int = Field(default=5, ge=1, le=60)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(map(bool, (self.url, self.url_env, self.url_file))) > 1:
            raise ValueError("set only one of url, url_env and url_file")
        if self.url:
            _checked(self.url)
        return self

    def engine_url(self) -> URL:
        """Return the SQLAlchemy address, without any key the default file's. Raises ConfigError."""
        if self.url_file is not None:
            return _secret_url(_file_text(self.url_file), f"{self.url_file}, which storage.url_file names")
        if self.url_env:
            text = os.environ.get(self.url_env, "")
            if not text:
                raise ConfigError(
                    f"storage.url_env names {self.url_env}, which is not set in the environment"
                )
            return _secret_url(text, f"{self.url_env}, which storage.url_env names")
        default = URL.create("sqlite", database=str(self.directory / "helpdesk.db"))
        return _checked(self.url) if self.url else default


def _file_text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"storage.url_file: {path} cannot be read: {e}") from e


def _secret_url(text: str, place: str) -> URL:
    """Check an address whose text must not be shown. Raises ConfigError."""
    try:
        return _checked(text)
    except ValueError as e:
        raise ConfigError(f"{place}: {e}") from e


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
