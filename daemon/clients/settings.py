"""The `[redmine]` table: where Redmine is and how long we wait for it."""

import os
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
LaxPath = Annotated[Path, Field(strict=False)]


class SettingsError(ValueError):
    """A secret that the settings point at is missing or unusable; the message names the key."""


class RedmineSettings(BaseModel):
    """Checked settings of one Redmine.

    `deadline_s` bounds a whole call: waiting for a free connection, every retry, every pause between
    them and a slowly dripping answer. `connections` is how many requests run at once (a Redmine server
    gains nothing from more than four).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: str
    api_key_env: str | None = Field(default=None, min_length=1)
    api_key_file: LaxPath | None = None
    ca_file: LaxPath | None = None
    connect_timeout_s: Seconds = 5
    read_timeout_s: Seconds = 30
    deadline_s: Seconds = 60
    retries: int = Field(default=4, ge=0, le=20)
    connections: int = Field(default=4, ge=1, le=64)

    @field_validator("url")
    @classmethod
    def _plain_web_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be a full address such as https://redmine.example.com")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not carry a user or password: the key goes where api_key_env says")
        if parts.query or parts.fragment:
            raise ValueError("must not have a ? or # part, only the address under which Redmine's pages live")
        if parts.port == 0 or any(c.isspace() or not c.isprintable() for c in url):
            raise ValueError("must have no spaces and a port between 1 and 65535, or none")
        return url.rstrip("/")

    @field_validator("ca_file")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        # requests would find out only at the first call, and say so in words about "bundles".
        if path is not None and not path.is_file():
            raise ValueError("must be the path of an existing PEM file with the CA's certificate")
        return path

    @model_validator(mode="after")
    def _one_place_for_the_key(self) -> Self:
        if self.api_key_env is not None and self.api_key_file is not None:
            raise ValueError("api_key_env and api_key_file are both set: keep one of them")
        return self

    def api_key(self) -> SecretStr:
        """Read the key from where the settings point; SettingsError names the setting to correct."""
        if self.api_key_file is not None:
            return usable_key(
                _file_text(self.api_key_file), f"the file {self.api_key_file} named by api_key_file"
            )
        if self.api_key_env is None:
            raise SettingsError("api_key_env or api_key_file must say where the key of a Redmine admin is")
        name = self.api_key_env
        return usable_key(os.environ.get(name, ""), f"the environment variable {name} named by api_key_env")


def _file_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise SettingsError(f"api_key_file: {path} cannot be read: {e}") from e


def usable_key(text: str, place: str) -> SecretStr:
    """The key in a text, without spaces around it; SettingsError, naming the place, where there is none."""
    key = text.strip()
    if not key:
        raise SettingsError(f"{place} is empty or missing; put the API key of a Redmine admin there")
    # An odd character would be found only by the HTTP library, which prints the whole header, key and all.
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsError(f"{place} does not hold a key: spaces or unusual characters in it")
    return SecretStr(key)
