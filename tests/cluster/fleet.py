"""PostgreSQL, Redis, two daemons, two viewers and nginx on one machine, as on several.

The processes share what machines would share: the configuration, the secrets and the two servers. Each has a
state directory of its own, so nothing reaches another through a file by chance.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

import requests
import sqlalchemy as sa

from storage import migrate, users
from storage.models import JobState, Notification, User
from storage.session import Database
from storage.settings import StorageSettings
from tests.cluster.nginx import Nginx
from tests.cluster.process import Process
from tests.cluster.reader import Reader
from tests.services.postgres import OWNER, Cluster
from tests.services.processes import free_port, private_folder
from tests.services.redis_server import RedisServer
from tests.web.house import cheap_hash, password_of

KEY = "HELPDESK_TEST_REDMINE_KEY"
NAME = "helpdesk"
CONFIG = """\
[storage]
url = "{database}"
[redmine]
url = "{redmine}"
api_key_env = "{key}"
[daemon]
lease_s = {lease_s}
log_style = "json"
[web]
log_style = "json"
secret_key_file = "{folder}/secret_key"
trusted_proxies = ["127.0.0.1"]
[auth]
backends = ["local"]
limiter_url = "{redis}"
failures_per_address = "1000 per minute"
[channel.webpush]
private_key_file = "{folder}/vapid.pem"
[job.redmine]
source = "redmine"
every_s = 1.0
[job.redmine.options]
overlap_s = {overlap_s}
batch = 10
[job.reconcile]
source = "redmine_reconcile"
every_s = 3.0
[job.reconcile.options]
overlap_s = {overlap_s}
issues = 10
people = 2
"""


class Fleet:
    """All of it. Use from one thread that lives as long as the fleet."""

    def __init__(
        self, folder: Path, redmine: str, key: str, *, lease_s: float = 10, overlap_s: float = 10
    ) -> None:
        self.folder = folder
        self._key = key
        self.postgres = Cluster(private_folder(folder / "postgres"))
        self.postgres.create()
        self.postgres.start()
        self.postgres.psql(f"create role {OWNER} login password '{OWNER}'")
        self.postgres.psql(f"create database {NAME} owner {OWNER}")
        self.redis = RedisServer(private_folder(folder / "redis"))
        own = folder / "helpdesk"
        own.mkdir(mode=0o700)
        self.config = own / "scheduler.toml"
        url = f"postgresql+psycopg://{self.postgres.dsn(NAME)}"
        self.config.write_text(
            CONFIG.format(
                database=url,
                redmine=redmine,
                key=KEY,
                lease_s=lease_s,
                folder=own,
                redis=self.redis.url,
                overlap_s=overlap_s,
            )
        )
        self.database = Database(StorageSettings(directory=own / "observer", url=url))
        migrate.upgrade(self.database)
        ports = [free_port(), free_port()]
        self.viewer_urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.viewers = [self._viewer(number, port) for number, port in enumerate(ports, 1)]
        self.daemons = [self._daemon(number) for number in (1, 2)]
        self.nginx = Nginx(folder / "nginx", ports)

    @property
    def url(self) -> str:
        """Where people go: nginx."""
        return self.nginx.url

    def _viewer(self, number: int, port: int) -> Process:
        own = {"HELPDESK_WEB__PORT": str(port)}
        return self._process(f"viewer{number}", ["web", "--config", str(self.config)], own)

    def _daemon(self, number: int) -> Process:
        return self._process(f"daemon{number}", ["daemon", "--config", str(self.config), "daemon"], {})

    def _process(self, name: str, module: list[str], own: dict[str, str]) -> Process:
        folder = self.config.parent
        environ = {KEY: self._key, "HELPDESK_STORAGE__DIRECTORY": str(folder / name), **own}
        return Process(name, module, environ, folder / f"{name}.log")

    def add_people(self, people: Iterable[tuple[str, int]], role: str = "user") -> None:
        """Make these people (log-in, id in Redmine) users; their password is `password_of` them."""
        with self.database.write() as session:
            for login, number in people:
                named = {"username": login, "redmine_login": login, "id_redmine_user": number}
                known = {"password_hash": cheap_hash(password_of(login)), "language": "en", "role": role}
                users.add(session, User(**named, **known))

    def start(self) -> Self:
        """Start daemons and viewers, and wait until one daemon leads and every viewer serves."""
        for process in (*self.viewers, *self.daemons):
            process.start()
        for number, viewer in enumerate(self.viewers):
            viewer.wait_ready(lambda: self.is_well(number))  # noqa: B023
        for daemon in self.daemons:
            daemon.wait_ready(lambda: daemon.events("daemon_started"))  # noqa: B023
        self.daemons[0].wait_ready(lambda: self.leader() is not None)
        return self

    def tend(self) -> list[Process]:
        """Start again what has ended, as systemd does; return it. Who starts and finds no database ends."""
        ended = [process for process in (*self.daemons, *self.viewers) if not process.is_running()]
        for process in ended:
            process.start()
        return ended

    def is_well(self, number: int) -> bool:
        """Say whether this viewer answers that all is well."""
        try:
            return requests.get(f"{self.viewer_urls[number]}/healthz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def leader(self) -> Process | None:
        """Return the daemon whose name is in the lease's row, None where that is nobody's who runs."""
        with self.database.read() as session:
            owner = session.scalar(sa.select(JobState.lease_owner).where(JobState.name == "@daemon")) or "::"
        return next((d for d in self.daemons if d.is_running() and f":{d.pid}:" in owner), None)

    def standby(self) -> Process:
        """Return a daemon that runs and does not lead."""
        return next(d for d in self.daemons if d.is_running() and d is not self.leader())

    def told(self) -> list[tuple[str, str]]:
        """Return (change key, log-in) of every notification that somebody is shown, by id."""
        query = sa.select(Notification.change_key, User.username).join(User, User.id == Notification.user_id)
        with self.database.read() as session:
            rows = session.execute(query.where(Notification.withdrawn_at.is_(None)).order_by(Notification.id))
            return [(key, login) for key, login in rows]

    def shown_to(self, login: str) -> list[int]:
        """Return the ids of what one person is shown, ascending."""
        query = sa.select(Notification.id).join(User, User.id == Notification.user_id)
        shown = query.where(User.username == login, Notification.withdrawn_at.is_(None))
        with self.database.read() as session:
            return list(session.scalars(shown.order_by(Notification.id)))

    def cursor(self) -> dict[str, object] | None:
        """Return where the poll stands."""
        with self.database.read() as session:
            return session.scalar(sa.select(JobState.cursor).where(JobState.name == "redmine"))

    def has_baseline(self) -> bool:
        """Whether the first run is over."""
        cursor = self.cursor()
        return cursor is not None and cursor["next_id"] is None

    def log_in(self, login: str, url: str = "") -> requests.Session:
        """Return a session of this user, through nginx unless a viewer is named; writes carry the token."""
        session = requests.Session()
        session.trust_env = False
        form = {"username": login, "password": password_of(login)}
        answer = session.post(f"{url or self.url}/users/login", json=form, timeout=30)
        assert answer.status_code == 200, answer.text
        session.headers["X-CSRFToken"] = answer.json()["csrf_token"]
        return session

    def reader(self, login: str, url: str = "") -> Reader:
        """Return an open page of somebody, still to be connected: through nginx unless a viewer is named."""
        session = self.log_in(login, url)
        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
        return Reader(url or self.url, cookie, last=0, login=login)

    def kill_redis(self) -> None:
        """End Redis as a crash would."""
        self.redis.kill()

    def restart_redis(self) -> None:
        """Start Redis again where it was; it remembers nothing."""
        self.redis = RedisServer(self.folder / "redis", self.redis.port)

    def story(self) -> str:
        """Return the ends of all logs."""
        return "\n".join(f"--- {p.name}\n{p.log_tail()}" for p in (*self.daemons, *self.viewers))

    def close(self) -> None:
        """End everything."""
        for process in (*self.daemons, *self.viewers):
            process.stop()
        self.database.dispose()
        self.nginx.stop()
        self.redis.stop()
        self.postgres.stop()
