"""What the options of every job and of every channel have in common: frozen, strict, unknown keys refused."""

from pydantic import Field

from storage.configuration import Settings


class JobOptions(Settings):
    """Base of a source's `Options`."""


class ChannelOptions(Settings):
    """Base of a channel's `Options`, which are its `[channel.<name>]` table."""

    enabled: bool = True
    timeout_s: float = Field(default=10.0, ge=1, le=60)  # of one message in all
    parallel: int = Field(default=16, ge=1, le=256)  # messages on their way at once
    attempts: int = Field(default=8, ge=1, le=50)
    expires_h: float = Field(default=24.0, ge=0.1, le=24 * 28)  # after so long it is of no use any more
