"""The `helpdesk` command. Each subcommand checks its configuration first and fails in one clear line."""

import os
import sys
from pathlib import Path

import click

from daemon import check_cli, db_cli, install_cli, jobs_cli
from daemon.cli_errors import plain_errors
from daemon.config import Config, load
from storage import logs, migrate, users
from storage.configuration import config_path
from storage.session import Database, DatabaseAway

LANGUAGES = click.Choice(["ru", "en"])


@click.group()
@click.version_option(package_name="helpdesk", message="%(package)s %(version)s")
@click.option("--config", "config_file", type=click.Path(), help="Configuration file (scheduler.toml).")
@click.pass_context
def main(context: click.Context, config_file: str | None) -> None:
    """Tell people, once and within seconds, what changed for them."""
    context.obj = config_path(config_file)
    os.environ["HELPDESK_CONFIG"] = str(context.obj)  # the processes that we start read the same file


@main.command()
@click.pass_obj
@plain_errors
def run(path: Path) -> None:
    """Run daemon and viewer on this machine; without a [redmine] address, on the demo Redmine."""
    from daemon.supervisor import run_all

    config = load(path)
    sys.exit(run_all(config, demo=config.redmine is None))


@main.command()
@click.pass_obj
@plain_errors
def demo(path: Path) -> None:
    """Run daemon and viewer on a made-up Redmine and ERP that keep changing."""
    from daemon.supervisor import run_all

    sys.exit(run_all(load(path), demo=True))


@main.command()
@click.pass_obj
@plain_errors
def daemon(path: Path) -> None:
    """Run the scheduled jobs."""
    from daemon.service import serve

    config = load(path)
    logs.configure(config.daemon.log_level, config.daemon.log_style)
    try:
        sys.exit(serve(config))
    except DatabaseAway as e:
        click.echo(f"helpdesk: {e}", err=True)
        sys.exit(os.EX_TEMPFAIL)  # whoever started us may do so again: systemd, `helpdesk run`


@main.command()
@click.pass_obj
def web(path: Path) -> None:
    """Run the viewer."""
    os.execv(sys.executable, [sys.executable, "-m", "web", "--config", str(path)])  # noqa: S606 - ourselves


@main.command(name="vapid")
@click.option("--force", is_flag=True, help="Make a new key pair even where there is one.")
@click.pass_obj
@plain_errors
def vapid_(path: Path, *, force: bool) -> None:
    """Make the key pair of Web Push where there is none yet, and show its public key."""
    from daemon import vapid
    from daemon.service import vapid_file

    file = vapid_file(load(path))
    if force and file.exists():
        vapid.replace(file)
        click.echo(
            f"{file}: a new key pair. Restart the daemon. Each browser is reached again once one of our "
            "pages has been opened in it: it subscribes anew for the new key by itself."
        )
    click.echo(vapid.public_key(vapid.read_or_make(file)))


main.add_command(jobs_cli.jobs)
main.add_command(db_cli.db)
main.add_command(install_cli.install_services)
main.add_command(check_cli.check)
main.add_command(check_cli.completion)


@main.group(name="users")
def people() -> None:
    """People who may sign in."""


@people.command()
@click.argument("username")
@click.option("--redmine-login", default="", help="Log-in name of their Redmine account.")
@click.option("--role", type=click.Choice(["user", "admin"]), default="user")
@click.option("--language", type=LANGUAGES, default="ru")
@click.option("--full-name", default="")
@click.option("--email", default="")
@click.option("--password/--no-password", "ask", default=True, help="Ask for a local password, or keep none.")
@click.option("--password-stdin", is_flag=True, help="Read the local password from standard input.")
@click.pass_obj
@plain_errors
def add(path: Path, *, ask: bool, password_stdin: bool, **given: str) -> None:
    """Add a user who may sign in with a local password, or by their Redmine account."""
    from daemon import people as accounts

    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    if password is None and ask:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    user = accounts.add(_ready(load(path)), load(path), password=password, **given)
    linked = f", Redmine account {user.redmine_login} (#{user.id_redmine_user})" if user.redmine_login else ""
    click.echo(f"added {user.username} as {user.role}{linked}")


@people.command(name="import")
@click.option("--language", type=LANGUAGES, default="ru")
@click.pass_obj
@plain_errors
def import_(path: Path, language: str) -> None:
    """Add every active Redmine account, so that nobody must sign in before they can be told anything."""
    from daemon import people as accounts

    added, skipped = accounts.import_all(_ready(load(path)), load(path), language)
    click.echo(f"added {added}, known already {skipped}")


@people.command(name="list")
@click.pass_obj
@plain_errors
def list_(path: Path) -> None:
    """List the users."""
    with _ready(load(path)).read() as session:
        for user in users.listed(session):
            state = "" if user.is_active else " (inactive)"
            click.echo(f"{user.username:24} {user.role:6} redmine: {user.redmine_login or '-'}{state}")


def _ready(config: Config) -> Database:
    """Open the database and refuse another schema."""
    database = Database(config.storage)
    migrate.require_current(database)
    return database
