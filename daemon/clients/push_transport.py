"""Posts to addresses that users gave us, without becoming their way into the inner network (SSRF).

The name is resolved anew for each connection, and what is connected to is an address of that very answer, and
only a public one: a name that leads somewhere else a moment later (DNS rebinding) gains nothing. No redirect
is followed, no proxy and no `.netrc` is looked at, and little of an answer is read.
"""

import ipaddress
import select
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import certifi

from daemon.clients import resolving
from daemon.clients.push_answer import Answer, left, read_answer
from daemon.clients.push_endpoint import PushServices, check_endpoint, origin
from daemon.clients.resolving import Address, Resolve

IDLE_S = 30.0  # services close what is idle: one that was closed at this moment would cost a second try
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class NoPublicAddress(OSError):
    """The name leads to nothing that may be connected to."""


class GuardedPoster:
    """A pool of connections that posts. Several threads use it at once.

    Raises ValueError for an address that is not allowed, OSError where no answer came.
    """

    def __init__(self, services: PushServices, ca_file: Path | None, resolve: Resolve | None = None) -> None:
        self._services = services
        self._resolve = resolve
        self._tls = ssl.create_default_context(cafile=ca_file)
        if ca_file is None:
            self._tls.load_verify_locations(certifi.where())  # bare containers have no certificates
        self._idle: dict[str, list[tuple[float, socket.socket]]] = defaultdict(list)
        self._lock = threading.Lock()

    def post(self, url: str, *, data: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        """Post, and return the answer. `timeout` is for everything together, in seconds."""
        until = time.monotonic() + timeout
        check_endpoint(url, self._services.services, self._services.extra_origins)
        request = _request(url, data, headers)
        while sock := self._take(origin(url)):
            try:
                return self._exchange(url, sock, request, until)
            except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                continue  # it was closed while it was idle
        return self._exchange(url, self._connect(url, until), request, until)

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            for sockets in self._idle.values():
                for _, sock in sockets:
                    sock.close()
            self._idle.clear()

    def _exchange(self, url: str, sock: socket.socket, request: bytes, until: float) -> Answer:
        is_kept = False
        try:
            sock.settimeout(left(until))
            sock.sendall(request)
            answer, is_kept = read_answer(sock, until)
            return answer
        finally:
            if is_kept:
                with self._lock:
                    self._idle[origin(url)].append((time.monotonic(), sock))
            else:
                sock.close()

    def _take(self, key: str) -> socket.socket | None:
        """Return the connection that was used last, if it is still open."""
        while True:
            with self._lock:
                if not self._idle[key]:
                    return None
                used_at, sock = self._idle[key].pop()
            # One that can be read has been closed, or says what nobody asked for.
            if time.monotonic() - used_at < IDLE_S and not _can_be_read(sock):
                return sock
            sock.close()

    def _connect(self, url: str, until: float) -> socket.socket:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        addresses = resolving.addresses(host, port, left(until), self._resolve)
        if origin(url) not in self._services.extra_origins:
            addresses = [address for address in addresses if is_public(address[1][0])]
        if not addresses:
            raise NoPublicAddress(f"{host} leads to no public address")
        sock = _dial(addresses, until)
        if parts.scheme == "http":
            return sock
        with ExitStack() as undo:
            undo.callback(sock.close)
            sock.settimeout(left(until))
            secured = self._tls.wrap_socket(sock, server_hostname=host)
            undo.pop_all()
        return secured


def is_public(text: str) -> bool:
    """Say whether an address lies on the open internet, whichever way it is written."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if address.teredo is not None:
            return False
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast


def _dial(addresses: Sequence[Address], until: float) -> socket.socket:
    """Connect to the first that answers; each gets its share of the time."""
    for number, (family, address) in enumerate(addresses):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(left(until) / (len(addresses) - number))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            sock.close()
            if number + 1 == len(addresses):
                raise
        else:
            return sock
    raise AssertionError("there is always a last address")


def _request(url: str, data: bytes, headers: Mapping[str, str]) -> bytes:
    """Write a request, so that it leaves in one packet."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {urlsplit(origin(url)).netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(data)}", "Accept-Encoding: identity", "User-Agent: helpdesk"]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header with a line break in it")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + data


def _can_be_read(sock: socket.socket) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
