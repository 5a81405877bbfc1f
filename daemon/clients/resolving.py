"""Asks for the addresses of a name, with a deadline: the system's resolver knows none."""

import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

Address = tuple[socket.AddressFamily, Any]  # what `connect` takes
Resolve = Callable[[str, int], Sequence[Address]]


def resolved(host: str, port: int) -> Sequence[Address]:
    """Ask the system for the addresses of a name."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _type, _protocol, _name, address in answers]


def addresses(host: str, port: int, timeout_s: float, resolve: Resolve | None = None) -> Sequence[Address]:
    """Return the addresses of a name. Raises TimeoutError, and OSError where it has none.

    The resolver is left alone when time runs out: its thread ends with its answer.
    """
    found: list[Sequence[Address] | OSError] = []

    def ask() -> None:
        try:
            found.append((resolve or resolved)(host, port))
        except (OSError, UnicodeError) as e:
            found.append(OSError(f"{host} has no address ({e})"))

    asking = threading.Thread(target=ask, name="resolve", daemon=True)
    asking.start()
    asking.join(timeout_s)
    if not found:
        raise TimeoutError(f"the address of {host} was not found in time")
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]
