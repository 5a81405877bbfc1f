"""Passes bytes on between daemon and Redmine and notes when: a parsing proxy would cost too much."""

import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

CHUNK = 1 << 16


@dataclass
class Exchange:
    """One request and its answer: when the answer's last byte was passed on (seconds of time.time)."""

    request: bytes
    answer: bytes = b""
    answered_at: float = 0.0


@dataclass
class Relay:
    """Listens on a free port of 127.0.0.1; what passed is in `exchanges` once the block has ended."""

    target: str
    exchanges: list[Exchange] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        address = urlsplit(self.target)
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed: the block has ended
            server = socket.create_connection((address.hostname, address.port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """Copy requests here and answers on a thread of their own; one request at a time is under way."""
        open_exchanges: list[Exchange] = []
        back = threading.Thread(target=self._answers, args=(server, client, open_exchanges), daemon=True)
        back.start()
        while chunk := _received(client):
            last = open_exchanges[-1] if open_exchanges else None
            if last is None or last.answer:
                last = Exchange(b"")
                open_exchanges.append(last)
                self.exchanges.append(last)
            last.request += chunk
            server.sendall(chunk)
        server.close()

    def _answers(self, server: socket.socket, client: socket.socket, exchanges: list[Exchange]) -> None:
        while chunk := _received(server):
            client.sendall(chunk)
            exchanges[-1].answer += chunk
            exchanges[-1].answered_at = time.time()
        client.close()


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(CHUNK)
    except OSError:
        return b""  # the other side is gone
