"""One WebSocket: frames in, frames out, never waiting for the client.

What the client does not take at once waits here and is sent by the hub when there is room again, so that a
slow reader holds up nobody else. A client that lets too much pile up is cut off: it comes back by itself and
is sent what it has missed.
"""

import contextlib
import errno
import socket
import threading
from collections.abc import Callable, Iterator

from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol, Opcode, ParseFailed
from wsproto.utilities import generate_accept_token

CHUNK = 65_536
MOST_WAITING = 8 << 20  # bytes; a replay of 200 long notifications is about 1.5 MB
SWITCH = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: {}\r\n\r\n"
)
GONE = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR}


def accepts(key: str) -> bytes:
    """Return the answer that turns an HTTP connection into a WebSocket."""
    return SWITCH.format(generate_accept_token(key.encode("latin-1")).decode()).encode()


class Wire:
    """The server's end of one WebSocket; any thread may write, only the hub reads."""

    __slots__ = ("_frames", "_is_ending", "_lock", "_parts", "_size", "_sock", "_waiting", "_want", "fileno")

    def __init__(self, sock: socket.socket, want_room: Callable[[int], None]) -> None:
        """Take over a connected socket. `want_room` is asked to call `flush` when bytes can be sent again."""
        sock.setblocking(False)
        self.fileno = sock.fileno()
        self._sock = sock
        self._want = want_room
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._frames = FrameProtocol(client=False, extensions=[])
        self._parts: list[str] = []
        self._size = 0
        self._is_ending = False

    def send(self, text: str) -> None:
        """Send a message, or keep what there is no room for."""
        self.write(_text_frame(text.encode()))

    def write(self, octets: bytes) -> None:
        """Send bytes as they are."""
        with self._lock:
            self._put(octets)

    def flush(self) -> bool:
        """Send what waits; True where nothing is left."""
        with self._lock:
            if self._waiting:
                del self._waiting[: self._send(self._waiting)]
            if not self._waiting and self._is_ending:
                self._half_close()
            return not self._waiting

    def end(self) -> None:
        """Close in good order after what waits; the client's answer, or the hub's patience, ends it."""
        with self._lock:
            self._say_goodbye()
            if not self._waiting:
                self._half_close()

    def cut(self) -> None:
        """Hang up at once; the hub learns of it as of any lost connection."""
        with self._lock:
            self._hang_up()

    def close(self) -> None:
        """Give the descriptor back. Only for the hub, which holds it no longer."""
        with self._lock:
            self._is_ending = True
            self._sock.close()

    def read(self, most: int) -> Iterator[str]:
        """Return the messages that have come; raises OSError where it is over, whoever ended it."""
        octets = self._sock.recv(CHUNK)
        if not octets:
            raise ConnectionResetError
        try:
            self._frames.receive_bytes(octets)
            for frame in self._frames.received_frames():
                yield from self._message(frame, most)
        except ParseFailed as e:
            raise ConnectionAbortedError from e

    def _message(self, frame: Frame, most: int) -> Iterator[str]:
        """Return the message that this frame completes; control frames are answered."""
        if frame.opcode is Opcode.TEXT:
            self._size += len(frame.payload)
            if self._size > most:
                raise ConnectionAbortedError
            self._parts.append(str(frame.payload))
            if frame.message_finished:
                text = "".join(self._parts)
                self._parts, self._size = [], 0
                yield text
        elif frame.opcode is Opcode.PING:
            said = frame.payload if isinstance(frame.payload, bytes | bytearray) else b""
            self.write(bytes(self._frames.pong(said)))
        elif frame.opcode is Opcode.CLOSE:
            with self._lock:
                self._say_goodbye()
            raise ConnectionResetError
        elif frame.opcode is Opcode.BINARY:
            raise ConnectionAbortedError  # we take text only

    def _put(self, octets: bytes) -> None:
        if self._is_ending:
            return
        if not self._waiting:
            octets = octets[self._send(octets) :]
            if not octets:
                return
            self._want(self.fileno)
        self._waiting += octets
        if len(self._waiting) > MOST_WAITING:
            self._hang_up()

    def _say_goodbye(self) -> None:
        """Once only, whoever begins: browsers complain of a second one."""
        self._put(bytes(self._frames.close(CloseReason.NORMAL_CLOSURE)))
        self._is_ending = True

    def _send(self, octets: bytes | bytearray) -> int:
        try:
            return self._sock.send(octets)
        except OSError as e:
            return 0 if e.errno in GONE else len(octets)  # the hub sees that the connection is lost

    def _hang_up(self) -> None:
        self._is_ending = True
        self._waiting.clear()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _half_close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)


def _text_frame(octets: bytes) -> bytes:
    """Return an unmasked, unfragmented text frame."""
    size = len(octets)
    if size < 126:  # RFC 6455, 5.2
        head = bytes((0x81, size))
    elif size < 1 << 16:
        head = b"\x81\x7e" + size.to_bytes(2, "big")
    else:
        head = b"\x81\x7f" + size.to_bytes(8, "big")
    return head + octets
