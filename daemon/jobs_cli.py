"""`helpdesk jobs`: what the schedules page does, at the command line and over the same functions."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from daemon import jobs_text
from daemon.config import Config, changed_job, load
from storage import job_control, job_gaps, job_history, job_table, migrate
from storage.audit import at_command_line
from storage.columns import utc_now
from storage.configuration import ConfigError
from storage.session import Database, StorageError

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
GAPS, GAP_COLUMNS = 20, ("began_at", "ended_at", "caught_up_at", "reason")
UNITS = {"m": 60, "h": 3600, "d": 86_400}


@click.group()
def jobs() -> None:
    """The scheduled jobs: what they do, and what is to be different."""


@jobs.command(name="list")
@AS_JSON
@click.pass_obj
def list_(path: Path, *, as_json: bool) -> None:
    """Show every job: interval, last run, next run, lag, health."""
    database, _ = _opened(path)
    with database.read() as session:
        found = job_table.rows(session, utc_now())
        daemon = job_table.daemon_status(session, utc_now())
    if as_json:
        click.echo(json.dumps({"jobs": job_table.as_json(found), "daemon": job_table.as_json(daemon)}))
        return
    for row in found:
        click.echo("\n".join(jobs_text.lines_of(row)))
    if not daemon.is_running:
        click.echo("no daemon is running: what is asked for is done when one starts", err=True)
    if daemon.fault:
        click.echo(f"the file is not in force: {daemon.fault}", err=True)


@jobs.command()
@click.argument("name")
@click.pass_obj
def run(path: Path, name: str) -> None:
    """Run a job now, whatever it waits for."""
    database = _known(path, name)
    now = utc_now()
    with database.write() as session:
        if not job_control.may_run(session, name, now):
            raise click.ClickException(f"{name} is paused: resume it first")
        _require_in_file(session, name)
        job_control.request_run(session, name, at_command_line(), now)
    click.echo(f"{name}: runs {_soon(database)}")


@jobs.command()
@click.argument("name")
@click.option("--reason", default="", help="Why, for the others.")
@click.option("--for", "lasting", default="", help="End it by itself after 30m, 2h or 1d.")
@click.pass_obj
def pause(path: Path, name: str, reason: str, lasting: str) -> None:
    """Pause a job."""
    database, now = _known(path, name), utc_now()
    until = now + _duration(lasting) if lasting else None
    with database.write() as session:
        job_control.pause(session, name, at_command_line(), now, reason=reason, until=until)
    click.echo(f"{name}: paused" + (f" until {jobs_text.moment(until)}" if until else ""))


@jobs.command()
@click.argument("name")
@click.pass_obj
def resume(path: Path, name: str) -> None:
    """End the pause of a job."""
    with _known(path, name).write() as session:
        job_control.resume(session, name, at_command_line())
    click.echo(f"{name}: resumed")


@jobs.command(name="set")
@click.argument("name")
@click.option("--every", "every_s", type=float, help="Seconds between two runs.")
@click.option("--option", "options", multiple=True, help="KEY=VALUE, as in the file; may be repeated.")
@click.pass_obj
def set_(path: Path, name: str, every_s: float | None, options: tuple[str, ...]) -> None:
    """Change interval and options; the file stays as it is."""
    if every_s is None and not options:
        raise click.UsageError("name --every or --option")
    change: dict[str, Any] = {"options": dict(_option(text) for text in options)} if options else {}
    change |= {} if every_s is None else {"every_s": every_s}
    soon = _want(path, name, change)
    click.echo(f"{name}: changed, in force {soon}")


@jobs.command()
@click.argument("name")
@click.pass_obj
def reset(path: Path, name: str) -> None:
    """Go back to what the file says."""
    soon = _want(path, name, {"every_s": None, "options": None})
    click.echo(f"{name}: as in the file {soon}")


@jobs.command()
@click.argument("name")
@click.option("--status", type=click.Choice(job_history.STATUSES), help="Only runs that ended so.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20)
@click.option("--run", "run_id", type=int, help="Show the log lines of this run.")
@click.option("--proof", "is_proof", is_flag=True, help="Show gaps, findings and sums instead of runs.")
@AS_JSON
@click.pass_obj
def history(
    path: Path, /, *, name: str, run_id: int | None, is_proof: bool, as_json: bool, **asked: Any
) -> None:
    """Show the latest runs of a job, newest first, or what proves that nothing was missed."""
    database, config = _opened(path)
    _require(database, name)
    with database.read() as session:
        if run_id is not None:
            _show_lines(session, name, run_id)
        elif is_proof:
            _show_proof(session, name, config.retention.runs_days, as_json=as_json)
        else:
            _show_runs(session, name, asked["status"] or "", asked["limit"], as_json=as_json)


def _show_lines(session: Session, name: str, run_id: int) -> None:
    found = job_history.run(session, name, run_id)
    lines = [] if found is None else found.lines
    click.echo("\n".join(json.dumps(line, ensure_ascii=False) for line in lines))


def _show_runs(session: Session, name: str, status: str, limit: int, *, as_json: bool) -> None:
    runs = job_history.runs(session, name, 1, status, limit).rows
    if as_json:
        click.echo(json.dumps([_run_json(found) for found in runs]))
        return
    for found in runs:
        click.echo(jobs_text.run_line(found))


def _show_proof(session: Session, name: str, kept_days: float, *, as_json: bool) -> None:
    gaps = job_gaps.latest(session, name, GAPS)
    sums = job_history.sums(session, name, utc_now(), kept_days)
    if as_json:
        shown = [{key: getattr(gap, key) for key in GAP_COLUMNS} for gap in gaps]
        click.echo(json.dumps(job_table.as_json({"sums": sums, "gaps": shown})))
        return
    row = job_table.row(session, name, utc_now())
    click.echo("\n".join(jobs_text.proof_lines(row.source if row else "", sums, gaps)))


def _run_json(found: Any) -> Any:
    columns = ("id", "started_at", "finished_at", "duration_ms", "status", "items", "changes", "notified")
    more = ("withdrawn", "requests", "journals", "overlap_hits", "error")
    return job_table.as_json({name: getattr(found, name) for name in (*columns, *more)})


def _soon(database: Database) -> str:
    """Say when the daemon does what was asked for."""
    with database.read() as session:
        is_running = job_table.daemon_status(session, utc_now()).is_running
    return "within seconds" if is_running else "once a daemon runs: none does now"


def _want(path: Path, name: str, change: dict[str, Any]) -> str:
    """Ask for a change, and return when it is in force."""
    database, config = _opened(path)
    _require(database, name)
    job = next((job for job in config.jobs if job.name == name), None)
    try:
        if job is not None:  # the daemon judges it again: its file may be another
            every_s = change.get("every_s") or job.settings.every_s
            changed_job(job, every_s, change.get("options") or {}, config.path)
    except ConfigError as e:
        raise click.ClickException(str(e)) from e
    with database.write() as session:
        _require_in_file(session, name)
        job_control.want(session, name, at_command_line(), change)
    return _soon(database)


def _option(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--option {text}: write KEY=VALUE")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _duration(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isdigit():
        raise click.UsageError(f"--for {text}: write 30m, 2h or 1d")
    return timedelta(seconds=int(number) * UNITS[unit])


def _known(path: Path, name: str) -> Database:
    database, _ = _opened(path)
    _require(database, name)
    return database


def _require(database: Database, name: str) -> None:
    with database.read() as session:
        if job_control.known(session, name) is None:
            names = (
                ", ".join(row.name for row in job_control.states(session)) or "none: start the daemon first"
            )
            raise click.ClickException(f"there is no job {name}; known: {names}")


def _require_in_file(session: Session, name: str) -> None:
    if not job_control.is_in_file(session, name):
        raise click.ClickException(f"{name} is not in the file any more: it does not run")


def _opened(path: Path) -> tuple[Database, Config]:
    try:
        config = load(path)
        database = Database(config.storage)
        migrate.require_current(database)
    except (ConfigError, StorageError) as e:
        for line in str(e).splitlines():
            click.echo(f"helpdesk: {line}", err=True)
        sys.exit(2)
    return database, config
