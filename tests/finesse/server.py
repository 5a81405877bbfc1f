"""A Finesse on loopback: HTTPS, basic authentication, XML in every shape, and whatever goes wrong."""

import base64
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from daemon.clients.finesse_settings import FinesseSettings
from tests.channels.certificates import Authority

API = "/finesse/api"
ACCOUNT = ("boss", "пароль: 1")
NOT_YOURS = (
    "<ApiErrors><ApiError><ErrorData>1001</ErrorData><ErrorMessage>The user specified in the "
    "authentication credentials and the uri don't match</ErrorMessage>"
    "<ErrorType>Invalid Authorization User Specified</ErrorType></ApiError></ApiErrors>"
)
OUT_OF_SERVICE = (
    "<ApiErrors><ApiError><ErrorType>Service Unavailable</ErrorType><ErrorMessage>"
    "SERVER_OUT_OF_SERVICE</ErrorMessage><ErrorData/></ApiError></ApiErrors>"
)
NOT_FOUND = (
    "<ApiErrors><ApiError><ErrorType>Not Found</ErrorType><ErrorMessage>"
    "UserResource [User ID] 1001</ErrorMessage></ApiError></ApiErrors>"
)
HTML_401 = "<html><head><title>401</title></head><body><h1>HTTP Status 401 - <br></h1></body></html>"
Behaviour = Callable[["Handler"], None]


class FinesseUnderTest(ThreadingHTTPServer):
    """One node. `texts` are answers by path below the API; `behaviours` say otherwise."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.account = ACCOUNT
        self.texts: dict[str, str] = {}
        self.behaviours: dict[str, Behaviour] = {}
        self.asked: Counter[str] = Counter()
        self.at_once: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.released = threading.Event()  # lets go of those that stall
        self.arrived = threading.Event()
        self.lock = threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.server_address[1]}"

    def has_agent(self, login: str, *dialogs: str, extension: str = "", **how: str) -> None:
        """Let there be an agent with these dialogs; `teams` are those they supervise, as XML."""
        teams = how.get("teams", "")
        role = "<role>Supervisor</role>" if teams else ""
        self.texts[f"/User/{login}"] = (
            f"<User><roles><role>Agent</role>{role}</roles><loginId>{login}</loginId>"
            f"<firstName>{how.get('first', '')}</firstName><lastName>{how.get('last', '')}</lastName>"
            f"<extension>{extension or login}</extension><state>READY</state><teams>{teams}</teams></User>"
        )
        self.texts[f"/User/{login}/Dialogs"] = f"<Dialogs>{''.join(dialogs)}</Dialogs>"

    def has_team(self, team_id: str, name: str, *users: str) -> None:
        """Let there be a team of these agents, as XML."""
        self.texts[f"/Team/{team_id}"] = (
            f"<Team><uri>{API}/Team/{team_id}</uri><id>{team_id}</id><name>{escape(name)}</name>"
            f"<users>{''.join(users)}</users></Team>"
        )

    def misbehaves(self, behaviour: Behaviour, *paths: str) -> None:
        """Answer this way from now on, to everything where no path is named."""
        self.behaviours = dict.fromkeys(paths or ("*",), behaviour)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what these tests are about."""

    def close(self) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: FinesseUnderTest

    def do_GET(self) -> None:
        path = self.path.removeprefix(API)
        server = self.server
        with server.lock:
            server.asked[path] += 1
            server.at_once[path] += 1
            server.most_at_once[path] = max(server.most_at_once[path], server.at_once[path])
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
        server.arrived.set()
        try:
            behaviour = server.behaviours.get(path) or server.behaviours.get("*") or self._usual
            behaviour(self)
        finally:
            with server.lock:
                server.at_once[path] -= 1

    def _usual(self, _: "Handler") -> None:
        wanted = base64.b64encode(":".join(self.server.account).encode()).decode()
        if self.headers["Authorization"] != f"Basic {wanted}":
            self.answer(401, HTML_401, "text/html")
            return
        text = self.server.texts.get(self.path.removeprefix(API))
        self.answer(404, NOT_FOUND) if text is None else self.answer(200, text)

    def answer(self, status: int, text: str | bytes, kind: str = "application/xml", **headers: str) -> None:
        body = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def settings_of(
    node: FinesseUnderTest, authority: Authority, folder: Path, **changed: Any
) -> FinesseSettings:
    """Return settings of this node, with the password in a file."""
    password = folder / "finesse.password"
    password.write_text(ACCOUNT[1])
    given = {"urls": (node.url,), "username": ACCOUNT[0], "password_file": password}
    return FinesseSettings(**{**given, "ca_file": authority.ca_file, **changed})


def says(status: int, text: str | bytes, kind: str = "application/xml", **headers: str) -> Behaviour:
    return lambda handler: handler.answer(status, text, kind, **headers)


def stalls(handler: Handler) -> None:
    handler.server.released.wait(30)
    handler.close_connection = True


def drips(handler: Handler) -> None:
    """Send an endless header, a byte at a time, quicker than any read would time out."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not handler.server.released.wait(0.1):
        handler.wfile.write(b"x")


def floods(handler: Handler) -> None:
    """Send spaces without end."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/xml")
    handler.end_headers()
    while not handler.server.released.is_set():
        handler.wfile.write(b" " * 65536)


def hangs_up(handler: Handler) -> None:
    handler.close_connection = True
