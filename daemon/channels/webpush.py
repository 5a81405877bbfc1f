"""Web Push (RFC 8030, 8291, 8292) to the services of the browsers' makers."""

import base64
import hashlib
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict

from daemon.channel import SHORT_LIVED, DeliveryFailed, Device, Outcome, Parcel, Surroundings
from daemon.clients.push_endpoint import PushServices
from daemon.clients.retry import asked_s
from daemon.clients.settings import LaxPath
from daemon.options import ChannelOptions

if TYPE_CHECKING:
    from daemon.clients.push import Message
    from daemon.clients.push_answer import Answer
    from daemon.clients.resolving import Resolve

KEY_FILE = "vapid.pem"
LONGEST_PLAIN = 3_993  # of 4,096 bytes, what encryption leaves
# What is tried again is shorter: some services take less than the standard asks of them.
LONGEST_AGAIN = 2_000
LONGEST_TITLE, LONGEST_SUBJECT = 300, 600
_LONGEST_CHARACTER = 6  # bytes that JSON makes of one at most
HURRIED = frozenset({"mention", "assigned", "call", "test"})
UNHURRIED = frozenset({"attachment_added", "updated"})
_CONTACT = re.compile(r"mailto:[^@\s]+@[\w-]+(\.[\w-]+)+|https://[\w-]+(\.[\w-]+)+", re.ASCII)


def _contact(text: str) -> str:
    if text and not _CONTACT.fullmatch(text):
        raise ValueError("must be mailto: with an address, or https:// with a host and nothing more")
    return text


class Options(ChannelOptions, PushServices):
    """The `[channel.webpush]` table.

    `contact` is whom a push service may turn to. `private_key_file` is made where it does not exist;
    several daemons need the same one. `ca_file` is of a private authority of one's own service.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)

    contact: Annotated[str, AfterValidator(_contact)] = ""
    private_key_file: LaxPath | None = None
    ca_file: LaxPath | None = None


class Channel:
    """Sends one message to one browser at a time."""

    def __init__(
        self, options: Options, surroundings: Surroundings, *, resolve: "Resolve | None" = None
    ) -> None:
        from daemon import vapid
        from daemon.clients.push import PushClient

        self._options = options
        self._surroundings = surroundings
        key = vapid.read_or_make(key_file(options, surroundings.directory))
        self.public_key = vapid.public_key(key)
        contact = options.contact or default_contact(surroundings.public_url)
        self._client = PushClient(options, key, contact, options.ca_file, resolve)

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Send one parcel. Raises DeliveryFailed."""
        from daemon.clients.push import Unusable

        [parcel] = parcels
        device = parcel.device
        if device is None:
            raise DeliveryFailed("there is no browser to send it to", "failed")
        message = self._message(parcel)
        timeout_s = self._options.timeout_s
        try:
            answer = self._client.send(device.endpoint, device.p256dh, device.auth, message, timeout_s)
        except Unusable as e:
            raise DeliveryFailed(str(e), "failed") from e
        except TimeoutError as e:
            raise DeliveryFailed(f"{_host(device)} did not answer within {timeout_s:g} s", "retry") from e
        except OSError as e:
            raise DeliveryFailed(f"{_host(device)} cannot be reached: {_reason(e)}", "retry") from e
        self._judge(device, answer)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _message(self, parcel: Parcel) -> "Message":
        from daemon.clients.push import Message

        return Message(
            payload=payload(
                parcel, self._surroundings, LONGEST_PLAIN if parcel.attempt == 1 else LONGEST_AGAIN
            ),
            ttl_s=round(SHORT_LIVED.get(parcel.news.type, self._options.expires_h * 3600)),
            urgency=urgency(parcel),
            topic=topic(parcel.news.thread),
        )

    def _judge(self, device: Device, answer: "Answer") -> None:
        """Turn what a service answered into what is to be done. Raises DeliveryFailed unless it was taken."""
        status = answer.status_code
        if 200 <= status < 300:
            return
        outcome = outcome_of(status)
        if outcome == "misconfigured":
            self._client.forget_signature(device.endpoint)
        asked = asked_s(answer.headers) if outcome == "retry" else None
        text = f"{_host(device)} answered {status}{_said(answer.text, device)}"
        raise DeliveryFailed(f"{text}: {_MEANING[outcome]}", outcome, asked)


