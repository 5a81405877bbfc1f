"""`helpdesk check` and `helpdesk completion`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from daemon.checks.rows import EXIT_CODES, Row, State, worst

WORDS: dict[State, str] = {"ok": "ok", "off": "-", "warning": "WARN", "fault": "FAIL"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(path: Path, *, as_json: bool) -> None:
    """Look at everything that can be wrong, and say what to do about it.

    The exit code is 0 where all is well, 1 where something is to be looked at, 2 where something is broken.
    """
    from daemon.checks import all_checks

    rows = []
    for row in all_checks(path):
        rows.append(row)
        if not as_json:
            _show(row)
    if as_json:
        state = worst(rows)
        checks = [asdict(row) for row in rows]
        click.echo(json.dumps({"state": state, "checks": checks}, ensure_ascii=False, indent=1))
    sys.exit(EXIT_CODES[worst(rows)])


def _show(row: Row) -> None:
    """Print a line, and below it what to do."""
    click.echo(f"{WORDS[row.state]:5} {row.name:18} {row.found}")
    if row.cure:
        click.echo(f"{'':24} -> {row.cure}")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes `helpdesk` in a shell.

    For bash: helpdesk completion bash > /etc/bash_completion.d/helpdesk
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - one of those that click knows
    script = kind(context.find_root().command, {}, "helpdesk", "_HELPDESK_COMPLETE")
    click.echo(script.source_template % script.source_vars())
