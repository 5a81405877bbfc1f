"""The public key that browsers subscribe with. The daemon makes the pair and says it to the viewer."""

from sqlalchemy.orm import Session

from storage.models import ChannelState
from web.viewer import viewer

CHANNEL = "webpush"


def is_on() -> bool:
    """Say whether the channel is switched on in the configuration."""
    return CHANNEL in viewer().settings.channels


def public_key(reading: Session) -> str:
    """Return the key as pages get it; "" where push is off, or the daemon has not made one yet."""
    state = reading.get(ChannelState, CHANNEL) if is_on() else None
    return state.public_key if state is not None else ""
