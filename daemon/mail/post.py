"""Hands mails to an SMTP server: connections kept and used again, a deadline for each mail in all.

A socket's time-out only bounds the silence between two packets, so every read asks how much of the mail's
time is left: a server that drips its answer holds nobody up.
"""

import io
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Literal

from pydantic import SecretStr

from daemon.clients import resolving
from daemon.mail.failures import connect_failure, send_failure

Security = Literal["tls", "starttls", "none"]

IDLE_S = 30.0  # servers close what is silent for long
MAILS = 50  # over one connection: many servers take no more than a hundred
SPARE = 4  # idle connections kept
_ERRORS = (OSError, smtplib.SMTPException, UnicodeError, ValueError)


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails are handed in, and as whom. `context` is None where the connection is not encrypted."""

    host: str
    port: int
    security: Security
    context: ssl.SSLContext | None
    username: str
    password: SecretStr
    helo: str


class Post:
    """Hands mails in; used by several threads at once."""

    def __init__(self, server: Server, timeout_s: float) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._idle: list[Session] = []
        self._lock = threading.Lock()

    def deliver(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Hand in one mail. Raises DeliveryFailed."""
        until = time.monotonic() + self._timeout_s
        with self._session(until) as session:
            try:
                session.send_message(message, sender, [recipient])
            except _ERRORS as e:
                raise send_failure(e) from e

    def check(self) -> None:
        """Connect and log in, and send nothing. Raises DeliveryFailed."""
        with self._session(time.monotonic() + self._timeout_s):
            pass
        self.close()

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.leave()

    @contextmanager
    def _session(self, until: float) -> Iterator["Session"]:
        """Lend a connection, kept afterwards unless something failed."""
        session = self._kept(until) or self._opened(until)
        with ExitStack() as undo:
            undo.callback(session.close)
            yield session
            undo.pop_all()
        self._keep(session)

    def _opened(self, until: float) -> "Session":
        session = Session(self._server, until)
        try:
            session.open()
        except _ERRORS as e:
            session.close()
            raise connect_failure(e) from e
        return session

    def _kept(self, until: float) -> "Session | None":
        """Return a connection from before that still answers."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                session = self._idle.pop()
            session.until = until
            if session.is_alive():
                return session
            session.close()

    def _keep(self, session: "Session") -> None:
        session.mails += 1
        session.used_at = time.monotonic()
        with self._lock:
            stale = [s for s in self._idle if s.used_at < session.used_at - IDLE_S]
            self._idle = [s for s in self._idle if s not in stale]
            if session.mails < MAILS and len(self._idle) < SPARE:
                self._idle.append(session)
            else:
                stale.append(session)
        for old in stale:
            old.leave()


class Session(smtplib.SMTP):
    """One connection, each of whose steps ends at `until` (of the monotonic clock) at the latest."""

    def __init__(self, server: Server, until: float) -> None:
        super().__init__(local_hostname=server.helo, timeout=1)  # without a host it does not connect yet
        self.until = until
        self.mails = 0
        self.used_at = time.monotonic()
        self._server = server

    def open(self) -> None:
        """Connect, encrypt and log in. Raises what smtplib, ssl and the network raise."""
        server = self._server
        self._host = server.host  # the name that a certificate must bear
        self.timeout = self._left()
        code, text = self.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        code, text = self.ehlo()
        if 400 <= code < 500:  # else smtplib would go on as with a server that knows nothing
            raise smtplib.SMTPHeloError(code, text)
        if server.security == "starttls":
            self.starttls(context=server.context)
            self.ehlo()
        if server.username:
            self.login(server.username, server.password.get_secret_value())

    def is_alive(self) -> bool:
        """Ask whether the other end is still there."""
        if time.monotonic() - self.used_at > IDLE_S:
            return False
        try:
            return self.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def leave(self) -> None:
        """Say good-bye as far as the other end listens."""
        self.until = time.monotonic() + 1
        try:
            self.quit()
        except (OSError, smtplib.SMTPException):
            self.close()

    def send(self, s: Any) -> None:
        """Send, for no longer than is left."""
        if self.sock is not None:
            self.sock.settimeout(self._left())
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Read an answer, for no longer than is left."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Reader(self))
        return super().getreply()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002
        """Try each address of the server, all of them together for no longer than is left."""
        failure: OSError | None = None
        for _, address in resolving.addresses(host, port, self._left()):
            try:
                plain = socket.create_connection((str(address[0]), int(address[1])), self._left())
            except OSError as e:
                failure = e
                continue
            return self._encrypted(plain)
        raise failure or OSError(f"{host} has no address")

    def _encrypted(self, plain: socket.socket) -> socket.socket:
        if self._server.security != "tls" or self._server.context is None:
            return plain
        with ExitStack() as undo:
            undo.callback(plain.close)
            plain.settimeout(self._left())
            secured = self._server.context.wrap_socket(plain, server_hostname=self._server.host)
            undo.pop_all()
        return secured

    def _left(self) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the mail's time is used up")
        return left


class _Reader(io.RawIOBase):
    """Reads what a session's server answers."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        sock = self._session.sock
        if sock is None:
            return 0
        sock.settimeout(self._session._left())  # noqa: SLF001 - a part of it
        return sock.recv_into(buffer)
