"""Viewers on fresh databases."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import web
from daemon.clients.settings import RedmineSettings
from storage import migrate
from storage.session import Database
from storage.settings import StorageSettings
from tests.redmines import RedmineUnderTest
from tests.web.house import House
from tests.web.town import inhabited
from web import create_app
from web.settings import AuthSettings, ViewerSettings, WebSettings

TRANSLATIONS = Path(web.__file__).parent / "translations"


@pytest.fixture(scope="session", autouse=True)
def _compiled_translations() -> None:
    """Compile the catalogues that are not, or no longer, as `pybabel compile` does."""
    for source in TRANSLATIONS.rglob("*.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            with source.open("rb") as text:
                catalogue = read_po(text, locale=source.parts[-3])
            draft = compiled.with_suffix(".draft")
            with draft.open("wb") as binary:
                write_mo(binary, catalogue)
            draft.replace(compiled)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    directory = tmp_path_factory.mktemp("template")
    database = Database(StorageSettings(directory=directory))
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return directory / "helpdesk.db"


@pytest.fixture
def storage(tmp_path: Path, sqlite_template: Path) -> StorageSettings:
    """Settings of a fresh SQLite database."""
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    shutil.copy(sqlite_template, directory / "helpdesk.db")
    return StorageSettings(directory=directory)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def any_storage(request: pytest.FixtureRequest, tmp_path: Path) -> StorageSettings:
    """Settings of a fresh database: SQLite and PostgreSQL in turn."""
    if request.param == "sqlite":
        found: StorageSettings = request.getfixturevalue("storage")
        return found
    settings = StorageSettings(directory=tmp_path / "state", url=request.getfixturevalue("postgres_url"))
    database = Database(settings)
    migrate.upgrade(database)
    database.dispose()
    return settings


Build = Callable[..., House]


@pytest.fixture
def build() -> Iterator[Build]:
    """Build viewers; `web` and `auth` are keys of these tables, the others are tables."""
    made: list[House] = []

    def _build(
        storage: StorageSettings,
        web: dict[str, Any] | None = None,
        auth: dict[str, Any] | None = None,
        redmine: RedmineSettings | None = None,
        **tables: Any,
    ) -> House:
        own = WebSettings(**web or {}), AuthSettings(**auth or {})
        settings = ViewerSettings(storage, *own, redmine, **tables)
        database = Database(storage)
        app = create_app(settings, database)
        app.testing = True
        made.append(House(app, database))
        return made[-1]

    yield _build
    for house in made:
        house.live.stop()
        house.database.dispose()


@pytest.fixture
def house(storage: StorageSettings, build: Build) -> House:
    """A viewer on SQLite without Redmine."""
    return build(storage)


@pytest.fixture
def any_house(any_storage: StorageSettings, build: Build) -> House:
    """A viewer on SQLite and one on PostgreSQL in turn."""
    return build(any_storage)


@pytest.fixture
def town(storage: StorageSettings, build: Build, any_redmine: RedmineUnderTest, tmp_path: Path) -> House:
    """A viewer of a whole Redmine (demo and real), whose people are linked to their accounts there."""
    return inhabited(build(storage, redmine=settings_of(any_redmine, tmp_path)), any_redmine)


@pytest.fixture
def demo_town(
    storage: StorageSettings, build: Build, demo_redmine: RedmineUnderTest, tmp_path: Path
) -> House:
    """The same on the demo Redmine alone: for what needs its faults and its list of requests."""
    return inhabited(build(storage, redmine=settings_of(demo_redmine, tmp_path)), demo_redmine)


def settings_of(redmine: RedmineUnderTest, folder: Path) -> RedmineSettings:
    """Return settings with the admin's key in a file."""
    key = folder / "redmine.key"
    key.write_text(redmine.key("admin"))
    return RedmineSettings(url=redmine.url, api_key_file=key)
