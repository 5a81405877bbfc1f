"""What every channel offers the dispatcher, and what it is given to send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from daemon.values import FieldChange
from storage.threads import page_of

# What becomes of a delivery that failed: tried again; given up; given up and the device forgotten; tried
# again later while administrators are told that the channel itself is set up wrong.
Outcome = Literal["retry", "failed", "gone", "misconfigured"]


# How many seconds a push message of these types is of any use: the phone has stopped ringing.
SHORT_LIVED = {"call": 60.0}


class DeliveryFailed(Exception):
    """A message did not get through; the text says why, for people, without any secret."""

    def __init__(self, text: str, outcome: Outcome, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.outcome = outcome
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets it. `mail_token` names them in links that stop mails."""

    user_id: int
    name: str
    email: str
    language: str
    time_zone: str
    mail_token: str


@dataclass(frozen=True, slots=True)
class Device:
    """A browser's push subscription; keys in base64 or base64url, padded or not."""

    id: int
    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class News:
    """A notification as a channel gets it, in its reader's words. Times are aware UTC."""

    id: int
    type: str
    title: str
    message: str
    thread: str
    created_at: datetime
    issue_id: int | None
    journal_id: int | None
    subject: str
    project: str
    actor: str
    reasons: tuple[str, ...]
    details: tuple[FieldChange, ...]
    notes: str
    is_private_note: bool
    is_urgent: bool
    surfaced_at: datetime | None = None  # when it came, or came back after a snooze


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery as it is sent. `receipt` is what the device says when it has shown it."""

    delivery_id: int
    news: News
    recipient: Recipient
    device: Device | None
    receipt: str
    attempt: int  # counts from 1
    unread: int  # how much the recipient has not read, this one among it


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a channel knows of the installation."""

    public_url: str  # without a slash at its end
    directory: Path  # where files that must outlive the process may lie

    def link(self, news: News) -> str:
        """Return the page of this very change."""
        if news.issue_id is None or news.type == "issue_deleted":
            return f"{self.public_url}{page_of(news.thread) or '/notifications'}"
        anchor = f"#change-{news.journal_id}" if news.journal_id else ""
        return f"{self.public_url}/tasks/{news.issue_id}{anchor}"


class Channel(Protocol):
    """One way to reach people who have no page open. `send` is called by several threads at once."""

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Send one parcel, or those of one recipient's batch as one message. Raises DeliveryFailed."""

    def close(self) -> None:
        """Let go of connections."""
