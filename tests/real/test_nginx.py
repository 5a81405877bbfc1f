"""The shipped example for nginx, under the real nginx, before the real viewer."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import socketio
import sqlalchemy as sa
from requests.adapters import HTTPAdapter

from daemon import install
from storage import migrate, notifications, users, wakeup
from storage.models import SignIn, User
from storage.session import Database
from storage.settings import StorageSettings
from tests.channels.certificates import Authority
from tests.services.processes import (
    SYSTEM_PATH,
    Server,
    ServerCommand,
    clean_environment,
    free_port,
    own,
    private_folder,
    wait_until,
)
from tests.services.run import ServiceRun
from tests.web.house import cheap_hash, notification, password_of
from tests.web.served import ServedViewer

pytestmark = pytest.mark.long

MAIN = """\
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/helpdesk.conf;
}}
"""
SOMEBODY = "127.0.0.9"  # another address of this machine: the client's, as the proxy's own is 127.0.0.1


class From(HTTPAdapter):
    """Connects from one of our own addresses."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: object, **options: object) -> None:
        super().init_poolmanager(*args, **options, source_address=(self._address, 0))  # type: ignore[no-untyped-call]


@dataclass
class Front:
    """nginx before a viewer. `url` is what people type, `plain_url` its http side."""

    viewer: ServedViewer
    database: Database
    url: str
    plain_url: str
    ca_file: Path
    error_log: Path

    def session(self, **headers: str) -> requests.Session:
        """Return a client at SOMEBODY that trusts the certificate."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.ca_file)
        session.headers.update(headers)
        for scheme in ("http://", "https://"):
            session.mount(scheme, From(SOMEBODY))
        return session

    def log_in(self, session: requests.Session, url: str = "") -> None:
        """Sign ann in; writes get their token."""
        form = {"username": "ann", "password": password_of("ann")}
        answer = session.post(f"{url or self.url}/users/login", json=form, timeout=30)
        assert answer.status_code == 200, answer.text
        session.headers["X-CSRFToken"] = answer.json()["csrf_token"]

    def addresses(self) -> list[str]:
        """Return where ann signed in from."""
        with self.database.read() as session:
            return list(session.scalars(sa.select(SignIn.address).order_by(SignIn.created_at)))


@pytest.fixture(scope="module")
def front(service_run: ServiceRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    tmp_path, secure, plain = tmp_path_factory.mktemp("front"), free_port(), free_port()
    storage = StorageSettings(directory=tmp_path / "state")
    database = Database(storage)
    migrate.upgrade(database)
    with database.write() as session:
        users.add(session, User(username="ann", password_hash=cheap_hash(password_of("ann")), language="en"))
    folder = private_folder(service_run.folder / f"nginx-{secure}")
    certificates = Authority(folder)
    environ = {
        "HELPDESK_WEB__PUBLIC_URL": f"https://localhost:{secure}",
        "HELPDESK_WEB__TRUSTED_PROXIES": '["127.0.0.1/32"]',
        "HELPDESK_TASKS__MAX_UPLOAD_MB": "1",
    }
    viewer = ServedViewer(storage, tmp_path, environ)
    tables = {"web": {"port": viewer.port, "public_url": environ["HELPDESK_WEB__PUBLIC_URL"]}}
    server = _nginx(folder, certificates, tables | {"tasks": {"max_upload_mb": 1}}, (secure, plain))
    try:
        viewer.start()
        urls = f"https://localhost:{secure}", f"http://localhost:{plain}"
        yield Front(viewer, database, *urls, certificates.ca_file, folder / "error.log")
    finally:
        server.stop()
        viewer.kill()
        database.dispose()
        shutil.rmtree(folder)


def _nginx(folder: Path, authority: Authority, tables: dict[str, object], ports: tuple[int, int]) -> Server:
    """Start the shipped example with nothing but ports and certificate replaced."""
    place = install.Installation("helpdesk", "helpdesk", Path(), Path(), tables, Path("/var/lib/helpdesk"))
    pem = own(authority.issue("localhost"))
    pem.chmod(0o600)
    text = re.sub(r" *listen \[::\][^\n]*\n", "", install.nginx(place))
    text = re.sub(r"(ssl_certificate(_key)?) [^;]+;", rf"\1 {pem};", text)
    text = text.replace("listen 443 ", f"listen {ports[0]} ").replace("listen 80;", f"listen {ports[1]};")
    (folder / "helpdesk.conf").write_text(text)
    main = folder / "nginx.conf"
    main.write_text(MAIN.format(folder=folder))
    options = ("-p", str(folder), "-c", str(main), "-e", str(folder / "error.log"))
    test = subprocess.run(
        ["nginx", *options, "-t"], env={"PATH": SYSTEM_PATH}, capture_output=True, text=True, check=False
    )
    assert test.returncode == 0, test.stderr
    assert "warn" not in test.stderr
    for name in ("error.log", "nginx.pid"):
        (folder / name).unlink(missing_ok=True)
    for made_by_root in folder.iterdir():
        own(made_by_root)
    command = ServerCommand(
        name="nginx",
        argv=("nginx", *options, "-g", "daemon off;"),
        log=folder / "nginx.log",
        env=clean_environment({}, folder),
        cwd=folder,
    )
    return Server(command).wait_ready(lambda: _listens(ports[1]), within_s=15)


def _listens(port: int) -> bool:
    try:
        requests.get(f"http://127.0.0.1:{port}/", timeout=5, allow_redirects=False)
    except requests.ConnectionError:
        return False
    return True


def test_pages_come_over_tls_and_http_leads_there(front: Front) -> None:
    with closing(front.session()) as session:
        moved = session.get(f"{front.plain_url}/users/login?next=%2Fposts", allow_redirects=False, timeout=10)
        assert moved.status_code == 301
        assert moved.headers["Location"] == "https://localhost/users/login?next=%2Fposts"
        page = session.get(f"{front.url}/users/login", timeout=10)
        assert page.status_code == 200
        assert page.headers["Server"].startswith("nginx")
        assert "max-age" in page.headers["Strict-Transport-Security"]
        front.log_in(session)
        assert all(cookie.secure for cookie in session.cookies)
        inbox = session.get(f"{front.url}/tasks/api/notifications", timeout=10)
        assert inbox.json()["notifications"] == []
        # The origin that the viewer compares with is the address that people type, port and all.
        written = session.put(
            f"{front.url}/tasks/api/notifications/read-all", headers={"Origin": front.url}, timeout=10
        )
        assert written.status_code == 200, written.text


def test_the_clients_own_address_is_seen_and_what_it_says_of_itself_is_not(front: Front) -> None:
    lies = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Forwarded-Proto": "http"}
    with closing(front.session(**lies)) as through, closing(front.session(**lies)) as beside:
        front.log_in(through)
        front.log_in(beside, front.viewer.url)  # not from the proxy's address: its headers count for nothing
    assert front.addresses()[-2:] == [SOMEBODY, SOMEBODY]


def test_websockets_pass_and_news_come_through_them(front: Front) -> None:
    with closing(front.session()) as session:
        front.log_in(session)
        cookie = "; ".join(f"{c.name}={c.value}" for c in session.cookies)
    trusting = requests.Session()
    trusting.trust_env = False
    trusting.verify = str(front.ca_file)
    came: list[dict[str, object]] = []
    with closing(trusting):
        client = socketio.Client(http_session=trusting, reconnection=False)
        client.on("new_notification", came.append)
        client.connect(
            front.url, headers={"Cookie": cookie}, transports=["websocket"], auth={"last": 0}, wait_timeout=20
        )
        try:
            with front.database.write() as session_:
                ann = users.by_username(session_, "ann")
                assert ann is not None
                notifications.record(session_, [notification(ann.id, 1)])
            wakeup.send(front.database)
            assert wait_until(lambda: len(came) == 1, within_s=15)
            assert client.transport() == "websocket"
        finally:
            client.disconnect()


@pytest.mark.parametrize("path", ["/tasks/api/task/1/attachments", "/posts"])
def test_more_than_a_file_and_its_form_is_refused_by_nginx(front: Front, path: str) -> None:
    with closing(front.session()) as session:
        front.log_in(session)
        much = session.post(f"{front.url}{path}", data=b"x" * (2 * 1024 * 1024 + 1), timeout=30)
        assert (much.status_code, "nginx" in much.text) == (413, True)
        fits = session.post(f"{front.url}{path}", data=b"x" * (1024 * 1024), timeout=30)
        assert "<center>nginx" not in fits.text  # the viewer itself answered
        # The viewer may hang up on what it has not read to its end. A reading is asked again by nginx, a
        # write of the next test on this connection would be lost.
        assert session.get(f"{front.url}/healthz", timeout=30).status_code == 200


def test_figures_stay_inside(front: Front) -> None:
    with closing(front.session()) as session:
        assert session.get(f"{front.url}/metrics", timeout=10).status_code == 404


def test_times_of_nginx_are_longer_than_those_of_the_viewer() -> None:
    text = install._shipped(install.NGINX)
    sockets = text[text.index("location /socket.io/") :]
    server = socketio.Server(async_mode="threading").eio  # with the times of ours
    quiet_s = int(re.findall(r"proxy_read_timeout (\d+)s", sockets)[0])
    assert quiet_s > server.ping_interval + server.ping_timeout
    assert int(re.findall(r"proxy_read_timeout (\d+)s", text)[0]) > 60


def test_a_viewer_that_is_away_is_a_plain_502(front: Front) -> None:
    front.viewer.kill()
    with closing(front.session()) as session:
        assert session.get(f"{front.url}/healthz", timeout=10).status_code == 502
    front.viewer.start()
