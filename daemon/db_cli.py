"""`helpdesk db`: schema, size, copies."""

import json
from pathlib import Path

import click

from daemon.cli_errors import plain_errors
from daemon.config import load
from storage import backup as copies
from storage import migrate, sizes
from storage.columns import utc_now
from storage.session import Database

FILE = click.Path(path_type=Path, dir_okay=False)
UNITS = ("B", "KB", "MB", "GB", "TB")


@click.group()
def db() -> None:
    """The database."""


@db.command()
@click.pass_obj
@plain_errors
def upgrade(path: Path) -> None:
    """Bring the database to the schema of this version."""
    before, after = migrate.upgrade(_database(path))
    click.echo(
        f"schema {after} (was {before or 'empty'})" if before != after else f"schema {after}: up to date"
    )


@db.command()
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Replace the file where there is one.")
@click.pass_obj
@plain_errors
def backup(path: Path, file: Path, *, force: bool) -> None:
    """Copy the embedded database into FILE, while daemon and viewer go on."""
    made = copies.save(_database(path), file, force=force)
    click.echo(f"{made.file}: {in_words(made.size)}, schema {made.schema}, nothing damaged")


@db.command()
@click.argument("file", type=FILE)
@click.pass_obj
@plain_errors
def restore(path: Path, file: Path) -> None:
    """Put FILE in the place of the embedded database. End daemon and viewer first."""
    made, kept = copies.restore(_database(path), file, utc_now())
    click.echo(f"{made.file}: {in_words(made.size)}, schema {made.schema}, from {file}")
    if kept is not None:
        click.echo(f"what was there is kept as {kept}")
    if made.schema != migrate.head():
        click.echo("run `helpdesk db upgrade` before you start anything")


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
@plain_errors
def size(path: Path, *, as_json: bool) -> None:
    """Show how large the database is, table by table."""
    database = _database(path)
    migrate.require_current(database)
    total = sizes.size(database)
    with database.read() as session:
        rows, taken = sizes.rows(session), sizes.bytes_by_table(session)
    if as_json:
        tables = {name: {"rows": count, "bytes": taken.get(name)} for name, count in rows.items()}
        whole = {"total": total.total, "free": total.free, "log": total.log, "disk_free": total.disk_free}
        click.echo(json.dumps({**whole, "tables": tables}))
        return
    for name in sorted(rows, key=lambda name: -taken.get(name, 0)):
        click.echo(f"{name:24} {rows[name]:>12,} rows {in_words(taken[name]) if name in taken else '':>10}")
    disk = "" if total.disk_free is None else f", {in_words(total.disk_free)} free on the disk"
    log = f", {in_words(total.log)} not yet written back" if total.log else ""
    click.echo(f"{in_words(total.total)} in all, {in_words(total.free)} of it unused{log}{disk}")


@db.command()
@click.pass_obj
@plain_errors
def vacuum(path: Path) -> None:
    """Give unused room back to the disk. The daemon does it by itself; this does it now.

    A file of an earlier version is written anew once: end daemon and viewer for that, they could not write.
    """
    database = _database(path)
    migrate.require_current(database)
    if sizes.can_give_back(database):
        given = sizes.give_back(database)
    else:
        database.dispose()
        given = sizes.rewrite(database)
    click.echo(f"{in_words(given)} given back, {in_words(sizes.size(database).total)} in all")


def in_words(size: int) -> str:
    """Write a number of bytes as people read it."""
    value, unit = float(size), 0
    while abs(value) >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if unit else f"{size} B"


def _database(path: Path) -> Database:
    return Database(load(path).storage)
