"""Finds sources by listing the files of `daemon/sources`: a new one needs no registry."""

import importlib
import pkgutil
from functools import cache
from typing import Any, Protocol, cast

import daemon.sources
from daemon.options import JobOptions


class SourceModule(Protocol):
    """What a file in `daemon/sources` must define."""

    Options: type[JobOptions]
    Source: Any


@cache
def source_names() -> tuple[str, ...]:
    """Return the names of all sources."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(daemon.sources.__path__)))


def source_module(name: str) -> SourceModule:
    """Import the source of that name."""
    return cast("SourceModule", importlib.import_module(f"daemon.sources.{name}"))
