"""The ERP's database: people and their passwords. Every call ends within its deadline, however ERP stalls.

The drivers run in processes of their own (`erp_worker`), which are kept for the next question and ended where
they are late. No password is kept: it passes through a socket pair to the driver and is gone.
"""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, cast

import sqlalchemy as sa

from daemon.clients.erp_process import Helper, NoAnswer, is_trouble
from daemon.clients.erp_settings import ErpSettings
from daemon.clients.erp_values import Checked, ErpUser, Trouble, Verdict, is_name
from daemon.clients.errors import SourceError, SourceRefused, SourceUnavailable, WrongAnswer
from daemon.clients.settings import SettingsError

IDLE_S = 120.0  # so long a process without work is kept


class ErpClient:
    """One ERP. May be used by several threads at once; `connections` of them ask, others wait."""

    def __init__(self, settings: ErpSettings) -> None:
        self._settings = settings
        self._free = threading.BoundedSemaphore(settings.connections)
        self._lock = threading.Lock()
        self._idle: list[Helper] = []
        # What the ERP said of our own account, and of which password: it is not tried again, as each try
        # counts towards the account's lock.
        self._refused: tuple[str, str | None] | None = None
        self.requests_made = 0

    def check_password(self, username: str, password: str) -> Checked:
        """Say whose account this name and password open. Never tried twice.

        Raises SourceUnavailable, SourceRefused (rights, settings) or WrongAnswer.
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
        with self._helper(limit_s) as helper:
            for word, content in helper.ask(limit_s, "people", self._settings, reader):
                if trouble := is_trouble(word, content):
                    raise self._error(trouble)
                if word == "rows":
                    yield content

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
        with self._helper(limit_s) as helper:
            ((word, content),) = helper.ask(limit_s, name, self._settings, *arguments)
        if trouble := is_trouble(word, content):
            raise self._error(trouble)
        return content

    @contextmanager
    def _helper(self, patience_s: float) -> Iterator[Helper]:
        """Lend a process that is free, or a new one; take it back unless it had to be ended."""
        if not self._free.acquire(timeout=patience_s):
            raise SourceUnavailable("ERP: too many questions wait for an answer.")
        helper = None
        try:
            helper = self._take()
            self.requests_made += 1
            yield helper
            self._keep(helper)
            helper = None
        except NoAnswer as e:
            raise SourceUnavailable(f"ERP: {e}.") from e
        except SourceError:
            # It answered, with a trouble of the ERP's.
            if helper is not None:
                self._keep(helper)
                helper = None
            raise
        finally:
            if helper is not None:
                helper.end()
            self._free.release()

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
