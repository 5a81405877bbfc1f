"""Web Push (RFC 8030, 8291, 8292) to the services of the browsers' makers."""

from collections.abc import Sequence

from daemon.channel import Parcel, Surroundings
from daemon.options import ChannelOptions


class Options(ChannelOptions):
    """The `[channel.webpush]` table."""


class Channel:
    """Sends one message to one browser at a time."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._surroundings = surroundings

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Send one parcel. Raises DeliveryFailed."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of connections."""
