# mypy: allow-untyped-calls
"""Pings many hosts at once with one icmplib socket for each address family.

icmplib's own `multiping` opens a socket for each host, each of which gets every reply, and takes the time
when the event loop wakes up: with many hosts most of the loss it reports is its own.
"""

import contextlib
import ipaddress
import secrets
import selectors
import socket
import statistics
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from icmplib.exceptions import ICMPSocketError, SocketBroadcastError, SocketPermissionError
from icmplib.models import ICMPRequest
from icmplib.sockets import ICMPv4Socket, ICMPv6Socket

from daemon.clients.icmp_packets import TOKEN_BYTES, Answer, Family, parse, payload

RECEIVE_BUFFER = 4 * 1024 * 1024  # bytes; the kernel may allow less
LONGEST_WAIT_S = 0.1  # between two looks at whether to stop
SEND_TIMEOUT_S = 0.5
BURST = 16  # echoes sent late in one go before replies are looked at
# Numbers of Linux that Python has no names for.
SO_RCVBUFFORCE, SO_TIMESTAMPNS, SOL_RAW, ICMP_FILTER, ICMP6_FILTER = 33, 35, 255, 1, 1
IcmpSocket = ICMPv4Socket | ICMPv6Socket
_KINDS: dict[Family, type[ICMPv4Socket] | type[ICMPv6Socket]] = {4: ICMPv4Socket, 6: ICMPv6Socket}


@dataclass(frozen=True, slots=True)
class Pace:
    """How hosts are pinged: so many echoes each, and the pauses between any two and between two of one."""

    echoes: int = 5
    interval_s: float = 0.001
    period_s: float = 0.2
    timeout_s: float = 1.0

    def due_s(self, number: int, hosts: int) -> float:
        """Return when the echo of this number is sent, from the beginning of the sweep."""
        turn, place = divmod(number, hosts)
        return turn * max(self.period_s, hosts * self.interval_s) + place * self.interval_s


@dataclass(slots=True)
class Echoes:
    """What came of the echoes to one address. `problem` is why none came back, a word and its details."""

    sent: int = 0
    rtts_ms: list[float] = field(default_factory=list)
    problem: str = ""

    @property
    def received(self) -> int:
        """How many came back."""
        return len(self.rtts_ms)

    @property
    def median_ms(self) -> float | None:
        """The median round trip time."""
        return statistics.median(self.rtts_ms) if self.rtts_ms else None


@dataclass(slots=True)
class _Sent:
    address: str
    wall_s: float
    mono_s: float
    is_open: bool = True


