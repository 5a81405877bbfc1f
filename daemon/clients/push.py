"""Sends one message by Web Push: encrypts it for the browser, signs it for the service, posts it."""

import json
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from http_ece import ECEException  # type: ignore[import-untyped]
from py_vapid import Vapid02, VapidException
from pywebpush import WebPusher, WebPushException

from daemon.clients.push_answer import Answer
from daemon.clients.push_endpoint import PushServices, check_endpoint, decode_key, origin
from daemon.clients.push_transport import GuardedPoster
from daemon.clients.resolving import Resolve

# A signature is good for 12 hours, and used for 11. Apple refuses more than 24.
_SIGNED_S = 12 * 3600
_REUSED_S = 11 * 3600
_REMEMBERED = 1024  # decoded subscriptions: about a kilobyte each


class Unusable(Exception):
    """The subscription cannot be sent to, however often it is tried."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `topic` is replaced by the next message of the same topic, at most 32 characters."""

    payload: bytes
    ttl_s: int
    urgency: str
    topic: str


class PushClient:
    """Sends to many browsers, from several threads at once.

    `send` raises Unusable; OSError where no answer came.
    """

    def __init__(
        self,
        services: PushServices,
        vapid: Vapid02,
        contact: str,
        ca_file: Path | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._services = services
        self._vapid = vapid
        self._contact = contact
        self._poster = GuardedPoster(services, ca_file, resolve)
        self._made = lru_cache(_REMEMBERED)(self._make)
        self._signed: dict[str, tuple[float, dict[str, str]]] = {}  # by origin: until when, and what

    def send(self, endpoint: str, p256dh: str, auth: str, message: Message, timeout_s: float) -> Answer:
        """Send a message to one browser and return what its service answered."""
        pusher = self._pusher(endpoint, p256dh, auth)
        headers = self._signature(origin(endpoint)) | {
            "Urgency": message.urgency,
            "Topic": message.topic,
            "Content-Type": "application/octet-stream",
        }
        try:
            answer: Any = pusher.send(message.payload, headers, ttl=message.ttl_s, timeout=timeout_s)
        except OSError:
            raise  # before what is ours: a certificate that is refused is a ValueError, too
        except (WebPushException, ECEException, ValueError, IndexError, TypeError) as e:
            raise Unusable(f"the message cannot be encrypted for this browser ({type(e).__name__})") from e
        return cast("Answer", answer)

    def forget_signature(self, endpoint: str) -> None:
        """Sign anew for this service, which has refused us."""
        self._signed.pop(origin(endpoint), None)

    def close(self) -> None:
        """Let go of connections."""
        self._poster.close()

    def _pusher(self, endpoint: str, p256dh: str, auth: str) -> WebPusher:
        try:
            return self._made(endpoint, p256dh, auth)
        except (ValueError, WebPushException) as e:
            raise Unusable(f"the subscription is not usable: {e}") from e

    def _make(self, endpoint: str, p256dh: str, auth: str) -> WebPusher:
        """Decode and check a subscription; what comes of it holds no state."""
        check_endpoint(endpoint, self._services.services, self._services.extra_origins)
        decode_key(p256dh, "p256dh")
        decode_key(auth, "auth")
        info = {"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}}
        return WebPusher(info, requests_session=cast("Any", self._poster))

    def _signature(self, audience: str) -> dict[str, str]:
        now = time.time()
        until, headers = self._signed.get(audience, (0.0, {}))
        # A clock that was set back must not make one last for longer.
        if not now < until <= now + _REUSED_S:
            claims = {"aud": audience, "exp": int(now) + _SIGNED_S, "sub": self._contact}
            try:
                headers = dict(self._vapid.sign(claims))  # type: ignore[no-untyped-call]
            except VapidException as e:
                raise Unusable(f"the message cannot be signed: {e}") from e
            self._signed[audience] = (now + _REUSED_S, headers)
        return headers


def encoded(payload: dict[str, Any]) -> bytes:
    """Write a payload in as few bytes as can be; halves of characters become question marks."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
