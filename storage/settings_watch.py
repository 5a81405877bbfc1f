"""What differs between two readings of the configuration, and whether a file that it names was saved."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

Signature = tuple[int, int, int] | None


def signature(path: Path) -> Signature:
    """Return what tells one saved file from the next; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def differing(before: object, after: object, name: str) -> list[str]:
    """Return the keys whose values differ, `web.port` for example; the table where it is not in both."""
    if isinstance(before, BaseModel) and isinstance(after, BaseModel):
        return differing(dict(before), dict(after), name)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = dict.fromkeys([*before, *after])
        return [
            key for part in keys for key in differing(before.get(part), after.get(part), f"{name}.{part}")
        ]
    return [] if before == after else [name]


def files_of(settings: object, name: str) -> dict[str, Path]:
    """Return the files that a table names, by their keys: `redmine.api_key_file` for example."""
    return dict(_files(settings, name))


def stamps_of(files: Mapping[str, Path]) -> dict[str, Signature]:
    """Return how these files are now."""
    return {key: signature(path) for key, path in files.items()}


def _files(settings: object, name: str) -> Iterator[tuple[str, Path]]:
    parts: Mapping[str, Any] = dict(settings) if isinstance(settings, BaseModel) else {}
    for key, value in parts.items():
        if isinstance(value, Path) and key.endswith("_file"):
            yield f"{name}.{key}", value
