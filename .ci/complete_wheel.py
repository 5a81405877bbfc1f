"""Refuses to build a wheel that would lack what the set-up makes: the front end and the translations."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MADE = (
    "web/static/vendor/.built",
    "web/translations/ru/LC_MESSAGES/messages.mo",
    "daemon/translations/ru/LC_MESSAGES/messages.mo",
)


class CompleteWheel(BuildHookInterface[Any]):
    """Looks before a real wheel is built; the one that `make setup` installs only points at the tree."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's shape
        """Stop where anything is missing."""
        missing = [name for name in MADE if not (Path(self.root) / name).is_file()]
        if version == "standard" and missing:
            raise FileNotFoundError(f"{', '.join(missing)} not made yet: run `make setup` first")
