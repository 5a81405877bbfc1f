"""Pure: what a browser's push subscription may look like. The address is given by a user, so it is checked.

The viewer checks a subscription when it is made, the daemon again before each message: what is allowed may
have changed since. Where the name leads is checked when it is connected to (`push_transport.py`).
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import AfterValidator, BaseModel, ConfigDict

SERVICES = (
    "fcm.googleapis.com",
    "jmt17.google.com",
    "updates.push.services.mozilla.com",
    "web.push.apple.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
LONGEST = 2048
KeyKind = Literal["p256dh", "auth"]

_LENGTHS: Mapping[str, int] = {"p256dh": 65, "auth": 16}
_PORTS = {"http": 80, "https": 443}
# The last label is no number: 127.1, 0x7f000001 and 2130706433 are addresses, not names.
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9-]{2,63}")
_PATTERN = re.compile(r"\*|(?:\*\.)?" + _NAME.pattern)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def _service(pattern: str) -> str:
    if not _PATTERN.fullmatch(pattern):
        raise ValueError("must be a host such as push.example.com or *.example.com, or * for every host")
    return pattern


def _origin(text: str) -> str:
    parts = _split(text)
    if parts.path or parts.query or origin(text) != text:
        raise ValueError("must be scheme, host and port alone, such as https://push.example.com:8443")
    return text


class PushServices(BaseModel):
    """Which services may be sent to, in the `[channel.webpush]` table.

    `services` are names of hosts, reached by https on port 443 at public addresses only. `extra_origins`
    are exempt from all of that: a company's own service, whose address the operator vouches for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)

    services: tuple[Annotated[str, AfterValidator(_service)], ...] = SERVICES
    extra_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = ()


def push_services(table: Mapping[str, Any]) -> PushServices:
    """Return what a `[channel.webpush]` table says of the services, whatever else it holds."""
    known = {name: table[name] for name in PushServices.model_fields if name in table}
    return PushServices.model_validate(known, strict=False)


def check_endpoint(url: str, services: Iterable[str] = SERVICES, extra_origins: Iterable[str] = ()) -> str:
    """Return the address of a push service as it was given; ValueError where it is not allowed."""
    parts = _split(url)
    if origin(url) in extra_origins:
        return url
    if parts.scheme != "https":
        raise ValueError("the address of a push service begins with https://")
    if parts.port not in {None, 443}:
        raise ValueError("a push service is reached on port 443")
    host = parts.hostname or ""
    if not _NAME.fullmatch(host) or not any(_matches(host, pattern) for pattern in services):
        raise ValueError(f"{host[:100]} is not among the push services that are allowed here")
    return url


@lru_cache(4096)
def origin(url: str) -> str:
    """Return scheme, host and, unless it is the usual one, port of an address, in lower case."""
    parts = _split(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    port = "" if parts.port in {None, _PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{shown}{port}"


def decode_key(text: str, kind: KeyKind) -> bytes:
    """Return a subscription's key from base64 or base64url, padded or not; ValueError where it is none."""
    return _decoded(text, kind)


@lru_cache(4096)
def _decoded(text: str, kind: KeyKind) -> bytes:
    if not _BASE64.fullmatch(text) or len(text) > 255:
        raise ValueError(f"{kind} is not base64")
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        key = base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error as e:
        raise ValueError(f"{kind} is not base64") from e
    if len(key) != _LENGTHS[kind]:
        raise ValueError(f"{kind} has {len(key)} bytes, not {_LENGTHS[kind]}")
    if kind == "p256dh":
        _require_point(key)
    return key


def _require_point(key: bytes) -> None:
    """See that it is an uncompressed point of the curve: with another, every encryption would fail."""
    if key[0] != 4:
        raise ValueError("p256dh is not a point written in full")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    except ValueError as e:
        raise ValueError("p256dh is not a point of the curve P-256") from e


def _matches(host: str, pattern: str) -> bool:
    return pattern in {"*", host} or (pattern.startswith("*.") and host.endswith(pattern[1:]))


@lru_cache(4096)
def _split(url: str) -> SplitResult:
    """Take an address apart; ValueError for what two parsers might read differently."""
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or set(url) & set(' \\<>"^`{|}'):
        raise ValueError("is not an address")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("is not a full address such as https://push.example.com/1")
    if "@" in parts.netloc or "#" in url:
        raise ValueError("an address with a user or a # part is no push service's")
    if parts.port == 0:  # raises ValueError itself for a port that is no number
        raise ValueError("has a port that does not exist")
    return parts
