"""Fills the shipped units of systemd, and the example for nginx, in for one installation."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from daemon.config import load
from storage.configuration import ConfigError, read_tables
from storage.credentials import CREDENTIALS, Credential, file_of

UNITS = ("helpdesk-daemon.service", "helpdesk-web.service")
NGINX = "nginx.conf"
STATE = Path("/var/lib")
# ProtectHome= and PrivateTmp= hide what lies there from the services.
HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - compared, not used
NOT_FOR_VIEWER = frozenset({"mail-password", "vapid-key"})
NOT_FOR_DAEMON = frozenset({"secret-key", "metrics-token"})
FORM_KB = 1024  # what a form adds to the file in it


@dataclass(frozen=True, slots=True)
class Installation:
    """Who runs the services, from where, with which configuration."""

    user: str
    group: str
    program: Path
    config: Path
    tables: Mapping[str, Any]
    directory: Path  # of state


def installation(config: Path, user: str, group: str, program: Path | None) -> Installation:
    """Return what the units are made of. Raises ConfigError with what stands in the way of services."""
    path = config.resolve()
    directory = load(path).storage.directory  # checked as a start would
    if not directory.is_absolute():
        raise ConfigError(
            f'{path}: storage.directory = "{directory}": services want a full path: "/var/lib/helpdesk"'
        )
    found = program or Path(sys.executable).with_name("helpdesk")
    if not os.access(found, os.X_OK):
        raise ConfigError(f"{found}: there is no such program: name it by --program")
    for what in (found, path, directory):
        if hidden := next((top for top in HIDDEN if what.is_relative_to(top)), ""):
            raise ConfigError(
                f"{what}: services cannot see {hidden}: put it elsewhere, below /opt for example"
            )
    if not re.fullmatch(r"[a-z_][a-z0-9_-]*\$?", user) or not re.fullmatch(r"[a-z_][a-z0-9_-]*\$?", group):
        raise ConfigError(
            f"--user {user} --group {group}: not the names of a user and a group of this system"
        )
    return Installation(user, group, found, path, read_tables(path), directory)


def unit(name: str, place: Installation) -> str:
    """Return one of UNITS for this installation."""
    command = "web" if name == "helpdesk-web.service" else "daemon"
    lines = {
        "User": [place.user],
        "Group": [place.group],
        "ExecStart": [f"{_quoted(place.program)} --config {_quoted(place.config)} {command}"],
        "WorkingDirectory": [_escaped(place.directory)],
        "LoadCredential": [f"{name}:{_escaped(file)}" for name, file in credentials(place, command)],
    }
    if place.directory.is_relative_to(STATE) and place.directory != STATE:
        lines["StateDirectory"] = [_escaped(place.directory.relative_to(STATE))]
    else:
        lines |= {"StateDirectory": [], "StateDirectoryMode": []}
        lines["ProtectSystem"] = ["strict", f"\nReadWritePaths={_escaped(place.directory)}"]
    return _rewritten(_shipped(name), lines)


def nginx(place: Installation) -> str:
    """Return the example for nginx with name, port and sizes of this installation."""
    web = place.tables.get("web", {})
    host, port = web.get("host", "127.0.0.1"), web.get("port", 5000)
    name = urlsplit(str(web.get("public_url", ""))).hostname or "helpdesk.example.com"
    size_kb = int(place.tables.get("tasks", {}).get("max_upload_mb", 50)) * 1024 + FORM_KB
    address = f"[{host}]" if ":" in str(host) else host
    text = _shipped(NGINX).replace("helpdesk.example.com", name)
    text = text.replace("server 127.0.0.1:5000;", f"server {address}:{port};")
    return text.replace("client_max_body_size 51m;", f"client_max_body_size {size_kb}k;")


def credentials(place: Installation, command: str) -> list[tuple[str, Path]]:
    """Return the secrets that the configuration keeps in files, as far as this service wants them.

    Those in the folder of state are made by the service itself, and read there.
    """
    unwanted = NOT_FOR_VIEWER if command == "web" else NOT_FOR_DAEMON
    found = []
    for credential in CREDENTIALS:
        file = Path(file_of(place.tables, credential) or ".")
        is_ours = file.is_absolute() and not file.is_relative_to(place.directory)
        if is_ours and credential.name not in unwanted:
            found.append((credential.name, file))
    return found


def unseen(place: Installation) -> list[str]:
    """Return the keys of secrets that a service cannot see: variables of a shell, files below a folder."""
    found = []
    for credential in CREDENTIALS:
        variables = [
            key for key in credential.replaces if key.endswith("_env") and _value(place, credential, key)
        ]
        file = file_of(place.tables, credential)
        files_ = [credential.file_key] if file and not Path(file).is_absolute() else []
        found += [".".join((*credential.table, key)) for key in (*variables, *files_)]
    return found


def write(folder: Path, texts: Mapping[str, str], *, force: bool) -> list[Path]:
    """Write files into a folder, all or none; return those that are new or differ. Raises ConfigError."""
    differing = [folder / name for name, text in texts.items() if _text_of(folder / name) != text]
    if not force and (there := [str(path) for path in differing if path.exists()]):
        raise ConfigError(
            f"{', '.join(there)}: differs from what would be written: compare, then use --force; your own "
            "changes are safe in a drop-in: systemctl edit"
        )
    try:
        for path in differing:
            draft = path.with_name(f".{path.name}.new")
            draft.write_text(texts[path.name], "utf-8")
            draft.chmod(0o644)
            draft.replace(path)
    except OSError as e:
        raise ConfigError(f"{folder}: cannot be written ({e.strerror}): run this as root") from e
    return differing


def _value(place: Installation, credential: Credential, key: str) -> object:
    table: Any = place.tables
    for name in credential.table:
        table = table.get(name, {}) if isinstance(table, Mapping) else {}
    return table.get(key) if isinstance(table, Mapping) else None


def _shipped(name: str) -> str:
    return (files("daemon") / "systemd" / name).read_text("utf-8")


def _text_of(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None


def _rewritten(text: str, lines: Mapping[str, Sequence[str]]) -> str:
    """Put other values into the lines of these keys; a key without values loses its line."""
    for key, values in lines.items():
        new = "".join(value if value.startswith("\n") else f"\n{key}={value}" for value in values)
        text, count = re.subn(rf"(\n{key}=[^\n]*)+", lambda _, new=new: new, text)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"the shipped unit has {count} lines {key}=")
    return text


def _escaped(value: object) -> str:
    """Write a path so that systemd does not read specifiers into it."""
    return str(value).replace("%", "%%")


def _quoted(value: object) -> str:
    text = _escaped(value).replace("$", "$$")
    return f'"{text}"' if re.search(r"[\s\"'\\;]", text) else text
