"""The ERP's database: people and their passwords. Every call ends within its deadline, however ERP stalls.

The drivers run in processes of their own (`erp_worker`), which are kept for the next question and ended where
they are late. No password is kept: it passes through a socket pair to the driver and is gone.
"""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from daemon.clients.erp_process import Helper, NoAnswer, is_trouble
from daemon.clients.erp_settings import ErpSettings
from daemon.clients.erp_values import Checked, ErpUser, Trouble, Verdict, is_name
from daemon.clients.errors import SourceError, SourceRefused, SourceUnavailable, WrongAnswer
from daemon.clients.settings import SettingsError

IDLE_S = 120.0  # so long a process without work is kept


class Busy(SourceUnavailable):
    """All connections are taken: the ERP was not asked, and nothing is known of how it is."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, and how many at once, may wait for a free connection, and for how long nobody asks an ERP
    that did not answer. By default as long as for an answer, all, and not at all."""

    queue_s: float | None = None
    queue: int = 10_000
    pause_s: float = 0.0


class ErpClient:
    """One ERP. May be used by several threads at once; `connections` of them ask, others wait."""

    def __init__(self, settings: ErpSettings, patience: Patience | None = None) -> None:
        self._settings = settings
        self._patience = patience or Patience()
        self._queue = threading.BoundedSemaphore(self._patience.queue)
        self._away_until = 0.0
        self._free = threading.BoundedSemaphore(settings.connections)
        self._lock = threading.Lock()
        self._idle: list[Helper] = []
        # What the ERP said of our own account, and of which password: it is not tried again, as each try
        # counts towards the account's lock.
        self._refused: tuple[str, str | None] | None = None
        self.requests_made = 0

    def check_password(self, username: str, password: str) -> Checked:
        """Say whose account this name and password open. Never tried twice.

        Raises SourceUnavailable (Busy, where too many ask), SourceRefused (rights, settings) or WrongAnswer.
        """
        if not is_name(username) or not password or "\0" in password:
            return Checked(Verdict.WRONG)
        checked: Checked = self._answer("check", self._reader_for_check(), username, password)
        if checked.trouble is not None:
            self._note(checked.trouble)
        return checked

    def person(self, username: str) -> ErpUser | None:
        """Return a person by name, None where the ERP has none. Raises as `check_password`."""
        if not is_name(username):
            return None
        return cast("ErpUser | None", self._answer("person", self._reader(), username))

    def people(self) -> Generator[list[ErpUser]]:
        """Yield everybody in chunks, by one query. Raises as `check_password`, in the midst too."""
        reader, limit_s = self._reader(), self._settings.poll_deadline_s
        with self._helper(limit_s) as (helper, left_s):
            for word, content in helper.ask(left_s, "people", self._settings, reader):
                if trouble := is_trouble(word, content):
                    raise self._error(trouble)
                if word == "rows":
                    yield content

    @property
    def is_resting(self) -> bool:
        """Whether the ERP did not answer a moment ago, so that nobody asks it now."""
        return time.monotonic() < self._away_until

    def close(self) -> None:
        """End the processes that are kept."""
        with self._lock:
            idle, self._idle = self._idle, []
        for helper in idle:
            helper.end()

    def _reader_for_check(self) -> sa.URL | None:
        """Return our own account; none where it is not needed and cannot be used."""
        try:
            return self._reader()
        except SourceRefused:
            if self._settings.mode == "query":
                raise
            return None

    def _answer(self, name: str, *arguments: Any) -> Any:
        limit_s = self._settings.deadline_s
        with self._helper(limit_s) as (helper, left_s):
            ((word, content),) = helper.ask(left_s, name, self._settings, *arguments)
            if trouble := is_trouble(word, content):
                raise self._error(trouble)
        return content

    @contextmanager
    def _helper(self, limit_s: float) -> Iterator[tuple[Helper, float]]:
        """Lend a process that is free, or a new one, and say how many of the seconds are left to ask it.

        It is taken back unless it had to be ended.
        """
        left_s = self._wait_for_a_connection(limit_s)
        helper = None
        try:
            self._check_rest()  # it may have begun while we waited
            helper = self._take()
            self.requests_made += 1
            yield helper, left_s
            self._keep(helper)
            helper = None
        except NoAnswer as e:
            self._rest()
            raise SourceUnavailable(f"ERP: {e}.") from e
        except SourceError as e:
            # It answered, with a trouble of the ERP's.
            if helper is not None:
                self._keep(helper)
                helper = None
                if isinstance(e, SourceUnavailable):
                    self._rest()
            raise
        finally:
            if helper is not None:
                helper.end()
            self._free.release()

    def _wait_for_a_connection(self, limit_s: float) -> float:
        """Take one, and return how many of the seconds are left. Raises SourceUnavailable, Busy too."""
        self._check_rest()
        if self._free.acquire(blocking=False):
            return limit_s
        if not self._queue.acquire(blocking=False):
            raise Busy("ERP: too many questions wait for an answer.")
        started = time.monotonic()
        own_s = self._patience.queue_s
        try:
            if not self._free.acquire(timeout=limit_s if own_s is None else min(own_s, limit_s)):
                raise Busy("ERP: too many questions wait for an answer.")
        finally:
            self._queue.release()
        return max(0.0, limit_s - (time.monotonic() - started))

    def _check_rest(self) -> None:
        if self.is_resting:
            raise SourceUnavailable("ERP: it did not answer a moment ago.")

    def _rest(self) -> None:
        self._away_until = time.monotonic() + self._patience.pause_s

    def _take(self) -> Helper:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Helper()

    def _keep(self, helper: Helper) -> None:
        now = time.monotonic()
        with self._lock:
            old = [kept for kept in self._idle if now - kept.used_at > IDLE_S]
            self._idle = [kept for kept in self._idle if now - kept.used_at <= IDLE_S] + [helper]
        for kept in old:
            kept.end()

    def _reader(self) -> sa.URL:
        """Return our own account. Raises SourceRefused where there is none, or the ERP has refused it."""
        if not self._settings.has_reader:
            raise SourceRefused("ERP: [erp] url names no user, and people are read by one.")
        url = self._reader_url()
        if self._refused is not None:
            text, refused = self._refused
            if url.password == refused:
                raise SourceRefused(f"{text} It is not tried again before another password is configured.")
            self._refused = None
        return url

    def _reader_url(self) -> sa.URL:
        try:
            return self._settings.reader_url()
        except SettingsError as e:
            raise SourceRefused(f"ERP: {e}.") from e

    def _note(self, trouble: Trouble) -> None:
        if trouble.kind == "credentials":
            self._refused = (f"ERP: {trouble.text}.", self._reader_url().password)

    def _error(self, trouble: Trouble) -> SourceError:
        self._note(trouble)
        text = f"ERP: {trouble.text}."
        if trouble.kind == "unavailable":
            return SourceUnavailable(text)
        return WrongAnswer(text) if trouble.kind == "wrong_answer" else SourceRefused(text)
