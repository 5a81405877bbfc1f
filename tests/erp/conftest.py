"""An ERP on SQLite, and on PostgreSQL in turn."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.clients.erp import ErpClient
from daemon.clients.erp_settings import ErpSettings
from tests.erp.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An empty ERP on SQLite."""
    made = Registry(f"sqlite:///{tmp_path / 'erp.db'}")
    yield made
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def any_registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    """An empty ERP on SQLite and one on PostgreSQL."""
    url = f"sqlite:///{tmp_path / 'erp.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    made = Registry(url)
    yield made
    made.close()


@pytest.fixture
def make_client() -> Iterator[Callable[..., ErpClient]]:
    """Return a maker of clients from keys of `[erp]`."""
    made: list[ErpClient] = []

    def make(**keys: object) -> ErpClient:
        made.append(ErpClient(ErpSettings.model_validate(keys)))
        return made[-1]

    yield make
    for client in made:
        client.close()
