"""`helpdesk install-services`: prints the units of systemd and the example for nginx, or writes them."""

from pathlib import Path

import click

from daemon import install
from daemon.cli_errors import plain_errors

NEXT_STEPS = """\
Next, as root:
  id {user} || useradd --system --home-dir {directory} --shell /usr/sbin/nologin {user}
  systemctl daemon-reload
  install -d -o {user} -g {group} -m 700 {directory}
  runuser -u {user} -- {program} --config {config} db upgrade
  systemctl enable --now helpdesk-daemon helpdesk-web
"""


@click.command(name="install-services")
@click.option("--print", "is_print", is_flag=True, help="Print the units (the default).")
@click.option("--write", "folder", type=click.Path(file_okay=False, exists=True, path_type=Path))
@click.option("--nginx", "nginx_file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--user", default="helpdesk", show_default=True, help="Who runs both services.")
@click.option("--group", default="", help="Their group; by default named as the user.")
@click.option("--program", type=click.Path(path_type=Path), help="The `helpdesk` command of the services.")
@click.option("--force", is_flag=True, help="Replace files that differ.")
@click.pass_obj
@plain_errors
def install_services(
    path: Path,
    *,
    is_print: bool,
    folder: Path | None,
    nginx_file: Path | None,
    force: bool,
    **given: str,
) -> None:
    """Print the units of systemd, or write them into a folder such as /etc/systemd/system.

    --nginx writes the example for nginx into a file.
    """
    if is_print and (folder or nginx_file):
        raise click.UsageError("--print writes nothing: leave --write and --nginx out")
    program = Path(given["program"]).absolute() if given["program"] else None
    place = install.installation(path, given["user"], given["group"] or given["user"], program)
    units = {name: install.unit(name, place) for name in install.UNITS}
    if folder is None and nginx_file is None:
        for name, text in {**units, install.NGINX: install.nginx(place)}.items():
            click.echo(f"# {name}\n{text}")
    written = install.write(folder, units, force=force) if folder else []
    if nginx_file:
        written += install.write(nginx_file.parent, {nginx_file.name: install.nginx(place)}, force=force)
    for file in written:
        click.echo(f"wrote {file}")
    _tell(place)


def _tell(place: install.Installation) -> None:
    for key in install.unseen(place):
        click.echo(
            f"{key}: services do not see variables of your shell, nor files by a path that is not full: "
            "put the secret into a file of root, and name it by its full path",
            err=True,
        )
    told = {name: getattr(place, name) for name in ("user", "group", "directory", "program", "config")}
    click.echo(NEXT_STEPS.format(**told), err=True)
