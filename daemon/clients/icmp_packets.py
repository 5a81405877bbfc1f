"""Pure: what is written into an echo request, and what of an incoming packet is about one of ours."""

import ipaddress
import struct
from dataclasses import dataclass
from typing import Literal

TOKEN_BYTES = 8
PAYLOAD_BYTES = 56  # as ping and fping send
_PADDING = b"\0" * (PAYLOAD_BYTES - TOKEN_BYTES - 4)

Family = Literal[4, 6]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are in the packets of one family: offsets in bytes, and numbers of ICMP types."""

    echo_request: int
    echo_reply: int
    refusals: tuple[int, ...]  # unreachable, time exceeded
    header: int  # of the least IP header
    destination: slice  # in the IP header


LAYOUTS: dict[Family, Layout] = {
    4: Layout(8, 0, (3, 11), 20, slice(16, 20)),
    6: Layout(128, 129, (1, 3), 40, slice(24, 40)),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The echo that came back: its identifier, sequence and payload."""

    id: int
    sequence: int
    token: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A router says that an echo of ours, to this destination, did not get there."""

    id: int
    sequence: int
    destination: str


def payload(token: bytes, number: int) -> bytes:
    """Return the payload of the echo with this number; the token makes it ours."""
    return token + struct.pack("!I", number) + _PADDING


def parse(family: Family, packet: bytes, *, has_header: bool) -> Answer | Refusal | None:
    """Return what a received packet says; None for what is no answer to an echo, or torn."""
    layout = LAYOUTS[family]
    body = packet[_header_bytes(family, packet) :] if has_header else packet
    if len(body) < 8:
        return None
    if body[0] == layout.echo_reply and body[1] == 0:
        return _answer(body)
    return _refusal(family, layout, body[8:]) if body[0] in layout.refusals else None


def _answer(body: bytes) -> Answer | None:
    if len(body) < 8 + TOKEN_BYTES + 4:
        return None
    echo_id, sequence = struct.unpack("!2H", body[4:8])
    [number] = struct.unpack("!I", body[8 + TOKEN_BYTES : 12 + TOKEN_BYTES])
    return Answer(echo_id, sequence, body[8 : 8 + TOKEN_BYTES], number)


def _refusal(family: Family, layout: Layout, quoted: bytes) -> Refusal | None:
    """Read the beginning of our own packet, which a router quotes: IP header and 8 bytes at least."""
    if len(quoted) < layout.header:
        return None
    echo = quoted[_header_bytes(family, quoted) :]
    if len(echo) < 8 or echo[0] != layout.echo_request:
        return None
    echo_id, sequence = struct.unpack("!2H", echo[4:8])
    return Refusal(echo_id, sequence, str(ipaddress.ip_address(quoted[layout.destination])))


def _header_bytes(family: Family, packet: bytes) -> int:
    """Return how long the IP header is: of IPv4 it says so itself."""
    return (packet[0] & 0x0F) * 4 if family == 4 and packet else LAYOUTS[family].header
