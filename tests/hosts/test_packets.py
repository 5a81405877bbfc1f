"""What of a packet is an answer to one of our echoes."""

import struct
from typing import Any

import pytest

from daemon.clients.icmp_packets import PAYLOAD_BYTES, Answer, Refusal, parse, payload

TOKEN = b"12345678"
PAYLOAD = payload(TOKEN, 70_000)
IPV4 = b"\x45" + bytes(11) + bytes([10, 0, 0, 254]) + bytes([10, 0, 0, 1])
LONG_IPV4 = b"\x46" + IPV4[1:] + bytes(4)  # with options
IPV6 = b"\x60" + bytes(23) + bytes.fromhex("fd78" + "00" * 13 + "09")


def echo(kind: int, code: int = 0) -> bytes:
    return struct.pack("!BBHHH", kind, code, 0, 7, 4464) + PAYLOAD


def refusal(kind: int, ip: bytes, request: int) -> bytes:
    return struct.pack("!BBHI", kind, 1, 0, 0) + ip + echo(request)[:8]


ANSWER = Answer(7, 4464, TOKEN, 70_000)
CASES: list[tuple[str, Any, bytes, bool, object]] = [
    ("reply", 4, IPV4 + echo(0), True, ANSWER),
    ("reply-with-options", 4, LONG_IPV4 + echo(0), True, ANSWER),
    ("reply-to-datagram-socket", 4, echo(0), False, ANSWER),
    ("reply-6", 6, echo(129), False, ANSWER),
    ("our-own-request", 4, IPV4 + echo(8), True, None),
    ("reply-with-a-code", 4, IPV4 + echo(0, 1), True, None),
    ("unreachable", 4, IPV4 + refusal(3, IPV4, 8), True, Refusal(7, 4464, "10.0.0.1")),
    ("time-exceeded", 4, IPV4 + refusal(11, LONG_IPV4, 8), True, Refusal(7, 4464, "10.0.0.1")),
    ("unreachable-6", 6, refusal(1, IPV6, 128), False, Refusal(7, 4464, "fd78::9")),
    ("unreachable-of-something-else", 4, IPV4 + refusal(3, IPV4, 0), True, None),
    ("redirect", 4, IPV4 + refusal(5, IPV4, 8), True, None),
    ("torn-quote", 4, IPV4 + refusal(3, IPV4, 8)[:20], True, None),
    ("torn-echo", 4, IPV4 + refusal(3, IPV4, 8)[:-1], True, None),
    ("short-payload", 4, IPV4 + echo(0)[:15], True, None),
    ("header-only", 4, IPV4, True, None),
    ("nothing", 4, b"", True, None),
    ("nothing-6", 6, b"", False, None),
]


@pytest.mark.parametrize(
    ("family", "packet", "has_header", "found"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_packets(family: Any, packet: bytes, has_header: bool, found: object) -> None:
    assert parse(family, packet, has_header=has_header) == found


def test_an_echo_is_as_long_as_that_of_ping() -> None:
    assert len(PAYLOAD) == PAYLOAD_BYTES == 56
