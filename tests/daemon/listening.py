"""What systemd hears of a service: the messages on $NOTIFY_SOCKET."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Ear:
    """A datagram socket to which services speak. An `address` that begins with @ is an abstract one."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)

    def listen(self) -> list[str]:
        """Take what was said since the last time, and return it; lines of one message stay together."""
        self._socket.setblocking(False)
        news = []
        while True:
            try:
                news.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                self.heard += news
                return news

    def wait_for(self, word: str, within_s: float) -> str:
        """Return the first message from now on that has this word; AssertionError where none comes."""
        ends = time.monotonic() + within_s
        while (left := ends - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                message = self._socket.recv(4096).decode()
            except TimeoutError:
                break
            self.heard.append(message)
            if word in message:
                return message
        raise AssertionError(f"no {word} within {within_s:g} s; heard: {self.heard[-10:]}")

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


@contextmanager
def listening(folder: Path) -> Iterator[Ear]:
    """Listen at a socket in this folder."""
    ear = Ear(str(folder / "notify"))
    try:
        yield ear
    finally:
        ear.close()
