"""Reads a push service's answer from its connection: so much of it, for so long, and no more."""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from httptools import HttpParserError, HttpResponseParser
from requests.structures import CaseInsensitiveDict

LONGEST_ANSWER = 4096
LONGEST_HEAD = 65_536
_PIECE = 16_384


class BadAnswer(OSError):
    """What came is no answer, or not all of one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered, its body as far as it is read at all."""

    status_code: int
    headers: Mapping[str, str]
    text: str


def read_answer(sock: socket.socket, until: float) -> tuple[Answer, bool]:
    """Return the answer, and whether the connection can be used again. `until` is monotonic.

    Raises ConnectionResetError where nothing came, BadAnswer where that was no answer, TimeoutError.
    """
    reading = _Reading()
    while not reading.is_enough:
        sock.settimeout(left(until))
        data = sock.recv(_PIECE)
        if not data:
            reading.ended()
            break
        reading.feed(data)
    return reading.answer(), reading.is_reusable


def left(until: float) -> float:
    """Return the seconds until then. Raises TimeoutError where there are none."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the time for this message is used up")
    return seconds


class _Reading:
    """What has come so far; the parser calls its `on_` methods."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._size = 0
        self._status = 0  # none before the head is complete
        self._headers: list[tuple[str, str]] = []
        self._body = bytearray()
        self._is_complete = False
        self._has_more = False
        self._stays_open = False

    @property
    def is_enough(self) -> bool:
        return self._is_complete or len(self._body) >= LONGEST_ANSWER

    @property
    def is_reusable(self) -> bool:
        return self._is_complete and self._stays_open and not self._has_more

    def feed(self, data: bytes) -> None:
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserError as e:
            raise BadAnswer(f"it does not speak HTTP ({e})") from e
        if not self._status and self._size > LONGEST_HEAD:
            raise BadAnswer("the head of its answer has no end")

    def ended(self) -> None:
        """The service has closed the connection; what counts is known once the head is there."""
        if not self._size:
            raise ConnectionResetError("closed the connection without an answer")
        if not self._status:
            raise BadAnswer("closed the connection in the middle of its answer")

    def answer(self) -> Answer:
        text = self._body[:LONGEST_ANSWER].decode("utf-8", "replace")
        return Answer(self._status, CaseInsensitiveDict(self._headers), text)

    def on_message_begin(self) -> None:
        self._has_more = self._is_complete

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_complete:
            self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # only says that the answer is on its way
            self._headers.clear()
        elif not self._is_complete:
            self._status = status

    def on_body(self, body: bytes) -> None:
        if not self._is_complete:
            self._body += body

    def on_message_complete(self) -> None:
        if self._status and not self._is_complete:
            self._is_complete = True
            self._stays_open = self._parser.should_keep_alive()  # known at this moment only
