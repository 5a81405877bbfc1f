"""Mails by SMTP: one for each notification, or one for all that a person gathered."""

import os
import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from daemon.channel import DeliveryFailed, Parcel, Surroundings
from daemon.clients.settings import SettingsError
from daemon.mail.addresses import named_address
from daemon.mail.letters import Letterhead, digest, letter
from daemon.mail.post import Post, Security, Server
from daemon.options import ChannelOptions

PORTS = {"tls": 465, "starttls": 587, "none": 25}
LaxPath = Annotated[Path, Field(strict=False)]


class Options(ChannelOptions):
    """The `[channel.email]` table.

    `security` is "starttls", "tls" from the first byte, or "none": that only on this machine, unless
    `allow_plain` says that the way to the server is safe by other means. Without `ca_file` the system's
    authorities are trusted; `helo` is the name by which we introduce ourselves.
    """

    host: str = ""
    port: int | None = Field(default=None, ge=1, le=65_535)
    security: Security = "starttls"
    allow_plain: bool = False
    username: str = ""
    password_env: str | None = Field(default=None, min_length=1)
    password_file: LaxPath | None = None
    ca_file: LaxPath | None = None
    sender: str = ""
    reply_to: str = ""
    helo: str = ""
    parallel: int = Field(default=4, ge=1, le=64)
    expires_h: float = Field(default=72.0, ge=0.1, le=24 * 28)

    @field_validator("sender", "reply_to")
    @classmethod
    def _address(cls, text: str) -> str:
        if text:
            named_address(text)
        return text

    @field_validator("host", "helo")
    @classmethod
    def _name(cls, text: str) -> str:
        if any(c.isspace() or not c.isprintable() or c in "/@" for c in text):
            raise ValueError("must be the name of a machine, such as mail.example.com")
        return text

    @field_validator("ca_file")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError("must be the path of an existing PEM file with the CA's certificate")
        return path

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.enabled:
            return self
        if not self.host or not self.sender:
            raise ValueError("host and sender must say which server takes our mails and who they are from")
        if self.password_env is not None and self.password_file is not None:
            raise ValueError("password_env and password_file are both set: keep one of them")
        if bool(self.username) != bool(self.password_env or self.password_file):
            raise ValueError("username and password_env (or password_file) go together: set both or none")
        if self.security == "none" and not (self.allow_plain or _is_loopback(self.host)):
            raise ValueError(
                'security = "none" would show mails and passwords to everybody on the way: choose "starttls" '
                'or "tls", or say allow_plain = true where the way to the server is safe by other means'
            )
        return self

    def server(self) -> Server:
        """Return where mails go. Raises SettingsError where a secret or a certificate is missing."""
        return Server(
            host=self.host.strip("[]"),
            port=self.port or PORTS[self.security],
            security=self.security,
            context=None if self.security == "none" else _context(self.ca_file),
            username=self.username,
            password=self._password() if self.username else SecretStr(""),
            helo=self.helo or _own_name(),
        )

    def _password(self) -> SecretStr:
        if self.password_file is not None:
            place = f"the file {self.password_file} named by password_file"
            try:
                text = self.password_file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as e:
                raise SettingsError(f"password_file: {self.password_file} cannot be read: {e}") from e
        else:
            place = f"the environment variable {self.password_env} named by password_env"
            text = os.environ.get(self.password_env or "", "")
        password = text.strip("\r\n")
        if not password:
            raise SettingsError(f"{place} is empty or missing; put the password of {self.username} there")
        return SecretStr(password)


class Channel:
    """Sends mails; used by several threads at once."""

    def __init__(
        self,
        options: Options,
        surroundings: Surroundings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._post = Post(options.server(), options.timeout_s)
        self._now = now
        reply_to = named_address(options.reply_to) if options.reply_to else None
        self._head = Letterhead(named_address(options.sender), reply_to, surroundings)

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Send what is for one person as one mail. Raises DeliveryFailed."""
        write = self._letter if len(parcels) == 1 else self._digest
        try:
            mail = write(parcels)
        except ValueError as e:
            raise DeliveryFailed(str(e), "failed") from e
        recipient = mail["To"].addresses[0].addr_spec
        self._post.deliver(mail, self._head.sender.addr_spec, recipient)

    def close(self) -> None:
        """Let go of connections."""
        self._post.close()

    def _letter(self, parcels: Sequence[Parcel]) -> EmailMessage:
        return letter(parcels[0], self._head, self._now())

    def _digest(self, parcels: Sequence[Parcel]) -> EmailMessage:
        return digest(parcels, self._head, self._now())


def fault(options: Options) -> str:
    """Return why no mail can be handed in, "" where it can. Asks the server."""
    try:
        Post(options.server(), options.timeout_s).check()
    except (SettingsError, DeliveryFailed) as e:
        return str(e)
    return ""


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (ssl.SSLError, OSError) as e:
        raise SettingsError(f"ca_file: {ca_file} holds no certificate that can be used: {e}") from e


def _own_name() -> str:
    """Return the full name of this machine; without one, an address: many servers refuse a short name."""
    name = socket.getfqdn()
    return name if "." in name else "[127.0.0.1]"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
