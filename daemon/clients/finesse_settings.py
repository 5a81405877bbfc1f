"""The `[finesse]` table: where Cisco Finesse is, and who asks it."""

from pydantic import Field

from daemon.clients.secrets import LaxPath, WithPassword
from daemon.clients.settings import Seconds


class FinesseSettings(WithPassword):
    """Checked settings of one Finesse; `urls` are its nodes, the first one preferred."""

    urls: tuple[str, ...] = Field(min_length=1, max_length=4)
    username: str
    ca_file: LaxPath | None = None
    deadline_s: Seconds = 8
    cache_s: float = Field(default=5.0, ge=1, le=60)
    # Whose calls are whose, where an agent's log-in is not the user name here: {"1001" = "ivan"}.
    agents: dict[str, str] = Field(default_factory=dict)
