"""Whether the database can be written and has this version's tables; what the daemon says there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from daemon.checks.rows import Row, fault, off, warning, well
from storage import job_table, jobs, migrate
from storage.columns import utc_now
from storage.configuration import ConfigError
from storage.session import Database, StorageError
from storage.settings import StorageSettings

SKEW_S = 5.0  # daemons on two machines compare the ends of leases
PARTS = ("database", "migrations", "database.clock", "daemon", "jobs")
HEALTH_CURES = {
    "failing": "mend what it says; it is tried again by itself, `helpdesk jobs history {name}` tells more",
    "behind": "see `helpdesk jobs history {name}`: each run reads on from where the last one ended",
}


def database_rows(settings: StorageSettings) -> Iterator[Row]:
    """Look at the database, and at what the daemon has left in it."""
    seen = []
    for row in _looks(settings):
        seen.append(row.name)
        yield row
    for name in PARTS:
        if name not in seen:
            yield off(name, f"not looked at, because of {seen[-1]}")


def _looks(settings: StorageSettings) -> Iterator[Row]:
    try:
        database = Database(settings)
        found = _described(database)
        migrations = _migrations_row(database)
    except (StorageError, ConfigError) as e:
        yield fault("database", str(e), "see [storage] in scheduler.toml")
        return
    try:
        yield from _opened(database, found, migrations)
    finally:
        database.dispose()


def _opened(database: Database, found: str, migrations: Row) -> Iterator[Row]:
    if migrations.state != "ok":
        yield well("database", found)
        yield migrations
        return
    try:
        _write(database)
    except StorageError as e:
        yield fault("database", str(e), "give the user of the service the right to write, and room")
        return
    yield well("database", found)
    yield migrations
    yield clock_row(database)
    with database.read() as session:
        yield daemon_row(session)
        yield jobs_row(session)


def _write(database: Database) -> None:
    """Write and take it back: only that finds a file that may only be read. Raises StorageError."""
    with database.write() as session, session.begin_nested() as trial:
        jobs.state(session, "@check")
        trial.rollback()


def _described(database: Database) -> str:
    """Return what database it is. Raises StorageError."""
    with database.read() as session:
        if database.is_sqlite:
            version = session.scalar(sa.text("SELECT sqlite_version()"))
            return f"SQLite {version}, {database.directory / Path(database.url.database or '').name}"
        version = session.scalar(sa.text("SHOW server_version"))
        return f"PostgreSQL {version}, {database.url.render_as_string(hide_password=True)}"


def _migrations_row(database: Database) -> Row:
    cure = "run `helpdesk db upgrade`, after a backup; where the schema is newer, install the newer helpdesk"
    try:
        migrate.require_current(database)
    except migrate.OtherSchema as e:
        return fault("migrations", str(e), cure)
    return well("migrations", f"schema {migrate.head()}, as this version needs")


def clock_row(database: Database) -> Row:
    """Say whether the database's clock goes as ours does."""
    name = "database.clock"
    if database.is_sqlite:
        return off(name, "the embedded database has this machine's clock")
    with database.read() as session:
        told_at = session.scalar(sa.text("SELECT clock_timestamp()"))
    assert isinstance(told_at, datetime)  # noqa: S101 - PostgreSQL says so
    return skew_row(told_at, datetime.now(UTC))


def skew_row(told_at: datetime, now: datetime) -> Row:
    """Say whether two clocks go alike."""
    skew_s = abs((told_at - now).total_seconds())
    if skew_s > SKEW_S:
        cure = "let both machines follow a time server (chrony, systemd-timesyncd)"
        return warning("database.clock", f"differs from ours by {skew_s:.0f} s", cure)
    return well("database.clock", "goes as ours does")


def daemon_row(session: Session) -> Row:
    """Say whether a daemon runs, and whether its file is in force."""
    status = job_table.daemon_status(session, utc_now())
    if status.fault:
        return fault(
            "daemon", f"goes on with what it read before: {status.fault}", "mend the file and save it"
        )
    if not status.is_running:
        return off("daemon", "none runs at present")
    if status.restart:
        changed = ", ".join(as_in_the_file(key) for key in status.restart)
        return warning("daemon", f"{changed} changed since it was started", "restart the daemon")
    return well("daemon", f"{status.owner} runs")


def as_in_the_file(key: str) -> str:
    """Write a dotted key as it is found in the file: `daemon.lease_s` is `[daemon] lease_s`."""
    table, _, name = key.rpartition(".")
    return f"[{table}] {name}" if table else f"[{name}]"


def jobs_row(session: Session) -> Row:
    """Say how the jobs do."""
    rows = [row for row in job_table.rows(session, utc_now()) if row.health != "absent"]
    ill = [row for row in rows if row.health in HEALTH_CURES]
    if ill:
        found = "; ".join(f"{row.name} is {row.health}: {row.last_error or f'{row.lag_s} s'}" for row in ill)
        return warning("jobs", found, HEALTH_CURES[ill[0].health].format(name=ill[0].name))
    if not rows:
        return off("jobs", "no daemon has run yet")
    paused = [row.name for row in rows if row.health == "paused"]
    return well("jobs", f"{len(rows)} scheduled" + (f", paused: {', '.join(paused)}" if paused else ""))
