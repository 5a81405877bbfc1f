"""Finds sources and channels by listing the files of their folders: a new one needs no registry."""

import importlib
import pkgutil
from functools import cache
from typing import Any, Protocol, cast

import daemon.channels
import daemon.sources
from daemon.options import ChannelOptions, JobOptions


class SourceModule(Protocol):
    """What a file in `daemon/sources` must define."""

    Options: type[JobOptions]
    Source: Any


class ChannelModule(Protocol):
    """What a file in `daemon/channels` must define: `Channel(options, surroundings)`."""

    Options: type[ChannelOptions]
    Channel: Any


@cache
def source_names() -> tuple[str, ...]:
    """Return the names of all sources."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(daemon.sources.__path__)))


def source_module(name: str) -> SourceModule:
    """Import the source of that name."""
    return cast("SourceModule", importlib.import_module(f"daemon.sources.{name}"))


@cache
def channel_names() -> tuple[str, ...]:
    """Return the names of all channels."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(daemon.channels.__path__)))


def channel_module(name: str) -> ChannelModule:
    """Import the channel of that name."""
    return cast("ChannelModule", importlib.import_module(f"daemon.channels.{name}"))