_MEANING = {
    "gone": "this browser is not subscribed any more",
    "misconfigured": "it refuses our key (see `helpdesk vapid`) or our contact",
    "retry": "it cannot take the message now",
    "failed": "it does not take this message",
}


def key_file(options: Options, directory: Path) -> Path:
    """Return where the key pair is, or will be."""
    return options.private_key_file or directory / KEY_FILE


def outcome_of(status: int) -> Outcome:
    """Say what becomes of a message that was answered with this status, which is none of success.

    406 is how Windows' service says 429. A redirect is never followed: it might lead anywhere.
    """
    if status in {404, 410}:
        return "gone"
    if status in {401, 403}:
        return "misconfigured"
    if status in {406, 408, 413, 425, 429} or status >= 500:
        return "retry"
    return "failed"


def payload(parcel: Parcel, surroundings: Surroundings, longest: int) -> bytes:
    """Write what the service worker gets, at most so many bytes: texts are cut, never names or numbers."""
    from daemon.clients.push import encoded

    news = parcel.news
    content: dict[str, Any] = {
        "v": 1,
        "id": news.id,
        "type": news.type,
        "url": surroundings.link(news).removeprefix(surroundings.public_url),
        "tag": news.thread,
        "issue_id": news.issue_id,
        "unread": parcel.unread,
        "receipt": parcel.receipt,
        "at": f"{news.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "lang": parcel.recipient.language,
        "urgent": news.is_urgent,
        "title": cut(news.title, LONGEST_TITLE),
        "subject": cut(news.subject, LONGEST_SUBJECT),
        "message": "",
    }
    content["message"] = cut(news.message, longest - len(encoded(content)))
    return encoded(content)


def cut(text: str, longest: int) -> str:
    """Shorten a text to so many bytes as they stand in the payload."""
    if len(text) * _LONGEST_CHARACTER <= longest or _size(text) <= longest:
        return text
    low, high = 0, min(len(text), max(longest, 0))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(text[:middle] + "…") <= longest else (low, middle - 1)
    return text[:low].rstrip() + "…" if low else ""


def _size(text: str) -> int:
    from daemon.clients.push import encoded

    return len(encoded({"": text})) - len(encoded({"": ""}))


def urgency(parcel: Parcel) -> str:
    """Return how soon a sleeping phone is to be woken."""
    if parcel.news.is_urgent or parcel.news.type in HURRIED:
        return "high"
    return "low" if parcel.news.type in UNHURRIED else "normal"


def topic(thread: str) -> str:
    """Return what a newer message about the same thing replaces an older one by: 32 characters at most."""
    return base64.urlsafe_b64encode(hashlib.sha256(thread.encode()).digest())[:32].decode()


def default_contact(public_url: str) -> str:
    """Return whom push services may turn to where nobody says: the site, else its machine's postmaster."""
    parts = urlsplit(public_url)
    if parts.scheme == "https" and _CONTACT.fullmatch(f"https://{parts.hostname}"):
        return f"https://{parts.hostname}"
    name = socket.gethostname()
    return f"mailto:helpdesk@{name if '.' in name else 'localhost.localdomain'}"


def _host(device: Device) -> str:
    return urlsplit(device.endpoint).hostname or ""


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__)[:200]


def _said(text: str, device: Device) -> str:
    """Quote a little of an answer, without the address: who knows it can send to this browser."""
    path = urlsplit(device.endpoint).path
    line = " ".join(text.replace(device.endpoint, "…").replace(path, "…").split())[:120]
    return f" ({line})" if line.isprintable() and line else ""