class Prober:
    """Pings addresses. What it may do is found out once, with the first use of each family."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._modes: dict[Family, bool | None] = {}

    def refusal(self, family: Family) -> str:
        """Return why addresses of this family cannot be pinged, "" where they can."""
        if family not in self._modes:
            self._modes[family] = _mode(family)
        return "" if self._modes[family] is not None else "not_permitted"

    def probe(
        self, addresses: Sequence[str], stop: Callable[[], bool] = lambda: False
    ) -> Mapping[str, Echoes]:
        """Ping numeric addresses; those of a family that may not be used are absent, all where it stopped.

        Blocks for as long as the pace says.
        """
        wanted = [a for a in dict.fromkeys(addresses) if not self.refusal(family_of(a))]
        if not wanted:
            return {}
        with contextlib.ExitStack() as stack:
            sockets = {family: self._open(family, stack) for family in {family_of(a) for a in wanted}}
            sweep = _Sweep(wanted, sockets, self._pace)
            return sweep.echoes if sweep.run(stop) else {}

    def _open(self, family: Family, stack: contextlib.ExitStack) -> IcmpSocket:
        opened: IcmpSocket = stack.enter_context(_KINDS[family](privileged=bool(self._modes[family])))
        _tune(opened, family)
        return opened


class _Sweep:
    """One round over all addresses."""

    def __init__(self, addresses: Sequence[str], sockets: Mapping[Family, IcmpSocket], pace: Pace) -> None:
        self.echoes = {address: Echoes() for address in addresses}
        self._addresses = addresses
        self._sockets = sockets
        self._pace = pace
        self._total = pace.echoes * len(addresses)
        self._token = secrets.token_bytes(TOKEN_BYTES)
        self._first_id = secrets.randbelow(0x10000)
        self._sent: list[_Sent] = []
        self._open_count = 0
        self._selector = selectors.DefaultSelector()
        for family, opened in sockets.items():
            self._selector.register(opened.sock, selectors.EVENT_READ, family)

    def run(self, stop: Callable[[], bool]) -> bool:
        """Send and receive until everything is answered or late; False where it was stopped."""
        began_s = time.monotonic()
        with self._selector:
            while not stop():
                self._send_due(began_s)
                wait_s = self._wait_s(began_s)
                if wait_s is None:
                    return True
                for key, _ in self._selector.select(min(max(wait_s, 0.0), LONGEST_WAIT_S)):
                    self._drain(key.data)
        return False

    def _wait_s(self, began_s: float) -> float | None:
        """Return how long nothing is to be sent, None where all is over."""
        now_s = time.monotonic()
        if len(self._sent) < self._total:
            return began_s + self._due_s() - now_s
        left_s = self._sent[-1].mono_s + self._pace.timeout_s - now_s
        return left_s if self._open_count and left_s > 0 else None

    def _due_s(self) -> float:
        return self._pace.due_s(len(self._sent), len(self._addresses))

    def _send_due(self, began_s: float) -> None:
        for _ in range(BURST):
            if len(self._sent) == self._total or began_s + self._due_s() > time.monotonic():
                return
            self._send()

    def _send(self) -> None:
        number = len(self._sent)
        address = self._addresses[number % len(self._addresses)]
        request = ICMPRequest(
            address,
            id=self._first_id + (number >> 16),
            sequence=number,
            payload=payload(self._token, number),
        )
        sent = _Sent(address, 0.0, time.monotonic())
        self._sent.append(sent)
        self.echoes[address].sent += 1
        try:
            self._sockets[family_of(address)].send(request)
        except (SocketBroadcastError, ICMPSocketError) as e:
            # A broadcast address, a firewall of our own, no route: lost, and known why.
            sent.is_open = False
            self.echoes[address].problem = f"not_sent {_cause(e)}"
            return
        sent.wall_s = request.time
        self._open_count += 1

    def _drain(self, family: Family) -> None:
        opened = self._sockets[family]
        for _ in range(BURST * 4):
            try:
                packet, ancillary, _, source = opened.sock.recvmsg(2048, 128, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                continue  # an error that the kernel reports of an earlier packet
            found = parse(family, packet, has_header=family == 4 and opened.is_privileged)
            if isinstance(found, Answer):
                self._answered(found, source[0], ancillary, is_raw=opened.is_privileged)
            elif found is not None:
                number = ((found.id - self._first_id & 0xFFFF) << 16) | found.sequence
                self._refused(number, found.destination, source[0])

    def _answered(
        self, answer: Answer, source: str, ancillary: list[tuple[int, int, bytes]], *, is_raw: bool
    ) -> None:
        """Note the time of an answer to an echo of this sweep; the kernel has a name of its own for the id
        of sockets that are not raw, and gives us only what is ours."""
        sent = self._sent[answer.number] if answer.number < len(self._sent) else None
        if sent is None or not sent.is_open or answer.token != self._token:
            return
        is_ours = not is_raw or answer.id == (self._first_id + (answer.number >> 16) & 0xFFFF)
        if not is_ours or answer.sequence != answer.number & 0xFFFF or not is_same(source, sent.address):
            return
        self._close(sent)
        rtt_s = _rtt_s(sent, _stamp_s(ancillary))
        if rtt_s <= self._pace.timeout_s:
            self.echoes[sent.address].rtts_ms.append(rtt_s * 1000)

    def _refused(self, number: int, destination: str, router: str) -> None:
        sent = self._sent[number] if number < len(self._sent) else None
        if sent is not None and sent.is_open and is_same(destination, sent.address):
            self._close(sent)
            self.echoes[sent.address].problem = f"refused {router}"

    def _close(self, sent: _Sent) -> None:
        sent.is_open = False
        self._open_count -= 1


def family_of(address: str) -> Family:
    """Return 4 or 6."""
    return 6 if ":" in address else 4


def is_same(one: str, other: str) -> bool:
    """Say whether two numeric addresses are the same, however written; zones do not count."""
    if one == other:
        return True
    first, second = (ipaddress.ip_address(text.partition("%")[0]) for text in (one, other))
    return first == second


def _mode(family: Family) -> bool | None:
    """Return True where raw sockets are allowed, False for the unprivileged kind, None for neither."""
    for is_raw in (True, False):
        with contextlib.suppress(SocketPermissionError, ICMPSocketError):
            _KINDS[family](privileged=is_raw).close()
            return is_raw
    return None


def _tune(opened: IcmpSocket, family: Family) -> None:
    """Ask for the kernel's time stamps and a large buffer, and for nothing that is no answer."""
    for option in (SO_RCVBUFFORCE, socket.SO_RCVBUF):
        with contextlib.suppress(OSError):
            opened.sock.setsockopt(socket.SOL_SOCKET, option, RECEIVE_BUFFER)
            break
    with contextlib.suppress(OSError):
        opened.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    seconds, part = divmod(SEND_TIMEOUT_S, 1)
    timeout = struct.pack("@ll", int(seconds), int(part * 1_000_000))
    opened.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeout)
    if opened.is_privileged:
        with contextlib.suppress(OSError):
            opened.sock.setsockopt(*_filter(family))


def _filter(family: Family) -> tuple[int, int, bytes]:
    """Return the socket option that lets only replies, unreachable and time exceeded through."""
    if family == 4:
        allowed = sum(1 << kind for kind in (0, 3, 11))
        return SOL_RAW, ICMP_FILTER, struct.pack("=I", ~allowed & 0xFFFFFFFF)
    blocked = [0xFFFFFFFF] * 8
    for kind in (1, 3, 129):
        blocked[kind >> 5] &= ~(1 << (kind & 31))
    return socket.IPPROTO_ICMPV6, ICMP6_FILTER, struct.pack("=8I", *blocked)


def _stamp_s(ancillary: list[tuple[int, int, bytes]]) -> float | None:
    """Return when the kernel got a packet, by the wall clock."""
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(content) >= 16:
            seconds, nanoseconds = struct.unpack("@ll", content[:16])
            return float(seconds) + float(nanoseconds) / 1e9
    return None


def _rtt_s(sent: _Sent, stamp_s: float | None) -> float:
    """Return the round trip time. Where the wall clock was set meanwhile, the other clock tells it."""
    longest_s = time.monotonic() - sent.mono_s
    if stamp_s is None or not 0 <= stamp_s - sent.wall_s <= longest_s:
        return longest_s
    return stamp_s - sent.wall_s


def _cause(error: Exception) -> str:
    found = error.__context__
    return (found.strerror if isinstance(found, OSError) and found.strerror else str(error)) or "refused"
