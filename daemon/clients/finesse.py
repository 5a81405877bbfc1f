"""Cisco Finesse: whose calls are going on, asked by one account and remembered for a few seconds."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import quote

from daemon.clients.errors import NotFound, SourceError
from daemon.clients.finesse_errors import NotSupervised
from daemon.clients.finesse_settings import FinesseSettings
from daemon.clients.finesse_values import Agent, Call, Dialog, Team, agent_of, call_of, dialogs_of, team_of
from daemon.clients.finesse_wire import FinesseWire
from daemon.clients.finesse_xml import Node, parsed
from daemon.clients.once import Once, wait

# Names, extensions and who supervises what change seldom.
KEEP_AGENT_S = 60.0
TEAM_PATIENCE = 2  # times the deadline, for a walk over all agents of a team
_LONGEST_LOGIN = 64
_NO_CALLS = frozenset({"LOGOUT"})


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of some agents by their log-in; `failed` are those whose calls could not be read, and why."""

    of: Mapping[str, tuple[Call, ...]]
    failed: Mapping[str, SourceError] = field(default_factory=dict)


class FinesseClient:
    """Reads calls. Thread-safe; a question about an agent is on its way only once at a time.

    Raises SourceUnavailable, AccountRefused, NotSupervised, NotFound, WrongAnswer; SettingsError at once
    where the password is missing.
    """

    def __init__(self, settings: FinesseSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._wire = FinesseWire(settings, clock)
        self._patience_s = settings.deadline_s + 1
        self._pool = ThreadPoolExecutor(settings.connections, "finesse")
        self._agents = Once(self._read_agent, self._pool, KEEP_AGENT_S, clock)
        self._dialogs = Once(self._read_dialogs, self._pool, settings.cache_s, clock)
        self._teams = Once(self._read_team, self._pool, settings.cache_s, clock)

    @property
    def requests_made(self) -> int:
        """How many requests were sent so far."""
        return self._wire.requests_made

    def close(self) -> None:
        """Let go of threads and connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._wire.close()

    def agent(self, login: str) -> Agent:
        """Return an agent; with the log-in only, where our account may not read who they are."""
        try:
            return self._agents.get(login, self._patience_s)
        except NotSupervised:
            return Agent(login)

    def calls(self, login: str) -> tuple[Call, ...]:
        """Return the calls of an agent."""
        agent = self.agent(login)  # first: there is to be one request in flight for an agent
        dialogs = self._dialogs.get(login, self._patience_s)
        return tuple(call_of(dialog, agent) for dialog in dialogs)

    def team(self, team_id: str) -> Team:
        """Return a team and its agents."""
        return self._teams.get(team_id, self._patience_s)

    def calls_of(self, agents: Iterable[Agent]) -> Calls:
        """Return the calls of agents; those who are logged out have none."""
        until = time.monotonic() + self._patience_s * TEAM_PATIENCE
        asked = {a.login: (a, self._dialogs.begin(a.login)) for a in agents if a.state not in _NO_CALLS}
        found: dict[str, tuple[Call, ...]] = {}
        failed: dict[str, SourceError] = {}
        for login, (agent, future) in asked.items():
            try:
                dialogs = wait(future, until - time.monotonic())
                found[login] = tuple(call_of(dialog, agent) for dialog in dialogs)
            except SourceError as e:
                failed[login] = e
        return Calls(found, failed)

    def _read_agent(self, login: str) -> Agent:
        return agent_of(self._get(f"/User/{_segment(login)}"), login)

    def _read_dialogs(self, login: str) -> tuple[Dialog, ...]:
        return dialogs_of(self._get(f"/User/{_segment(login)}/Dialogs"))

    def _read_team(self, team_id: str) -> Team:
        return team_of(self._get(f"/Team/{_segment(team_id)}"), team_id)

    def _get(self, path: str) -> Node:
        return parsed(f"GET {path}", self._wire.get(path))


def _segment(name: str) -> str:
    """Return a name as one part of a path. Raises NotFound for what cannot be anybody's."""
    is_usable = 0 < len(name) <= _LONGEST_LOGIN and name.isprintable() and name.strip(".")
    if not is_usable or "/" in name or "\\" in name:
        raise NotFound("Finesse has nobody of that name.")
    return quote(name, safe="")
