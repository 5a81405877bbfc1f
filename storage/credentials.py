"""Secrets that systemd hands over: files in $CREDENTIALS_DIRECTORY that only this service can read.

One that is there goes before whatever the configuration says of the same secret: the file that it names may
then belong to root alone.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DIRECTORY = "CREDENTIALS_DIRECTORY"


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret: its name for systemd, its table, the key that names its file, and keys that it replaces.

    `is_optional` tables make sense without being written down; into others no secret is put unasked.
    """

    name: str
    table: tuple[str, ...]
    file_key: str
    replaces: tuple[str, ...] = ()
    is_optional: bool = False


CREDENTIALS = (
    Credential("database-url", ("storage",), "url_file", ("url", "url_env"), is_optional=True),
    Credential("redmine-key", ("redmine",), "api_key_file", ("api_key_env",)),
    Credential("erp-password", ("erp",), "password_file", ("password_env",)),
    Credential("finesse-password", ("finesse",), "password_file", ("password_env",)),
    Credential("mail-password", ("channel", "email"), "password_file", ("password_env",)),
    Credential("vapid-key", ("channel", "webpush"), "private_key_file", is_optional=True),
    Credential("secret-key", ("web",), "secret_key_file", is_optional=True),
    Credential("metrics-token", ("web",), "metrics_token_file", ("metrics_token_env",), is_optional=True),
)


def lay_over(tables: dict[str, Any], environ: Mapping[str, str] = os.environ) -> list[tuple[str, ...]]:
    """Point the tables at the credentials that are there, and return the keys that do so."""
    directory = environ.get(DIRECTORY)
    laid_over: list[tuple[str, ...]] = []
    if not directory:
        return laid_over
    for credential in CREDENTIALS:
        file = Path(directory) / credential.name
        if os.access(file, os.R_OK) and (table := _table(tables, credential)) is not None:
            for key in credential.replaces:
                table.pop(key, None)
            table[credential.file_key] = str(file)
            laid_over.append((*credential.table, credential.file_key))
    return laid_over


def file_of(tables: Mapping[str, Any], credential: Credential) -> str:
    """Return the file that the configuration names for this secret, "" where it names none."""
    table: Any = tables
    for name in credential.table:
        table = table.get(name) if isinstance(table, Mapping) else None
    return str(table.get(credential.file_key) or "") if isinstance(table, Mapping) else ""


def _table(tables: dict[str, Any], credential: Credential) -> dict[str, Any] | None:
    """Return the table of a secret; None where it says nothing, or is none (that is complained of later)."""
    table: Any = tables
    for name in credential.table:
        table = table.setdefault(name, {}) if credential.is_optional else table.get(name)
        if not isinstance(table, dict):
            return None
    return table if table or credential.is_optional else None
