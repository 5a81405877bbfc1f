"""Asks Finesse for somebody's calls, and says in their language why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

import structlog
from flask import Flask, current_app

from daemon.clients.errors import NotFound, SourceError, SourceUnavailable, WrongAnswer
from daemon.clients.finesse import Calls, FinesseClient
from daemon.clients.finesse_errors import AccountRefused, NotSupervised
from daemon.clients.finesse_settings import FinesseSettings
from daemon.clients.finesse_values import Agent, Call, Team
from web.answers import Problem
from web.finesse.names import Names
from web.language import gettext
from web.people import Person
from web.viewer import viewer

EXTENSION = "helpdesk.finesse"
RETRY_S = 5
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What one viewer process asks with."""

    settings: FinesseSettings
    client: FinesseClient
    names: Names = field(default_factory=Names)


@dataclass(frozen=True, slots=True)
class Board:
    """Calls that somebody may see. `team` is None for their own; `agents` are those whose calls these are."""

    me: Agent
    team: Team | None
    calls: tuple[Call, ...]
    failed: tuple[str, ...]

    def agent(self, login: str) -> Agent:
        """Return the agent of a call."""
        agents = (self.me,) if self.team is None else self.team.agents
        return next((agent for agent in agents if agent.login == login), Agent(login))


def register(app: Flask, settings: FinesseSettings | None) -> None:
    """Let this application ask, where a Finesse is configured."""
    if settings is not None:
        app.extensions[EXTENSION] = Desk(settings, FinesseClient(settings))


def desk() -> Desk | None:
    """Return what this process asks with, None where no Finesse is configured."""
    found: Desk | None = current_app.extensions.get(EXTENSION)
    return found


def board(who: Person, team_id: str = "") -> Board:
    """Return the calls of somebody, or of a team that they supervise. Raises Problem (403, 404, 503)."""
    asking = desk()
    if asking is None:
        raise Problem(503, "finesse_not_configured", gettext("No Finesse is configured."))
    login = asking.settings.agent_of(who.username)
    with _translated(login or who.username):
        if not login:
            _no_agent(who.username)
        if team_id:
            return _of_team(asking.client, asking.client.agent(login), team_id)
        calls = asking.client.calls(login)
        return Board(asking.client.agent(login), None, _sorted(calls), ())


def names_of(calls: tuple[Call, ...]) -> dict[str, str]:
    """Return the names of those numbers that are known."""
    asking = desk()
    numbers = {call.number for call in calls}
    return asking.names.of(viewer().database, numbers) if asking else {}


def _of_team(client: FinesseClient, me: Agent, team_id: str) -> Board:
    if team_id not in dict(me.teams):
        text = gettext("You do not supervise this team.")
        raise Problem(403, "not_your_team", text)
    team = client.team(team_id)
    found = client.calls_of(team.agents)
    _raise_what_failed_everywhere(found)
    for login, error in found.failed.items():
        log.info("calls_of_an_agent_not_read", agent=login, error=str(error))
    calls = tuple(call for calls in found.of.values() for call in calls)
    return Board(me, team, _sorted(calls), tuple(sorted(found.failed)))


def _raise_what_failed_everywhere(found: Calls) -> None:
    """Finesse that answers for nobody is down; one that does for some has trouble with the others."""
    if found.failed and not found.of:
        raise next(iter(found.failed.values()))


def _sorted(calls: tuple[Call, ...]) -> tuple[Call, ...]:
    """Order calls: those that ring first, then by when they began."""
    return tuple(sorted(calls, key=lambda c: (not c.is_ringing, c.agent, str(c.since or ""), c.id)))


@contextmanager
def _translated(agent: str) -> Iterator[None]:
    """Turn what Finesse raises into a Problem. Its own 401 is none of ours: that would say "log in"."""
    try:
        yield
    except NotFound:
        _no_agent(agent)
    except NotSupervised as e:
        text = gettext("Finesse does not show us the calls of agent %(agent)s.", agent=agent)
        advice = gettext("Ask your administrator to let our account supervise your team.")
        raise Problem(403, "finesse_not_supervised", f"{text} {advice}") from e
    except AccountRefused as e:
        log.warning("finesse_refused", error=str(e))
        text = gettext(
            "Finesse refuses our account: its password or its rights are wrong. Tell your administrator."
        )
        raise Problem(503, "finesse_refused", text) from e
    except WrongAnswer as e:
        log.warning("finesse_answered_wrongly", error=str(e))
        text = gettext("What Finesse answers cannot be read. Tell your administrator.")
        raise Problem(503, "finesse_wrong_answer", text) from e
    except SourceError as e:
        log.warning("finesse_unavailable", error=str(e))
        asked_s = e.retry_after_s if isinstance(e, SourceUnavailable) else None
        text = gettext("Finesse is out of service at the moment. It is asked again by itself.")
        raise Problem(503, "finesse_unavailable", text, retry_after_s=round(asked_s or RETRY_S)) from e


def _no_agent(agent: str) -> NoReturn:
    text = gettext("Finesse knows no agent %(agent)s.", agent=agent)
    advice = gettext("If you take calls, ask your administrator to enter your log-in of Finesse.")
    raise Problem(404, "not_an_agent", f"{text} {advice}")
