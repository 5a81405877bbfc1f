"""Reads `scheduler.toml` and the environment into tables, and tables into checked models.

Both processes use it: each checks the tables that it owns and refuses what it does not know.
"""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from storage import credentials
from storage.logs import mask_text
from storage.origins import Origins
from storage.toml_lines import Keys

TABLES = (
    "storage",
    "daemon",
    "web",
    "auth",
    "redmine",
    "erp",
    "finesse",
    "features",
    "tasks",
    "quality_control",
    "inbox",
    "retention",
    "job",
    "channel",
    "host",
)
M = TypeVar("M", bound=BaseModel)
ENV_PREFIX = "HELPDESK_"
DEFAULT_FILE = "scheduler.toml"


class Tables(dict[str, Any]):
    """The tables of the configuration by name, and where their keys come from."""

    def __init__(self, origins: Origins, tables: Mapping[str, Any]) -> None:
        super().__init__(tables)
        self.origins = origins


class ConfigError(Exception):
    """The configuration cannot be used. The text names file, line, key, value and what is allowed."""


class Settings(BaseModel):
    """Base of every configuration table: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)


def config_path(given: str | None = None) -> Path:
    """Return the configuration file: the one given, else $HELPDESK_CONFIG, else ./scheduler.toml."""
    return Path(given or os.environ.get("HELPDESK_CONFIG") or DEFAULT_FILE)


def read_tables(path: Path, environ: Mapping[str, str] = os.environ) -> Tables:
    """Read the file, lay `HELPDESK_<TABLE>__<KEY>` variables and credentials over it. Raises ConfigError.

    `HELPDESK_<TABLE>` replaces a whole table, written as an inline table. A variable's value is read
    as a TOML value where it is one, else as text. A file that does not exist is an error only where it
    was named: the defaults are a working configuration.
    """
    origins = Origins(path, _text(path))
    try:
        tables = Tables(origins, tomllib.loads(origins.text))
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(origins.broken(e)) from e
    for name in tables:
        if name not in TABLES:
            text = f"[{name}]: unknown table{_near(name, TABLES)}; allowed: {', '.join(TABLES)}"
            raise ConfigError(origins.fault((name,), text))
    _overlay(tables, environ)
    laid_over = credentials.lay_over(tables, environ)
    origins.variables.update(dict.fromkeys(laid_over, credentials.DIRECTORY))
    return tables


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as e:
        if path != Path(DEFAULT_FILE):
            raise ConfigError(f"{path}: there is no such file") from e
        return ""
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path}: cannot be read: {e}") from e


def _overlay(tables: Tables, environ: Mapping[str, str]) -> None:
    """Put every `HELPDESK_A__B__C` variable into `tables["a"]["b"]["c"]`; `HELPDESK_A` is a whole table."""
    for variable in sorted(environ):
        keys = variable.removeprefix(ENV_PREFIX).lower().split("__")
        if not variable.startswith(ENV_PREFIX) or (len(keys) < 2 and keys[0] not in TABLES):
            continue
        if keys[0] not in TABLES:
            raise ConfigError(
                f"environment: {variable}: unknown table {keys[0]}; allowed: {', '.join(TABLES)}"
            )
        place: dict[str, Any] = tables
        for depth, key in enumerate(keys[:-1], 1):
            if key not in place:
                place[key] = {}
                tables.origins.variables[tuple(keys[:depth])] = variable
            place = place[key]
            if not isinstance(place, dict):
                raise ConfigError(f"environment: {variable}: {key} is not a table")
        place[keys[-1]] = _toml_value(environ[variable])
        tables.origins.variables[tuple(keys)] = variable


def _toml_value(text: str) -> object:
    try:
        tables = tomllib.loads(f"v = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return tables["v"] if len(tables) == 1 else text


def build(
    model: type[M], table: object, name: str, where: Origins | Path | str, keys: Keys | None = None
) -> M:
    """Check one table against its model. Raises ConfigError with every fault, one a line.

    `name` is the table's path in the file, `job.redmine` for example; `keys` where a part of it may hold
    a dot or is a number.
    """
    try:
        return model.model_validate_json(json.dumps(table, default=str))
    except ValidationError as e:
        origins = where if isinstance(where, Origins) else Origins(where)
        above = keys or tuple(name.split("."))
        raise ConfigError(
            "\n".join(
                origins.fault((*above, *error["loc"]), _explain(model, error, name)) for error in e.errors()
            )
        ) from e


def _explain(model: type[BaseModel], error: Any, name: str) -> str:
    """One fault as `key = value: what is allowed`."""
    place = ".".join([name, *(str(part) for part in error["loc"])])
    if error["type"] == "extra_forbidden":
        allowed = _fields_at(model, error["loc"][:-1])
        hint = _near(str(error["loc"][-1]), allowed)
        return f"{place}: unknown key{hint}; allowed: {', '.join(allowed)}"
    message = str(error["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should", "should", 1)
    if error["type"] == "missing":
        return f"{place}: is required"
    return f"{place} = {_shown(error['input'])}: {message}"


def _fields_at(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    for part in loc:
        field = model.model_fields.get(str(part))
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return sorted(model.model_fields)


def _shown(value: object) -> str:
    text = mask_text(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= 80 else text[:77] + "..."


def _near(word: str, words: "tuple[str, ...] | list[str]") -> str:
    close = difflib.get_close_matches(word, words, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
