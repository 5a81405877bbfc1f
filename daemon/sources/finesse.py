"""Calls of Cisco Finesse: one that begins to ring is told to the agent whom it rings for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from daemon.clients.errors import NotFound, SourceError, SourceRefused
from daemon.clients.finesse import Calls, FinesseClient
from daemon.clients.finesse_settings import FinesseSettings
from daemon.clients.finesse_values import Agent
from daemon.finesse.ringing import People, addressed, compare, rings_of
from daemon.options import JobOptions
from daemon.source import Memory, StateSource
from daemon.values import Colleague, Observation

NEEDS = "finesse"
# The viewer remembers answers for as long as it is told to; a job polls as often as it is told to.
KEEP_S = 1.0


class Options(JobOptions):
    """Options of a job with `source = "finesse"`.

    `teams` are ids of Finesse's teams. Without any they are those that our account supervises, and where
    there are none, the agents named in `[finesse] agents`.
    """

    teams: tuple[str, ...] = Field(default=())


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Source(StateSource):
    """Polls the calls of those agents who are users of ours."""

    def __init__(
        self, settings: FinesseSettings, options: Options, *, now: Callable[[], datetime] = _utc_now
    ) -> None:
        self._settings = settings
        self._options = options
        self._client = FinesseClient(settings.model_copy(update={"cache_s": KEEP_S}))
        self._now = now

    @property
    def requests_made(self) -> int:  # type: ignore[override]
        """How many requests were sent so far."""
        return self._client.requests_made

    def close(self) -> None:
        """Let go of connections and threads."""
        self._client.close()

    def observations(
        self,
        cursor: Mapping[str, Any] | None,
        memory: Memory,
        stop: Callable[[], bool],  # noqa: ARG002 - there is one step
    ) -> Iterator[Observation]:
        """Look once; a step only where something began or ceased to ring, or went wrong."""
        at, before = self._now(), rings_of(cursor)
        agents = self._agents()
        of_ours = self._of_ours(agents, memory.colleagues())
        seen = self._client.calls_of(agent for agent in agents if agent.login in of_ours)
        _raise_what_failed_everywhere(seen)
        ringing = compare(before, seen, at)
        problem = "; ".join(sorted({str(error) for error in seen.failed.values()}))
        if ringing.rings == before and cursor is not None and not problem:
            return
        names = memory.names_of_numbers({call.number for call in ringing.new})
        extensions = {agent.extension: agent.name for agent in agents if agent.extension and agent.name}
        people = People(of_ours, {**extensions, **names})
        yield Observation(
            cursor={"ringing": ringing.rings},
            read_at=at,
            told=addressed(ringing, people, at),
            problem=problem,
        )

    def _agents(self) -> tuple[Agent, ...]:
        """Return whose calls may be asked for."""
        if teams := self._options.teams or self._own_teams():
            found = (agent for team in teams for agent in self._client.team(team).agents)
            return tuple({agent.login: agent for agent in found}.values())
        if not self._settings.agents:
            raise SourceRefused(
                f"{self._settings.username} supervises no team: name teams in the options of the job, "
                "or agents in [finesse]."
            )
        return tuple(self._client.agent(login) for login in self._settings.agents)

    def _own_teams(self) -> tuple[str, ...]:
        try:
            return tuple(team for team, _ in self._client.agent(self._settings.username).teams)
        except NotFound:
            return ()  # an administrator of Finesse need not be anybody's agent

    def _of_ours(self, agents: Iterable[Agent], colleagues: Iterable[Colleague]) -> dict[str, Colleague]:
        """Return the users of ours among these agents, by their log-in."""
        by_name = {colleague.username.casefold(): colleague for colleague in colleagues}
        users = {agent.login: self._settings.user_of(agent.login) for agent in agents}
        return {login: by_name[name] for login, name in users.items() if name in by_name}


def _raise_what_failed_everywhere(seen: Calls) -> None:
    if seen.failed and not seen.of:
        error: SourceError = next(iter(seen.failed.values()))
        raise error
