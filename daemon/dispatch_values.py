"""What passes between the stages of sending: frozen, free of any I/O, times aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from daemon.channel import Parcel
from daemon.values import Member, Told
from storage.preferences import Reader

DELETED = "redmine:deleted:"  # nobody can be asked whether an issue that is gone may be seen
TEST = "test"  # somebody tries out a device: sent whatever they prefer


# What an outcome says of the channel and the device.
Mark = Literal["", "reached", "trouble", "gone", "misconfigured"]


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed delivery, with what decides about it as it stood when it was loaded.

    `wanted_by` are the columns that `ways` looks at. `obstacle` says why it cannot be sent at all, ""
    where nothing is in the way. `member` is its reader at Redmine, None where they have no account.
    """

    delivery_id: int
    channel: str
    lane: str
    device: str
    batch: str
    attempts: int
    due_at: datetime
    recorded_at: datetime
    wanted_by: Mapping[str, Any]
    reader: Reader
    parcel: Parcel
    change_key: str
    obstacle: str = ""
    snoozed_until: datetime | None = None
    verify: bool = False
    member: Member | None = None

    @property
    def queue(self) -> str:
        """What is sent one after another: everything to a device, everything to a person without one."""
        return self.device or f"user:{self.reader.user_id}"

    @property
    def told(self) -> Told | None:
        """What Redmine can be asked about; None where there is nothing."""
        news = self.parcel.news
        if news.issue_id is None or self.change_key.startswith(DELETED):
            return None
        return Told(
            id=news.id,
            user_id=self.reader.user_id,
            change_key=self.change_key,
            item_id=news.issue_id,
            journal_id=news.journal_id,
            notes=news.notes,
            reasons=news.reasons,
            details=news.details,
            is_private_note=news.is_private_note,
        )


State = Literal["sent", "failed", "skipped", "expired", "due"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be written of a delivery.

    `at` is when it is due again. `tries` is how many attempts it has cost. `mark` is what we learned of
    the channel or device; `younger` says that it waits by its reader's will, so it does not grow old.
    """

    due: Due
    state: State
    error: str = ""
    at: datetime | None = None
    tries: int = 0
    mark: Mark = ""
    younger: bool = False
    batch: str | None = None
    withdraw: bool = False
