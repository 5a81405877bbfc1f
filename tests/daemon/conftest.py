"""A daemon's jobs, driven by hand against any Redmine."""

import math
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from daemon.clients.settings import RedmineSettings
from daemon.pipeline import Job, run_job
from daemon.sources import redmine, redmine_reconcile
from daemon.values import JobResult
from storage import jobs, migrate, notifications, users
from storage.columns import utc_now
from storage.models import Notification, User
from storage.session import Database
from storage.settings import StorageSettings
from tests.daemon.scripted import Bench
from tests.fakes import ScriptedSource
from tests.redmines import RedmineUnderTest

OWNER = "test"

# No deadline: the machine may be busy. No database of examples: what was found belongs into a table.
hypothesis_settings.register_profile("helpdesk", deadline=None, max_examples=60, database=None)
hypothesis_settings.load_profile("helpdesk")


class Engine:
    """The jobs of one daemon on one database, run when a test says so."""

    def __init__(
        self, server: RedmineUnderTest, database: Database, key_file: Path, overlap_s: float
    ) -> None:
        self.server = server
        self.database = database
        self.overlap_s = overlap_s
        key_file.write_text(server.key("admin"))
        self.settings = RedmineSettings(
            url=server.url, api_key_file=key_file, deadline_s=20, read_timeout_s=10
        )
        self.passed_s = 0.0
        self._read_until = 0.0
        options = redmine.Options(overlap_s=overlap_s)
        poll = redmine.Source(self.settings, options, epoch=lambda: time.time() + self.passed_s)
        second = redmine_reconcile.Source(self.settings, redmine_reconcile.Options(overlap_s=overlap_s))
        self.poll_job = Job("redmine", poll, 1.0, 120.0)
        self.reconcile_job = Job("reconcile", second, 1.0, 120.0)
        if server.demo is not None:
            server.demo.store.now = lambda: utc_now() + timedelta(seconds=self.passed_s)
        with database.write() as session:
            assert jobs.acquire_lease(session, OWNER, utc_now(), 3600)

    def poll(self, after_s: float = 3.0) -> JobResult:
        """Run the poll once, as if so much time had passed since the last one; a failure fails the test.

        Three seconds: what changed twice within one second is read again by then. The real Redmine's
        clock does not jump with ours, so the second of the last reading must really be over.
        """
        if after_s:
            self.end_second()
        self.passed_s += after_s
        result = run_job(self.poll_job, self.database, OWNER)
        self._read_until = math.floor(time.time()) + 1.0
        assert result.status == "ok", result.error
        return result

    def end_second(self) -> None:
        """See that the second of the last reading is over: no change will share its `updated_on`.

        The demo's clock runs with ours, so there it need not be waited for.
        """
        if self.server.demo is not None:
            self.passed_s += 1
            return
        while time.time() < self._read_until:
            time.sleep(0.02)

    def settle(self) -> None:
        """Poll until nothing is unsettled and the cursor is swept: minutes of peace, as far as it knows."""
        for _ in range(3):
            self.passed_s += 100
            self.poll(after_s=0)
        self.end_second()

    def restarted(self, key_file: Path) -> "Engine":
        """Return a new daemon on the same database, at the time it is by now."""
        engine = Engine(self.server, self.database, key_file, self.overlap_s)
        engine.passed_s, engine._read_until = self.passed_s, self._read_until
        return engine

    def reconcile(self) -> JobResult:
        """Run the reconcile job once."""
        result = run_job(self.reconcile_job, self.database, OWNER)
        assert result.status == "ok", result.error
        return result

    def add_user(self, login: str, language: str = "en") -> int:
        """Make somebody a user who can be told."""
        with self.database.write() as session:
            user = User(
                username=login,
                redmine_login=login,
                id_redmine_user=self.server.id_of("user", login),
                language=language,
            )
            return users.add(session, user).id

    def inbox(self, login: str) -> list[Notification]:
        """Return what somebody was told and may still see, oldest first."""
        with self.database.read() as session:
            user = users.by_username(session, login)
            assert user is not None
            page = notifications.of_user(session, user.id, page=1, per_page=1000)
            session.expunge_all()
            return list(reversed(page.rows))

    def close(self) -> None:
        """Let go of everything."""
        self.poll_job.source.close()
        self.reconcile_job.source.close()
        self.database.dispose()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that the migrations made, to be copied."""
    database = Database(StorageSettings(directory=tmp_path_factory.mktemp("migrated")))
    migrate.upgrade(database)
    database.dispose()
    return database.directory / "helpdesk.db"


@pytest.fixture
def make_database(migrated_file: Path, tmp_path: Path) -> Iterator[Callable[[str], Database]]:
    """Return a maker of migrated SQLite databases, each in a folder of its own."""
    made: list[Database] = []

    def make(folder: str) -> Database:
        settings = StorageSettings(directory=tmp_path / folder)
        settings.directory.mkdir()
        shutil.copy(migrated_file, settings.directory)
        made.append(Database(settings))
        return made[-1]

    yield make
    for database in made:
        database.dispose()


@pytest.fixture
def database(make_database: Callable[[str], Database]) -> Database:
    """A migrated SQLite database."""
    return make_database("state")


@pytest.fixture
def bench(database: Database) -> Bench:
    """A job whose source follows a script, with three people to tell."""
    return Bench(database, ScriptedSource())


@pytest.fixture
def make_engine(tmp_path: Path, database: Database) -> Iterator[Callable[..., Engine]]:
    """Return a maker of engines on this test's database."""
    made: list[Engine] = []

    def make(server: RedmineUnderTest, overlap_s: float = 90.0) -> Engine:
        made.append(Engine(server, database, tmp_path / f"key-{len(made)}", overlap_s))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture
def restart(tmp_path: Path) -> Iterator[Callable[[Engine], Engine]]:
    """Return a function that starts the daemon anew: it remembers nothing but its database."""
    made: list[Engine] = []

    def anew(engine: Engine) -> Engine:
        made.append(engine.restarted(tmp_path / f"key-restarted-{len(made)}"))
        return made[-1]

    yield anew
    for engine in made:
        engine.close()


@pytest.fixture
def fresh_engine(
    any_redmine: RedmineUnderTest, make_database: Callable[[str], Database], tmp_path: Path
) -> Iterator[Callable[..., Engine]]:
    """Return a maker of a daemon on an empty database of its own, with everybody a user, nothing run yet."""
    made: list[Engine] = []

    def make(overlap_s: float = 90.0) -> Engine:
        database = make_database(f"fresh-{len(made)}")
        made.append(Engine(any_redmine, database, tmp_path / f"key-fresh-{len(made)}", overlap_s))
        add_everybody(made[-1])
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture
def engine(any_redmine: RedmineUnderTest, make_engine: Callable[..., Engine]) -> Engine:
    """The jobs on the demo Redmine and on the real one in turn, with everybody a user, baseline done."""
    engine = make_engine(any_redmine)
    any_redmine.create_issue("ann", subject="Old issue")
    add_everybody(engine)
    engine.poll()
    return engine


def add_everybody(engine: Engine) -> None:
    """Make everybody of the world a user but who is locked."""
    for login in ("ann", "bob", "carl", "dora", "eve", "fred", "gina", "hugo", "iris"):
        engine.add_user(login)
