"""The key that signs session cookies, kept in a file that only the service's user can read."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from storage.configuration import ConfigError

MIN_CHARACTERS = 32
FILE = "secret_key"


def read_or_make(path: Path) -> str:
    """Return the key in this file, made on the first start. Raises ConfigError.

    Several viewers may start at once: the file appears whole, and the first one wins.
    """
    try:
        if not path.exists():
            _make(path)
        text = path.read_text("ascii").strip()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"web.secret_key_file: {path} cannot be used: {e}") from e
    if len(text) < MIN_CHARACTERS:
        raise ConfigError(
            f"web.secret_key_file: {path} holds fewer than {MIN_CHARACTERS} characters: remove it, and a new"
            " key is made at the next start"
        )
    if mode & 0o007:
        raise ConfigError(f"web.secret_key_file: everybody may read {path}: run chmod 600 on it")
    return text


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename it never replaces the key of another process
    finally:
        Path(draft).unlink(missing_ok=True)
