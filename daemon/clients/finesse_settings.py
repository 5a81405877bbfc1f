"""The `[finesse]` table: where Cisco Finesse is, and who asks it."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from daemon.clients.secrets import LaxPath, WithPassword
from daemon.clients.settings import Seconds, SettingsError

PATH = "/finesse/api"


class FinesseSettings(WithPassword):
    """Checked settings of one Finesse; `urls` are its nodes, the first one preferred.

    `username` is a supervisor of the teams whose calls are shown, or an administrator of Finesse: an agent
    may ask for nobody else. `agents` says whose calls are whose, where an agent's log-in is not the user
    name here: {"1001" = "ivan"}. `deadline_s` is for one question, the second node included.
    """

    urls: tuple[str, ...] = Field(min_length=1, max_length=4)
    username: str = Field(min_length=1, max_length=255)
    ca_file: LaxPath | None = None
    deadline_s: Seconds = 8
    connections: int = Field(default=4, ge=1, le=32)
    cache_s: float = Field(default=5.0, ge=1, le=60)
    agents: dict[str, str] = Field(default_factory=dict)

    @field_validator("urls")
    @classmethod
    def _nodes(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        nodes = tuple(_node(url) for url in urls)
        if len(set(nodes)) < len(nodes):
            raise ValueError("names a node twice")
        return nodes

    @field_validator("username")
    @classmethod
    def _sendable(cls, name: str) -> str:
        if not name.strip() or not name.isprintable() or ":" in name:
            raise ValueError("must be a log-in of Finesse, without a colon")
        return name.strip()

    @field_validator("ca_file")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError("must be the path of an existing PEM file with the CA's certificate")
        return path

    @model_validator(mode="after")
    def _one_agent_each(self) -> Self:
        names = [name.strip().casefold() for name in self.agents.values()]
        twice = next((name for n, name in enumerate(names) if name in names[:n]), None)
        if twice is not None:
            raise ValueError(f"agents: {twice} is named for two agents")
        return self

    def credentials(self) -> tuple[bytes, bytes]:
        """Return log-in and password as they are sent. Raises SettingsError."""
        password = self.password()
        if password is None:
            raise SettingsError(f"password_env or password_file must name the password of {self.username}")
        # Bytes, because requests would encode text as Latin-1 and fail at a Cyrillic password.
        return self.username.encode(), password.get_secret_value().encode()

    def agent_of(self, username: str) -> str:
        """Return the agent's log-in of one of our users, "" where the agent of that name is somebody else."""
        wanted = username.casefold()
        for agent, name in self.agents.items():
            if name.strip().casefold() == wanted:
                return agent
        return "" if wanted in (agent.casefold() for agent in self.agents) else username

    def user_of(self, agent: str) -> str:
        """Return the user name of an agent, in lower case; "" where that user is another agent."""
        known = {login.casefold(): name for login, name in self.agents.items()}
        name = known.get(agent.casefold(), agent).strip()
        return name.casefold() if self.agent_of(name).casefold() == agent.casefold() else ""


def _node(url: str) -> str:
    """Return a node's address in one way of writing it: https://name:port."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("must be full addresses such as https://finesse1.example.com:8445")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not carry a user or password: they go to username and password_env")
    if parts.path.rstrip("/") not in {"", PATH} or parts.query or parts.fragment:
        raise ValueError("must end after the host and port")
    if parts.port == 0 or any(c.isspace() or not c.isprintable() for c in url):
        raise ValueError("must have no spaces and a port between 1 and 65535, or none")
    return f"https://{parts.netloc.lower()}"
