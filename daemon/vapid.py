"""The key pair by which push services know this installation (VAPID, RFC 8292).

Browsers subscribe for the public key: with another one, none of them can be reached until its page is opened.
So the key is made once and never overwritten by itself.
"""

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from daemon.clients.settings import SettingsError

FILE = "vapid.pem"


def read_or_make(path: Path) -> Vapid02:
    """Return the key pair, made where there is none yet. Raises SettingsError."""
    try:
        if not path.exists():  # where it exists, its folder may be one that nobody can write
            make(path)
    except FileExistsError:
        pass  # made by another process a moment ago
    except OSError as e:
        raise SettingsError(f"{path}: cannot make the key of Web Push: {e.strerror}") from e
    return read(path)


def read(path: Path) -> Vapid02:
    """Return the key pair of a file. Raises SettingsError, which says what to do."""
    try:
        pem = path.read_bytes()
        # What systemd hands over is the service's own, whatever the mode of a list of rights looks like.
        allowed = 0o070 if str(path.parent) == os.environ.get("CREDENTIALS_DIRECTORY") else 0
        is_open = path.stat().st_mode & 0o077 & ~allowed
    except OSError as e:
        raise SettingsError(f"{path}: cannot read the key of Web Push: {e.strerror}") from e
    if is_open:
        raise SettingsError(f"{path}: others may read the key of Web Push: run chmod 600 on it")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as e:
        raise SettingsError(f"{path}: holds no private key in PEM: make one with `helpdesk vapid`") from e
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SettingsError(
            f"{path}: Web Push wants a key of the curve P-256: make one with `helpdesk vapid`"
        )
    return Vapid02(key)  # type: ignore[no-untyped-call]


def make(path: Path) -> None:
    """Write a new key pair. Raises FileExistsError where there is one: it is never overwritten here."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    whole = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
    descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        os.link(whole, path)  # whole or not at all, and only where there is none
    finally:
        whole.unlink()


def replace(path: Path) -> None:
    """Write a new key pair in place of the one there is."""
    path.unlink(missing_ok=True)
    make(path)


def public_key(vapid: Vapid02) -> str:
    """Return the public key as a page subscribes for it: base64url without padding, 87 characters."""
    point = vapid.public_key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
