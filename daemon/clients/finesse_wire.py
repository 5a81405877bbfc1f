"""Requests to the nodes of Finesse: the first that is well answers; others are left alone for a while."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import requests
import structlog
from requests import PreparedRequest, Response
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError

from daemon.clients.deadline import BoundedAdapter, limited
from daemon.clients.errors import SourceError, SourceUnavailable, WrongAnswer
from daemon.clients.finesse_errors import AccountRefused, Faulty, error_of
from daemon.clients.finesse_settings import PATH, FinesseSettings

LONGEST_ANSWER = 4 * 1024 * 1024
# "Retry after several seconds" says a node that is out of service; then with doubling pauses.
FIRST_REST_S = 5.0
LONGEST_REST_S = 60.0
# A wrong password tried every few seconds would lock the account, for everything that uses it.
FIRST_ACCOUNT_REST_S = 300.0
LONGEST_ACCOUNT_REST_S = 3600.0
_CHUNK = 64 * 1024

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Resting:
    """A node that failed: until when it is left alone, and why."""

    until: float = 0.0
    pause_s: float = 0.0
    error: SourceError | None = None


class FinesseWire:
    """What all questions share: connections, the account, and how the nodes do. `clock` counts pauses."""

    def __init__(self, settings: FinesseSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._auth = HTTPBasicAuth(*settings.credentials())
        self._verify = True if settings.ca_file is None else str(settings.ca_file)
        self._adapter = BoundedAdapter(pool_connections=len(settings.urls), pool_maxsize=settings.connections)
        self._lock = threading.Lock()
        self._proving = threading.Lock()
        self._is_proven = False
        self._nodes = {url: Resting() for url in settings.urls}
        self._account = Resting()
        self.requests_made = 0

    def close(self) -> None:
        """Close idle connections."""
        self._adapter.close()

    def get(self, path: str) -> bytes:
        """Return the body of a 200 below `/finesse/api`. Raises SourceError.

        Each node that is left gets its share of the time. Only where a node is out of service or cannot be
        reached the next one is asked: what one refuses, the other refuses, too.
        """
        until = time.monotonic() + self._settings.deadline_s
        if self._is_proven:
            return self._get(path, until)
        # One at a time until the password turned out right: many at once with a wrong one lock the account.
        if not self._proving.acquire(timeout=self._settings.deadline_s):
            raise SourceUnavailable("Finesse has not answered yet.")
        try:
            return self._get(path, until)
        finally:
            self._proving.release()

    def _get(self, path: str, until: float) -> bytes:
        self._check_account()
        fault: SourceError | None = None
        nodes = [url for url in self._settings.urls if self._nodes[url].until <= self._clock()]
        for number, url in enumerate(nodes):
            share_s = (until - time.monotonic()) / (len(nodes) - number)
            try:
                body = self._ask(url, path, share_s)
            except Faulty as e:
                fault = e
            except SourceUnavailable as e:
                self._rest(url, e)
            else:
                self._nodes[url] = Resting()
                self._is_proven, self._account = True, Resting()
                return body
        raise fault or self._nobody_answers()

    def _ask(self, url: str, path: str, share_s: float) -> bytes:
        until = time.monotonic() + share_s
        request = self._request(url + PATH + path)
        with self._lock:
            self.requests_made += 1
        try:
            with limited(lambda: until - time.monotonic()):
                response = self._adapter.send(
                    request, stream=True, timeout=(share_s, share_s), verify=self._verify
                )
                with closing(response):
                    body = _body(path, response)
        except (OSError, HTTPError) as e:
            raise SourceUnavailable(f"{url}: {_reason(e)}") from e
        if response.status_code == requests.codes.ok:
            return body
        error = error_of(f"GET {path}", response, body)
        if isinstance(error, AccountRefused):
            pause_s = min(max(self._account.pause_s * 2, FIRST_ACCOUNT_REST_S), LONGEST_ACCOUNT_REST_S)
            self._is_proven, self._account = False, Resting(self._clock() + pause_s, pause_s, error)
        raise error

    def _request(self, url: str) -> PreparedRequest:
        # Without a session: no cookies, no .netrc, no proxy, no redirect. `identity`: no packed bombs.
        headers = {"Accept": "application/xml", "Accept-Encoding": "identity", "User-Agent": "helpdesk"}
        return requests.Request("GET", url, headers=headers, auth=self._auth).prepare()

    def _rest(self, url: str, error: SourceUnavailable) -> None:
        if self._nodes[url].until > self._clock():
            return  # another question found it out at the same time
        pause_s = min(max(self._nodes[url].pause_s * 2, FIRST_REST_S), LONGEST_REST_S)
        pause_s = max(pause_s, min(error.retry_after_s or 0, LONGEST_REST_S))
        self._nodes[url] = Resting(self._clock() + pause_s, pause_s, error)
        log.warning("finesse_node_left_alone", node=url, pause_s=pause_s, error=str(error))

    def _check_account(self) -> None:
        if self._account.error is not None and self._account.until > self._clock():
            raise self._account.error

    def _nobody_answers(self) -> SourceUnavailable:
        resting = self._nodes.values()
        again_s = max(1.0, min(node.until for node in resting) - self._clock())
        reasons = "; ".join(str(node.error) for node in resting if node.error)
        return SourceUnavailable(f"no node of Finesse answers: {reasons}", retry_after_s=again_s)


def _body(path: str, response: Response) -> bytes:
    """Read an answer as it came over the line, and no more than that."""
    body = b""
    for piece in response.raw.stream(_CHUNK, decode_content=False):
        body += piece
        if len(body) > LONGEST_ANSWER:
            raise WrongAnswer(f"GET {path}: the answer is over {LONGEST_ANSWER} bytes. Is this Finesse?")
    return body


def _reason(error: Exception) -> str:
    root: BaseException = error
    while (cause := root.__cause__ or root.__context__) is not None:
        root = cause
    if isinstance(error, requests.exceptions.SSLError):
        return f"TLS failed ({root}). Name the node as its certificate does, and its CA in ca_file."
    if isinstance(error, requests.Timeout) or isinstance(root, TimeoutError):
        return "no whole answer in time."
    return f"no connection, or it broke ({root})."
