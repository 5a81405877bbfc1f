"""Files on their way to and from Redmine: streamed, never whole in memory, each step bounded in time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from requests import PreparedRequest, Response
from urllib3.exceptions import HTTPError

from daemon.clients.deadline import BoundedAdapter, limited
from daemon.clients.errors import SourceUnavailable
from daemon.clients.settings import RedmineSettings
from daemon.clients.trouble import name_of, translated

PIECE_BYTES = 64 * 1024
# Files take as long as those who send or fetch them: they have connections of their own, so that a few slow
# people do not keep everybody else from Redmine.
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file to be sent: `size` in bytes, read from where it stands."""

    file: BinaryIO
    size: int


class Patience:
    """How long the next step may still take."""

    def __init__(self, clock: Callable[[], float], each_s: float) -> None:
        self._clock = clock
        self._each_s = each_s
        self.renew()

    def renew(self) -> None:
        self._until = self._clock() + self._each_s

    def left(self) -> float:
        return self._until - self._clock()


class Transfers:
    """The connections for files of one Redmine."""

    def __init__(
        self, settings: RedmineSettings, verify: bool | str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._verify = verify
        self._clock = clock
        self._adapter = BoundedAdapter(pool_connections=1, pool_maxsize=AT_ONCE)
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def close(self) -> None:
        self._adapter.close()

    @contextmanager
    def open(
        self, request: PreparedRequest, outgoing: Outgoing | None = None
    ) -> Iterator[tuple[Response, Iterator[bytes]]]:
        """Send once; give the answer's head, and its body piece by piece.

        Not the whole is bounded but each step: the head and every piece must come within the read time-out.
        Raises SourceUnavailable, also while the pieces are read.
        """
        if not self._free.acquire(timeout=self._settings.connect_timeout_s):
            raise SourceUnavailable(f"{name_of(request)}: {AT_ONCE} files are under way already.")
        patience = Patience(self._clock, self._settings.read_timeout_s)
        try:
            if outgoing is not None:
                request.prepare_body(_Body(outgoing, patience), None)
            with limited(patience.left):
                response = self._sent(request)
            with closing(response):
                yield response, self._pieces(response, patience)
        finally:
            self._free.release()

    def _sent(self, request: PreparedRequest) -> Response:
        limits = (self._settings.connect_timeout_s, self._settings.read_timeout_s)
        try:
            return self._adapter.send(request, stream=True, timeout=limits, verify=self._verify)
        except (OSError, HTTPError) as e:
            raise translated(e, request, self._settings, late=False) from e

    def _pieces(self, response: Response, patience: Patience) -> Iterator[bytes]:
        pieces = response.iter_content(PIECE_BYTES)
        while True:
            patience.renew()  # what the reader of the last piece took does not count
            try:
                piece = next(pieces, b"")
            except (OSError, HTTPError) as e:
                raise translated(e, response.request, self._settings, late=False) from e
            if not piece:
                return
            yield piece


class _Body:
    """A file as requests sends one, a block at a time, with its length told beforehand."""

    def __init__(self, outgoing: Outgoing, patience: Patience) -> None:
        self._file = outgoing.file
        self._left = outgoing.size
        self._patience = patience
        self.len = outgoing.size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(PIECE_BYTES):
            yield piece

    def read(self, size: int = PIECE_BYTES) -> bytes:
        self._patience.renew()
        piece = self._file.read(min(size, self._left))
        self._left -= len(piece)
        return piece
