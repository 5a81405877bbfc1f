"""A network of namespaces: this machine, a gateway with hosts behind it, and hosts beside the gateway.

    near (10.77.0.1, 10.79.0.1) -- gw (10.77.0.254) -- far (10.78.0.0/16, fd78::/64)
                                \\- side (10.79.0.0/24)

What is dead or loses packets does so by nftables where it is. Needs root, iproute2 and nftables.
"""

import ctypes
import itertools
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")
CLONE_NEWNET = 0x40000000
PLACES = ("near", "gw", "far", "side")
_NUMBERS = itertools.count(1)
RULES = """
table inet hosts {
  set dead { type ipv4_addr; }
  set dead6 { type ipv6_addr; }
  chain in {
    type filter hook input priority 0;
    ip daddr @dead drop
    ip6 daddr @dead6 drop
  }
}
"""


def why_not() -> str:
    """Say what is missing here, "" where nothing is."""
    missing = [name for name in ("ip", "nft", "fping") if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)}: not installed: run `make test-services` as root"
    if os.geteuid() != 0:
        return "network namespaces need root"
    tried = subprocess.run(["ip", "netns", "add", f"try{os.getpid()}"], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", f"try{os.getpid()}"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "network namespaces cannot be made here"


def run(*argv: str, stdin: str = "") -> str:
    """Run a command and return what it says."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (argv, done.stderr)
    return done.stdout


class Network:
    """The namespaces, from `with` on to its end."""

    def __init__(self) -> None:
        stem = f"hd{os.getpid()}n{next(_NUMBERS)}"
        self._names = {place: f"{stem}{place}" for place in PLACES}

    def __enter__(self) -> Self:
        for name in self._names.values():
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        self._link("near", "togw", "10.77.0.1/24", "gw", "tonear", "10.77.0.254/24")
        self._link("gw", "tofar", "10.78.255.254/16", "far", "togw", "10.78.255.253/16")
        self._link("near", "toside", "10.79.0.1/24", "side", "tonear", "10.79.0.254/24")
        self._ip("near", "route", "add", "10.78.0.0/16", "via", "10.77.0.254")
        self._ip("far", "route", "add", "default", "via", "10.78.255.254")
        self._ip("near", "-6", "addr", "add", "fd79::1/64", "dev", "toside", "nodad")
        self._ip("side", "-6", "addr", "add", "fd79::2/64", "dev", "tonear", "nodad")
        self.inside("gw", lambda: Path("/proc/sys/net/ipv4/ip_forward").write_text("1"))
        for place in ("gw", "far", "side"):
            self.nft(place, RULES)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def add(self, place: str, addresses: Iterable[str]) -> None:
        """Give a place these addresses."""
        device = "togw" if place == "far" else "tonear"
        lines = "".join(f"addr add {address}/32 dev {device}\n" for address in addresses)
        run("ip", "-n", self._names[place], "-batch", "-", stdin=lines)

    def kill(self, place: str, *addresses: str) -> None:
        """Have these addresses of a place answer no more."""
        self._dead("add", place, addresses)

    def revive(self, place: str, *addresses: str) -> None:
        """Have them answer again."""
        self._dead("delete", place, addresses)

    def lose(self, place: str, address: str, every: int) -> None:
        """Have an address lose each so-manieth echo, beginning with the first."""
        rule = f"ip daddr {address} icmp type echo-request numgen inc mod {every} 0 counter drop"
        self.nft(place, f"add rule inet hosts in {rule}\n")

    def dropped(self, place: str) -> dict[str, int]:
        """Return how many echoes each of these addresses lost."""
        found: dict[str, int] = {}
        listed = run("ip", "netns", "exec", self._names[place], "nft", "-j", "list", "ruleset")
        for entry in json.loads(listed)["nftables"]:
            parts = entry.get("rule", {}).get("expr", [])
            counted = [part["counter"]["packets"] for part in parts if "counter" in part]
            if counted:
                found[parts[0]["match"]["right"]] = counted[0]
        return found

    def cut(self, place: str, device: str) -> None:
        """Take a link down."""
        self._ip(place, "link", "set", device, "down")

    def join(self, place: str, device: str) -> None:
        """Take it up again; what leads through it is known again."""
        self._ip(place, "link", "set", device, "up")
        if (place, device) == ("near", "togw"):
            self._ip("near", "route", "replace", "10.78.0.0/16", "via", "10.77.0.254")
        if (place, device) == ("near", "toside"):
            self._ip("near", "-6", "addr", "replace", "fd79::1/64", "dev", "toside", "nodad")

    def nft(self, place: str, rules: str) -> None:
        """Load rules of nftables."""
        run("ip", "netns", "exec", self._names[place], "nft", "-f", "-", stdin=rules)

    def command(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the near machine, whatever its exit code."""
        prefix = ("ip", "netns", "exec", self._names["near"])
        return subprocess.run([*prefix, *argv], capture_output=True, text=True, timeout=120, check=False)

    def near(self, work: Callable[[], T]) -> T:
        """Call a function on the near machine: sockets that it opens are there."""
        return self.inside("near", work)

    def inside(self, place: str, work: Callable[[], T]) -> T:
        """Call a function in a namespace, in a thread of its own: its other threads stay where they are."""
        results: list[Any] = []
        errors: list[BaseException] = []

        def go() -> None:
            try:
                with Path(f"/run/netns/{self._names[place]}").open() as namespace:
                    assert ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) == 0
                results.append(work())
            except BaseException as e:  # noqa: BLE001 - raised again below
                errors.append(e)

        thread = threading.Thread(target=go)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        found: T = results[0]
        return found

    def _dead(self, verb: str, place: str, addresses: Iterable[str]) -> None:
        lines = [
            f"{verb} element inet hosts {'dead6' if ':' in address else 'dead'} {{ {address} }}\n"
            for address in addresses
        ]
        self.nft(place, "".join(lines))

    def _ip(self, place: str, *argv: str) -> None:
        run("ip", "-n", self._names[place], *argv)

    def _link(self, one: str, device: str, address: str, *other: str) -> None:
        place, peer, peer_address = other
        ends = (self._names[one], device, self._names[place], peer)
        run("ip", "link", "add", ends[1], "netns", ends[0], "type", "veth", "peer", ends[3], "netns", ends[2])
        for end, name, own in ((one, device, address), (place, peer, peer_address)):
            self._ip(end, "addr", "add", own, "dev", name)
            self._ip(end, "link", "set", name, "up")
