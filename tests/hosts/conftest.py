"""Databases as the storage tests have them."""

from tests.storage.conftest import (  # noqa: F401 - fixtures
    database,
    migrated_file,
    migrated_url,
    postgres,
    sqlite,
)
