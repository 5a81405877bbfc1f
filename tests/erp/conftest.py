"""An ERP on SQLite, and on PostgreSQL in turn."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.clients.erp import ErpClient
from daemon.clients.erp_process import Helper
from daemon.clients.erp_settings import ErpSettings
from storage import migrate
from storage.session import Database
from storage.settings import StorageSettings
from tests.erp.office import Configured, Office
from tests.erp.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An empty ERP on SQLite."""
    made = Registry(f"sqlite:///{tmp_path / 'erp.db'}", tmp_path)
    yield made
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def any_registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    """An empty ERP on SQLite and one on PostgreSQL."""
    url = f"sqlite:///{tmp_path / 'erp.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    made = Registry(url, tmp_path)
    yield made
    made.close()


class Spare:
    """Processes that ask, passed from client to client: what takes long is starting one."""

    def __init__(self) -> None:
        self._helpers: list[Helper] = []

    def lend(self, client: ErpClient) -> None:
        """Give a client a process that runs already."""
        client._idle = [self._helpers.pop() if self._helpers else Helper()]

    def take_back(self, client: ErpClient) -> None:
        """Take what the client has not ended."""
        self._helpers += client._idle
        client._idle = []

    def end(self) -> None:
        """End them all."""
        for helper in self._helpers:
            helper.end()


@pytest.fixture(scope="session")
def spare() -> Iterator[Spare]:
    """The processes of this run."""
    made = Spare()
    yield made
    made.end()


@pytest.fixture
def make_client(spare: Spare) -> Iterator[Callable[..., ErpClient]]:
    """Return a maker of clients from keys of `[erp]`."""
    made: list[ErpClient] = []

    def make(**keys: object) -> ErpClient:
        made.append(ErpClient(ErpSettings.model_validate(keys)))
        spare.lend(made[-1])
        return made[-1]

    yield make
    for client in made:
        spare.take_back(client)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that the migrations made, to be copied."""
    database = Database(StorageSettings(directory=tmp_path_factory.mktemp("migrated")))
    migrate.upgrade(database)
    database.dispose()
    return database.directory / "helpdesk.db"


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Iterator[Database]:
    """A migrated database of our own, on SQLite."""
    directory = tmp_path / "state"
    directory.mkdir()
    shutil.copy(migrated, directory)
    made = Database(StorageSettings(directory=directory))
    yield made
    made.dispose()


MakeOffice = Callable[..., Office]


@pytest.fixture
def make_office(database: Database, spare: Spare) -> Iterator[MakeOffice]:
    """Return a maker of ERP jobs from whatever knows how an ERP is reached, and a database of ours."""
    made: list[Office] = []

    def make(configured: Configured, ours: Database = database, **options: Any) -> Office:
        made.append(Office(ours, configured, **options))
        spare.lend(made[-1].source._client)
        return made[-1]

    yield make
    for office in made:
        spare.take_back(office.source._client)
