"""A listener on loopback that does to a driver what databases in trouble do."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Deed = Callable[[socket.socket, threading.Event], None]


def refuse(code: int) -> Deed:
    """Answer the first packet as Oracle's listener does: TNS REFUSE with an error's number."""

    def deed(line: socket.socket, _over: threading.Event) -> None:
        line.recv(4096)
        text = f"(DESCRIPTION=(TMP=)(VSNNUM=0)(ERR={code})(ERROR_STACK=(ERROR=(CODE={code})(EMFI=4))))"
        body = bytes(2) + len(text).to_bytes(2, "big") + text.encode()
        line.sendall((8 + len(body)).to_bytes(2, "big") + bytes([0, 0, 4, 0, 0, 0]) + body)

    return deed


def stall(_line: socket.socket, over: threading.Event) -> None:
    """Accept, and say nothing."""
    over.wait(60)


def trickle(line: socket.socket, over: threading.Event) -> None:
    """Send a byte of an endless packet now and then."""
    line.recv(4096)
    line.sendall(b"\x20\x00\x00\x00\x02\x00\x00\x00")
    while not over.wait(0.1):
        line.sendall(b"\x00")


def cut(line: socket.socket, _over: threading.Event) -> None:
    """Hang up at once."""
    line.close()


def noise(line: socket.socket, _over: threading.Event) -> None:
    """Speak another protocol."""
    line.recv(4096)
    line.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" * 5)


@contextmanager
def listening(deed: Deed, address: str = "127.0.0.1") -> Iterator[int]:
    """Do this to everybody who connects; give the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.create_server((address, 0), family=family)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                line, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=_safely, args=(deed, line, over), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(server.getsockname()[1])
    finally:
        over.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def _safely(deed: Deed, line: socket.socket, over: threading.Event) -> None:
    try:
        deed(line, over)
    except OSError:
        return
    finally:
        line.close()
