"""What can go wrong with a source, in the few kinds a caller can act on.

Every message says what happened, where (the path asked) and what to do about it.
"""

from enum import StrEnum


class SourceError(Exception):
    """Anything a client raises about the system it talks to."""


class SourceUnavailable(SourceError):
    """No usable answer now: unreachable, too slow, 429 or 5xx after the retries. Trying later may help.

    `retry_after_s` is what the server asked for, or None.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SourceRefused(SourceError):
    """The source knows us and says no. Stays so until somebody changes a setting or a right.

    `status` is the HTTP status: 401, 403, 412 or that of a redirect; None when nothing was sent.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ImpersonationRefused(SourceRefused):
    """412: the login to act as is unknown, locked or not yet activated."""


class LoginRefusal(StrEnum):
    """Why a person could not be logged in with a password."""

    WRONG_PASSWORD = "wrong_password"  # noqa: S105  also an unknown, locked or unactivated account
    SECOND_FACTOR = "second_factor"
    MUST_CHANGE_PASSWORD = "must_change_password"  # noqa: S105
    REST_OFF = "rest_off"


class LoginRefused(SourceRefused):
    """A login and password that do not open the source's door; `reason` says why."""

    def __init__(self, message: str, *, reason: LoginRefusal, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.reason = reason


class NotFound(SourceError):
    """404: it does not exist (any more), or this user may not even know of it."""


class Rejected(SourceError):
    """422: the request was understood and turned down.

    `messages` are Redmine's own, in the acting user's language; empty means that somebody else was
    writing the same issue and every retry lost.
    """

    def __init__(self, message: str, *, messages: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.messages = messages


class WrongAnswer(SourceError):
    """An answer that cannot be one of the source's: HTML, broken JSON, missing keys, odd status."""
