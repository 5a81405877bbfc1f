"""Viewers on fresh databases."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import FileSystemBytecodeCache

import web
from daemon.clients.erp_process import Helper
from daemon.clients.erp_settings import ErpSettings
from daemon.clients.settings import RedmineSettings
from storage import migrate
from storage.session import Database
from storage.settings import StorageSettings
from tests.erp.registry import Registry
from tests.redmines import RedmineUnderTest
from tests.web.erp_visitors import MakeHouse
from tests.web.house import House
from tests.web.town import inhabited
from web import create_app
from web.settings import AuthSettings, ViewerSettings, WebSettings

CHAIN = ("erp", "redmine", "local")
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


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Keep compiled templates from one viewer to the next: compiling is most of the time of a page."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def build(compiled_templates: FileSystemBytecodeCache) -> Iterator[Build]:
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
        app.jinja_env.bytecode_cache = compiled_templates
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


# Viewers that log in by an ERP


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An ERP that knows ANN."""
    made = Registry(f"sqlite:///{tmp_path / 'erp.db'}", tmp_path)
    made.add("ANN", vpn=1, vpn_end_date="31.12.2026")
    yield made
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def any_registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    """An ERP that knows ANN: on SQLite and on PostgreSQL in turn."""
    url = f"sqlite:///{tmp_path / 'erp.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    made = Registry(url, tmp_path)
    made.add("ANN", vpn=1, vpn_end_date="31.12.2026")
    yield made
    made.close()


@pytest.fixture
def any_erp_house(make_house: MakeHouse, any_registry: Registry) -> House:
    """A viewer that logs in by either ERP, without a Redmine."""
    return make_house(any_registry.settings())


@pytest.fixture(scope="module")
def helpers() -> Iterator[list[Helper]]:
    """Processes that ask, for one house after the other: what takes long is starting them."""
    kept: list[Helper] = []
    yield kept
    for helper in kept:
        helper.end()


@pytest.fixture
def make_house(
    storage: StorageSettings, build: Build, tmp_path: Path, helpers: list[Helper]
) -> Iterator[MakeHouse]:
    """Return a maker of viewers that log in by an ERP."""
    made: list[House] = []

    def make(erp: dict[str, Any], redmine: RedmineUnderTest | None = None, **web: Any) -> House:
        chain = {"backends": CHAIN if redmine else ("erp", "local")}
        known = settings_of(redmine, tmp_path) if redmine else None
        house = build(storage, web=web, auth=chain, redmine=known, erp=ErpSettings.model_validate(erp))
        made.append(house)
        client = house.viewer.erp
        assert client is not None
        client._idle = [helpers.pop()] if helpers else []
        return house

    yield make
    for house in made:
        client = house.viewer.erp
        assert client is not None
        helpers += client._idle


@pytest.fixture
def erp_house(make_house: MakeHouse, registry: Registry) -> House:
    """A viewer that logs in by the ERP, without a Redmine."""
    return make_house(registry.settings())
