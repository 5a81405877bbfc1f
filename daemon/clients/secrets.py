"""Where a secret is kept: an environment variable or a file, never the configuration itself."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from daemon.clients.settings import SettingsError

LaxPath = Annotated[Path, Field(strict=False)]


class WithPassword(BaseModel):
    """Settings of a service that wants a password. Frozen and strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)

    password_env: str | None = Field(default=None, min_length=1)
    password_file: LaxPath | None = None

    @model_validator(mode="after")
    def _one_place_for_the_password(self) -> Self:
        if self.password_env is not None and self.password_file is not None:
            raise ValueError("password_env and password_file are both set: keep one of them")
        return self

    def password(self) -> SecretStr | None:
        """Read the password, None where the settings name none. Raises SettingsError."""
        if self.password_file is not None:
            try:
                text = self.password_file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as e:
                raise SettingsError(f"password_file: {self.password_file} cannot be read: {e}") from e
            return _filled(text.strip(), f"the file {self.password_file} named by password_file")
        if self.password_env is None:
            return None
        text = os.environ.get(self.password_env, "")
        return _filled(text, f"the environment variable {self.password_env} named by password_env")


def _filled(text: str, place: str) -> SecretStr:
    if not text:
        raise SettingsError(f"{place} is empty or missing")
    return SecretStr(text)
