"""A process that asks the ERP for us, and that is ended where it does not answer in time."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from daemon.clients.erp_values import Trouble

START_S = 30.0  # until a new process is ready, which has nothing to do with the ERP


class NoAnswer(Exception):
    """The process had to be ended, or ended: the text says why."""


class Helper:
    """One process, which answers one question after the other."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "daemon.clients.erp_worker", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches only us
            )
        self._line = Connection(ours.detach())
        self.used_at = time.monotonic()
        try:
            self._next(START_S, "the process that asks the ERP did not start")
        except NoAnswer:
            self.end()
            raise

    def ask(self, limit_s: float, name: str, *arguments: Any) -> Iterator[tuple[str, Any]]:
        """Yield the parts of the answer, the last of them "done" or "trouble". Raises NoAnswer.

        `limit_s` is how long we wait in all; what the asker does between two parts does not count.
        """
        try:
            self._line.send((name, arguments))
        except OSError as e:
            raise NoAnswer("the process that asks the ERP has ended") from e
        left_s = limit_s
        while True:
            started = time.monotonic()
            word, content = self._next(left_s, f"no answer within {round(limit_s, 1):g} s")
            left_s = max(0.0, left_s - (time.monotonic() - started))
            yield word, content
            if word != "rows":
                self.used_at = time.monotonic()
                return

    def end(self) -> None:
        """End it at once, whatever it waits for."""
        self._process.kill()
        self._process.wait()
        self._line.close()

    def _next(self, limit_s: float, late: str) -> tuple[str, Any]:
        try:
            if not self._line.poll(limit_s):
                raise NoAnswer(late)
            word, content = self._line.recv()
        except (EOFError, OSError) as e:
            raise NoAnswer("the process that asks the ERP has ended") from e
        return word, content


def is_trouble(word: str, content: object) -> Trouble | None:
    """Return the trouble that an answer is."""
    return content if word == "trouble" and isinstance(content, Trouble) else None
