"""What passes between the stages of sending: frozen, free of any I/O, times aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from daemon.channel import Parcel
from daemon.values import Member, Told
from storage.preferences import Reader

TEST = "test"  # somebody tries out a device: sent whatever they prefer


# What an outcome says of the channel and the device.
Mark = Literal["", "reached", "trouble", "gone", "misconfigured"]


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed delivery, with what decides about it as it stood when it was loaded.

    `wanted_by` are the columns that `ways` looks at. `obstacle` says why it cannot be sent at all, ""
    where nothing is in the way. `told` is None where there is nothing to ask Redmine about; `member` is
    its reader there, None where they have no account.
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
    obstacle: str = ""
    snoozed_until: datetime | None = None
    verify: bool = False
    told: Told | None = None
    member: Member | None = None

    @property
    def queue(self) -> str:
        """What is sent one after another: everything to a device, everything to a person without one."""
        return self.device or f"user:{self.reader.user_id}"


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
