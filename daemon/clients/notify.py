"""Tells systemd how a service does: ready, stopping, in one line what it does, and that it is alive."""

import os
import socket
import time
from collections.abc import Callable, Mapping

Clock = Callable[[], float]


class Notify:
    """Speaks sd_notify. Without $NOTIFY_SOCKET nobody listens and nothing is sent.

    `watchdog_s` is how long systemd waits for the next `alive` before it restarts us; None where it does not.
    """

    def __init__(self, address: str = "", watchdog_s: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog_s = watchdog_s

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Notify":
        """Return what speaks to whoever started us."""
        return cls(environ.get("NOTIFY_SOCKET", ""), _watchdog_s(environ))

    def ready(self, status: str) -> None:
        """Say that the start is over."""
        self._send(f"READY=1\nSTATUS={status}")

    def alive(self, status: str) -> None:
        """Say that we get on, for another `watchdog_s`."""
        self._send(f"WATCHDOG=1\nSTATUS={status}")

    def stuck(self, status: str) -> None:
        """Ask for what befalls a service that is not heard of: to be killed and started again."""
        self._send(f"WATCHDOG=trigger\nSTATUS={status}")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def _send(self, message: str) -> None:
        """Send, or let it be: a service must not end because its manager does not listen."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as ours:
            ours.setblocking(False)  # a full queue must not hold us up
            try:
                ours.sendto(message.encode(), self._address)
            except OSError:
                return


class Pulse:
    """When something last got on. One thread beats, another one looks."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self.at = clock()

    def beat(self) -> None:
        """Note that it gets on."""
        self.at = self._clock()

    def age_s(self) -> float:
        """Return for how long it has not."""
        return self._clock() - self.at


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    """Return the interval of systemd's watchdog where it is meant for this process."""
    micros, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not micros.isdecimal() or int(micros) == 0 or pid not in {"", str(os.getpid())}:
        return None
    return int(micros) / 1_000_000
