"""The keys of `[web]` that say who may read /metrics."""

import ipaddress
import os
from pathlib import Path
from typing import Self

from pydantic import SecretStr, field_validator, model_validator

from storage.configuration import Settings

LEAST_CHARACTERS = 16


class MetricsAccess(Settings):
    """Whoever asks from one of the networks may read the figures; who bears the token, from anywhere."""

    metrics_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    metrics_token_env: str = ""
    metrics_token_file: Path | None = None

    @field_validator("metrics_networks")
    @classmethod
    def _known_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ipaddress.ip_network(network)
        return networks

    @model_validator(mode="after")
    def _one_place_for_the_token(self) -> Self:
        if self.metrics_token_env and self.metrics_token_file:
            raise ValueError("metrics_token_env and metrics_token_file are both set: keep one of them")
        return self

    def metrics_token(self) -> SecretStr | None:
        """Read the token, None where none is named. Raises ValueError."""
        if self.metrics_token_file is not None:
            place = f"web.metrics_token_file: {self.metrics_token_file}"
            try:
                text = self.metrics_token_file.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as e:
                raise ValueError(f"{place} cannot be read: {e}") from e
        elif self.metrics_token_env:
            place = f"web.metrics_token_env: {self.metrics_token_env}"
            text = os.environ.get(self.metrics_token_env, "")
        else:
            return None
        if len(text) < LEAST_CHARACTERS:
            raise ValueError(f"{place} holds fewer than {LEAST_CHARACTERS} characters")
        return SecretStr(text)
