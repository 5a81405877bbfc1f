"""The service key must be alive and an administrator's.

A dead key, or REST switched off, does not look like an error: Redmine answers lists with what anybody
may see. A key that lost its admin right ignores whom we act as. Both would lose or leak.
"""

import time
from collections.abc import Callable
from typing import Protocol

from daemon.clients.errors import SourceRefused
from daemon.clients.values import Account

RECHECK_S = 60.0


class Identity(Protocol):
    """The part of the client that says who we are."""

    def account(self) -> Account:
        """Return the account behind the key. Raises SourceRefused where it is dead."""

    def ask_as_admin(self) -> None:
        """Raise SourceRefused where the key is dead or no administrator's."""


class AdminKey:
    """Checks the key, at most once a minute while all is well, anew after anything went wrong."""

    def __init__(
        self, client: Identity, recheck_s: float = RECHECK_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._recheck_s = min(recheck_s, RECHECK_S)
        self._clock = clock
        self._checked_at: float | None = None

    def require(self) -> None:
        """Check unless that was done within the last minute. Raises SourceRefused."""
        if self._checked_at is None or self._clock() - self._checked_at >= self._recheck_s:
            self.require_now()

    def require_now(self) -> None:
        """Check in any case. Raises SourceRefused, SourceUnavailable."""
        self._checked_at = None
        account = self._client.account()
        if not account.is_admin:
            raise SourceRefused(
                f"the key of [redmine] belongs to {account.login}, who is not an administrator: "
                "put the API key of an administrator there"
            )
        self._checked_at = self._clock()

    def confirm(self) -> None:
        """Check in any case, as cheaply as can be. Raises SourceRefused, SourceUnavailable."""
        self._checked_at = None
        try:
            self._client.ask_as_admin()
        except SourceRefused:
            self.require_now()  # says better what is wrong
            raise
        self._checked_at = self._clock()

    def doubt(self) -> None:
        """Forget the last check: something went wrong since."""
        self._checked_at = None
