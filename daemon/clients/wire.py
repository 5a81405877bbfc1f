"""Requests to Redmine with patience: time-outs, a deadline, retries, and caps on size and concurrency."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass

import structlog
from requests import PreparedRequest, Response
from urllib3.exceptions import HTTPError

from daemon.clients.deadline import BoundedAdapter, Remaining, limited
from daemon.clients.errors import SourceUnavailable, WrongAnswer
from daemon.clients.retry import Outcome, may_repeat, pause_s
from daemon.clients.settings import RedmineSettings
from daemon.clients.transfer import Outgoing, Transfers
from daemon.clients.trouble import name_of, translated

# The largest honest answer measured is 0.1 MB; a long description's old and new text in each of hundreds
# of journals could make tens of MB.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Where time and chance come from, so that tests need not wait for either."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    rng: Callable[[], float] = random.random


class Wire:
    """What all clients of one Redmine share: connections, the count of requests, patience."""

    def __init__(self, settings: RedmineSettings, timing: Timing) -> None:
        self._settings = settings
        self._timing = timing
        self._verify = True if settings.ca_file is None else str(settings.ca_file)
        self._adapter = BoundedAdapter(pool_connections=1, pool_maxsize=settings.connections)
        self._free = threading.BoundedSemaphore(settings.connections)
        self._transfers = Transfers(settings, self._verify, timing.clock)
        self._counting = threading.Lock()
        self._requests_made = 0

    @property
    def requests_made(self) -> int:
        """HTTP requests sent so far, each retry counted."""
        return self._requests_made

    def close(self) -> None:
        """Close idle connections; a later call opens new ones."""
        self._adapter.close()
        self._transfers.close()

    def transfer(
        self, request: PreparedRequest, outgoing: Outgoing | None = None
    ) -> AbstractContextManager[tuple[Response, Iterator[bytes]]]:
        """Send or fetch a file, once: see `Transfers.open`."""
        with self._counting:
            self._requests_made += 1
        return self._transfers.open(request, outgoing)

    def send(self, request: PreparedRequest) -> Response:
        """Send, again where allowed, until an answer of whatever status is there; its body is read.

        Raises SourceUnavailable when retries or deadline are used up without an answer, WrongAnswer when
        the answer is too large or cannot be unpacked.
        """
        until = self._timing.clock() + self._settings.deadline_s
        attempt = 0
        while True:
            outcome = self._attempt(request, lambda: until - self._timing.clock())
            if attempt == self._settings.retries or not may_repeat(request.method or "", outcome):
                break
            pause = pause_s(outcome, attempt, self._timing.rng)
            if pause >= until - self._timing.clock():
                break
            attempt += 1
            log.info("redmine_request_retried", request=name_of(request), attempt=attempt, pause_s=pause)
            self._timing.sleep(pause)
        if isinstance(outcome, Response):
            return outcome
        late = self._timing.clock() >= until
        raise translated(outcome, request, self._settings, late=late) from outcome

    def _attempt(self, request: PreparedRequest, remaining: Remaining) -> Outcome:
        with self._free_connection(request, remaining), limited(remaining):
            with self._counting:
                self._requests_made += 1
            try:
                # Not through Session.send: it would read a redirect's body unbounded and keep cookies, in
                # which Redmine 5.0 stores the last query.
                response = self._adapter.send(
                    request, stream=True, timeout=self._timeouts(remaining), verify=self._verify
                )
                return self._with_body(response)
            except (OSError, HTTPError) as e:
                return e

    @contextmanager
    def _free_connection(self, request: PreparedRequest, remaining: Remaining) -> Iterator[None]:
        left = remaining()
        if left <= 0 or not self._free.acquire(timeout=left):
            raise SourceUnavailable(
                f"{name_of(request)}: all {self._settings.connections} connections were busy for "
                f"{self._settings.deadline_s:g} s. Redmine is slow or its connections setting too low."
            )
        try:
            yield
        finally:
            self._free.release()

    def _timeouts(self, remaining: Remaining) -> tuple[float, float]:
        left = max(remaining(), 0.001)
        return min(left, self._settings.connect_timeout_s), min(left, self._settings.read_timeout_s)

    def _with_body(self, response: Response) -> Response:
        chunks = []
        size = 0
        with closing(response):
            for chunk in response.iter_content(_CHUNK_BYTES):
                size += len(chunk)
                if size > MAX_ANSWER_BYTES:
                    raise WrongAnswer(
                        f"{name_of(response.request)}: the answer is over {MAX_ANSWER_BYTES} bytes. "
                        "Check that the address is Redmine's."
                    )
                chunks.append(chunk)
        response._content = b"".join(chunks)  # noqa: SLF001  requests offers no capped read
        return response
