"""Daemon and viewer on one machine: starts both, restarts the one that dies, stops both."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import click
import structlog
from werkzeug.security import generate_password_hash

from daemon import people
from daemon.config import Config, load
from storage import logs, migrate, users
from storage.configuration import read_tables
from storage.models import Post
from storage.session import Database

log = structlog.get_logger()

STOP_S = 10.0
LONG_ENOUGH_S = 30.0
LONGEST_PAUSE_S = 30.0
DEMO_KEY = "HELPDESK_DEMO_KEY"
DEMO_POSTS = (
    (
        "Переезд склада на новый адрес",
        (
            "С понедельника склад работает по новому адресу: **ул. Заводская, 12**.\n\n"
            "- приём заявок с 8:00 до 18:00;\n- пропуска заказывайте накануне до 16:00."
        ),
    ),
    (
        "Добро пожаловать",
        (
            "Это демонстрация: Redmine внутри придуман, и его люди всё время что-то меняют.\n\n"
            "1. Откройте **Мои задачи** и измените статус.\n"
            "2. Загляните на **Доску** и перетащите карточку.\n"
            "3. Следите за **Уведомлениями**: они приходят сами."
        ),
    ),
)
DEMO_USER = DEMO_PASSWORD = "demo"  # noqa: S105 - of made-up data
DEMO_JOBS = (
    '{redmine = {source = "redmine", every_s = 1}, reconcile = {source = "redmine_reconcile", every_s = 30},'
    ' reminders = {source = "redmine_reminders", every_s = 60}, erp = {source = "erp", every_s = 5}}'
)


@dataclass(slots=True)
class Child:
    """One of the two processes."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_s: float = 0.0
    start_at: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only us and we stop it in order."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(self.command, start_new_session=True)  # noqa: S603 - ourselves

    def plan_restart(self) -> None:
        """Start again at once, or after a doubling pause where it dies young."""
        lived_s = time.monotonic() - self.started_at
        self.pause_s = 0.0 if lived_s > LONG_ENOUGH_S else min(max(1.0, self.pause_s * 2), LONGEST_PAUSE_S)
        self.start_at = time.monotonic() + self.pause_s
        self.process = None


def run_all(config: Config, *, demo: bool) -> int:
    """Run both processes until a signal; return the exit code."""
    logs.configure(config.daemon.log_level, config.daemon.log_style)
    with _demo(config) if demo else nullcontext():
        config = load(config.path)
        database = Database(config.storage)
        migrate.upgrade(database)
        if demo:
            _add_demo_user(config, database)
        database.dispose()
        _announce(config, demo=demo)
        return _supervise([Child(name, _command(config, name)) for name in ("daemon", "web")])


def _command(config: Config, name: str) -> list[str]:
    return [sys.executable, "-m", "daemon", "--config", str(config.path), name]


def _supervise(children: list[Child]) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    code = 0
    while not stop.wait(0.2):
        for child in children:
            if child.process is None and time.monotonic() >= child.start_at:
                child.start()
            ended = child.process.poll() if child.process else None
            if ended == 2:  # a configuration that it refuses: it has said why
                code = 2
                stop.set()
            elif ended is not None:
                log.warning("process_ended", process=child.name, code=ended)
                child.plan_restart()
    _stop(children)
    return code


def _stop(children: list[Child]) -> None:
    for child in children:
        if child.process is not None:
            child.process.terminate()
    deadline = time.monotonic() + STOP_S
    for child in children:
        if child.process is not None:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()


@contextmanager
def _demo(config: Config) -> Iterator[None]:
    """Run the demo's Redmine and ERP inside this process, and point the others at them.

    Its world is new at each start, so its database is, too: old cursors would not fit.
    """
    from daemon.demo.life import DemoLife
    from daemon.demo.office import DemoOffice
    from daemon.demo.server import DemoRedmine
    from daemon.demo.world import demo_world

    directory = config.storage.directory / "demo"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, mode=0o700)
    office = DemoOffice(directory / "erp.db")
    with office, DemoRedmine(demo_world()) as server, DemoLife(server):
        os.environ |= {
            DEMO_KEY: server.admin_key,
            "HELPDESK_STORAGE": f"{{directory = {json.dumps(str(directory))}}}",
            "HELPDESK_REDMINE": f'{{url = "{server.url}", api_key_env = "{DEMO_KEY}"}}',
            "HELPDESK_ERP": f"{{url = {json.dumps(office.url)}}}",
            "HELPDESK_JOB": DEMO_JOBS,
        }
        yield


def _add_demo_user(config: Config, database: Database) -> None:
    """Let the demo's person sign in. The data is made up, so the password may be known to all."""
    given = {"username": DEMO_USER, "redmine_login": DEMO_USER, "role": "admin", "language": "ru"}
    people.add(database, config, password=None, full_name="", email="", **given)
    with database.write() as session:
        user = users.by_username(session, DEMO_USER)
        assert user is not None  # noqa: S101 - added above
        user.password_hash = generate_password_hash(DEMO_PASSWORD)
        user.can_access_quality_control = True
        session.add_all(Post(title=title, content=text, author_id=user.id) for title, text in DEMO_POSTS)


def _announce(config: Config, *, demo: bool) -> None:
    """Say where to go and how to sign in."""
    web = read_tables(config.path).get("web", {})
    address = web.get("public_url") or f"http://{web.get('host', '127.0.0.1')}:{web.get('port', 5000)}"
    click.echo(f"\n  helpdesk: {address}/")
    if demo:
        click.echo(f"  user:     {DEMO_USER}\n  password: {DEMO_PASSWORD}")
        click.echo("  (made-up Redmine and ERP that keep changing; put your own address into [redmine])")
    click.echo("")
