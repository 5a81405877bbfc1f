"""Databases for the storage tests, built by the migrations: each test runs on SQLite and on PostgreSQL.

The migrations run once for each; a test gets a copy of the SQLite file, or the emptied PostgreSQL tables.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import migrate
from storage.columns import Base
from storage.session import Database
from storage.settings import StorageSettings
from tests.services.run import ServiceRun
from tests.storage.people import add_user

POSTGRES = pytest.param("postgres", marks=pytest.mark.real)
FILE = "helpdesk.db"


@pytest.fixture(params=["sqlite", POSTGRES])
def empty_settings(request: pytest.FixtureRequest, tmp_path: Path) -> StorageSettings:
    """Settings of a database without tables."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    return StorageSettings(directory=tmp_path / "state", url=url)


@pytest.fixture
def empty(empty_settings: StorageSettings) -> Iterator[Database]:
    """A database without tables."""
    database = Database(empty_settings)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that the migrations made, to be copied."""
    database = Database(StorageSettings(directory=tmp_path_factory.mktemp("migrated")))
    migrate.upgrade(database)
    database.dispose()
    return database.directory / FILE


@pytest.fixture(scope="session")
def migrated_url(service_run: ServiceRun, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a PostgreSQL database that the migrations made, to be emptied before each use."""
    url = f"postgresql+psycopg://{service_run.cluster.dsn(service_run.new_database())}"
    database = Database(StorageSettings(directory=tmp_path_factory.mktemp("state"), url=url))
    migrate.upgrade(database)
    database.dispose()
    return url


@pytest.fixture
def sqlite(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database."""
    settings = StorageSettings(directory=tmp_path / "state")
    settings.directory.mkdir()
    shutil.copy(migrated_file, settings.directory / FILE)
    database = Database(settings)
    yield database
    database.dispose()


@pytest.fixture
def postgres(migrated_url: str, tmp_path: Path) -> Iterator[Database]:
    """A migrated PostgreSQL database with no rows."""
    database = Database(StorageSettings(directory=tmp_path / "state", url=migrated_url))
    tables = [table.name for table in reversed(Base.metadata.sorted_tables)]
    with database.engine.begin() as connection:  # quicker than TRUNCATE, which makes new files
        connection.execute(sa.text("; ".join(f"DELETE FROM {name}" for name in tables)))
    yield database
    database.dispose()


@pytest.fixture(params=["sqlite", POSTGRES])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database with no rows, SQLite and PostgreSQL in turn."""
    database: Database = request.getfixturevalue(request.param)
    return database


@pytest.fixture
def settings(database: Database) -> StorageSettings:
    """Settings of the migrated database, for other processes to open it."""
    return database.settings


@pytest.fixture
def another(settings: StorageSettings) -> Iterator[Callable[..., Database]]:
    """Return a maker of further `Database`s on the same database, as another process would have."""
    made: list[Database] = []

    def make(**changes: object) -> Database:
        made.append(Database(settings.model_copy(update=changes)))
        return made[-1]

    yield make
    for database in made:
        database.dispose()


@pytest.fixture
def ann(database: Database) -> int:
    """The id of a user."""
    return add_user(database, "ann")


@pytest.fixture
def bob(database: Database) -> int:
    """The id of another user."""
    return add_user(database, "bob")
