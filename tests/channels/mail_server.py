"""A real SMTP server on loopback (aiosmtpd) that refuses, stalls and hangs up where a test says so."""

import asyncio
import email
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "helpdesk", "correct horse battery"
STALL, HANG_UP = "stall", "hang up"  # besides answers such as "550 5.1.1 nobody here"


@dataclass(frozen=True)
class Taken:
    """A mail that was taken, as a program reads it, and its envelope."""

    message: EmailMessage
    sender: str
    recipients: list[str]
    raw: bytes


@dataclass
class Script:
    """What the server says at each step ("EHLO", "MAIL", "RCPT", "DATA", "END"), where it is not all well.

    `only` are the recipients for whom it holds; without them, for all.
    """

    answers: dict[str, str] = field(default_factory=dict)
    only: frozenset[str] = frozenset()
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    arrived: threading.Event = field(default_factory=threading.Event)

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, _e: Envelope, name: str, lines: list[str]
    ) -> Any:
        session.host_name = name
        answer = await self._answer(server, "EHLO")
        return [answer] if answer else lines

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _s: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if answer := await self._answer(server, "MAIL"):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _s: Session, envelope: Envelope, address: str, _o: Any
    ) -> str:
        if (not self.only or address in self.only) and (answer := await self._answer(server, "RCPT")):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _s: Session, envelope: Envelope
    ) -> str:
        raw = cast("bytes", envelope.content)
        message = cast("EmailMessage", email.message_from_bytes(raw, policy=default))
        answer = await self._answer(server, "END")
        if not answer:
            self.taken.append(Taken(message, envelope.mail_from or "", list(envelope.rcpt_tos), raw))
            self.arrived.set()
        return answer or "250 OK"

    async def _answer(self, server: SMTP, step: str) -> str | None:
        answer = self.answers.get(step)
        if answer == STALL:
            await asyncio.Event().wait()
        if answer == HANG_UP:
            assert server.transport is not None
            server.transport.abort()
            await asyncio.Event().wait()
        return answer


class MailServer:
    """Listens at `port` until it is closed. `security` is as in the channel's options."""

    def __init__(self, script: Script, certificate: Path | None, security: str, **options: Any) -> None:
        self._script = script
        self._certificate = certificate
        self._security = security
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._connections: list[SMTP] = []
        self._server = self._run(self._listen())
        self.port = int(self._server.sockets[0].getsockname()[1])

    def drop_connections(self) -> None:
        """Hang up on everybody, as a server does that is restarted or has waited for long."""
        self._run(self._drop())

    def close(self) -> None:
        """Stop."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        context = self._context() if self._security == "tls" else None
        return await self._loop.create_server(self._connection, "127.0.0.1", 0, ssl=context)

    def _connection(self) -> SMTP:
        self._script.connections += 1
        is_starttls = self._security == "starttls"
        given: dict[str, Any] = {
            "tls_context": self._context() if is_starttls else None,
            "require_starttls": is_starttls,
            "auth_require_tls": is_starttls,
            "authenticator": _authenticate,
            "enable_SMTPUTF8": True,
            "timeout": 60,
            "hostname": "mail.example.com",
            "loop": self._loop,
        }
        self._connections.append(SMTP(self._script, **given | self._options))
        return self._connections[-1]

    def _context(self) -> ssl.SSLContext:
        assert self._certificate is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        return context

    async def _drop(self) -> None:
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        await self._drop()
        others = asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self, step: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(step, self._loop).result(10)


def _authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
) -> AuthResult:
    is_right = isinstance(given, LoginPassword) and given == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=is_right)


class RawServer:
    """Speaks whatever a test writes down: `play` is called with each connection in a thread of its own."""

    def __init__(self, play: Callable[[socket.socket, threading.Event], None]) -> None:
        self._play = play
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop."""
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._play(connection, self.stopped)
