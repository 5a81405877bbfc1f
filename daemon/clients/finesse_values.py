"""Calls, agents and teams as Finesse tells of them, with whatever it leaves out left empty."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from daemon.clients.finesse_xml import Node

# What an agent began. Other types came in, those that are not known among them.
OUTGOING = frozenset({"OUT", "AUTO_OUT", "AGENT_OUT", "OUTBOUND"})
_DEVICE = "AGENT_DEVICE"
# States of a participant that say more than the state of the whole call.
_OF_PARTICIPANT = frozenset({"HELD", "WRAP_UP", "ALERTING", "DROPPED"})


@dataclass(frozen=True, slots=True)
class Participant:
    """One end of a call. `since` is when it joined, `changed_at` when its state became this one."""

    address: str
    kind: str
    state: str
    since: datetime | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Dialog:
    """A call. `secondary_id` is the dialog that a transfer ended; unknown values stay as they are."""

    id: str
    secondary_id: str
    state: str
    call_type: str
    call_id: str
    from_address: str
    to_address: str
    dialed: str
    queue: str
    participants: tuple[Participant, ...]


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who takes calls. `teams` are those they supervise, {id: name}."""

    login: str
    name: str = ""
    extension: str = ""
    state: str = ""
    teams: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Team:
    """A team and its agents."""

    id: str
    name: str
    agents: tuple[Agent, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A dialog as one agent has it. `number` is the other end's; `since` when the agent joined."""

    id: str
    secondary_id: str
    agent: str
    call_id: str
    state: str
    is_outgoing: bool
    number: str
    queue: str
    since: datetime | None
    changed_at: datetime | None

    @property
    def is_ringing(self) -> bool:
        """Whether it waits for the agent to take it."""
        return self.state == "ALERTING" and not self.is_outgoing


def dialogs_of(root: Node) -> tuple[Dialog, ...]:
    """Return the calls of an answer, those without any id left out."""
    found = (_dialog(node) for node in root.all("Dialog"))
    return tuple(dialog for dialog in found if dialog.id)


def agent_of(node: Node, login: str = "") -> Agent:
    """Return the agent of a User; `login` is who was asked for."""
    name = " ".join(part for part in (node.value("firstName"), node.value("lastName")) if part)
    is_supervisor = any(role.text.casefold() == "supervisor" for role in node.below("roles", "role"))
    teams = tuple(
        (team.value("id"), team.value("name")) for team in node.below("teams", "Team") if team.value("id")
    )
    return Agent(
        node.value("loginId") or login,
        name,
        node.value("extension"),
        node.value("state"),
        teams if is_supervisor else (),
    )


def team_of(root: Node, team_id: str) -> Team:
    """Return a team with those of its agents that have a log-in."""
    agents = (agent_of(node) for node in root.below("users", "User"))
    return Team(root.value("id") or team_id, root.value("name"), tuple(a for a in agents if a.login))


def call_of(dialog: Dialog, agent: Agent) -> Call:
    """Return a dialog as this agent has it."""
    own = _own(dialog, agent.extension)
    mine = own.address if own else agent.extension
    knows_both = bool(mine and dialog.from_address)
    is_outgoing = mine == dialog.from_address if knows_both else dialog.call_type in OUTGOING
    number = (dialog.to_address or dialog.dialed) if is_outgoing else dialog.from_address
    return Call(
        dialog.id,
        dialog.secondary_id,
        agent.login,
        dialog.call_id or dialog.id,
        own.state if own and own.state in _OF_PARTICIPANT else dialog.state,
        is_outgoing,
        number,
        dialog.queue,
        own.since if own else None,
        own.changed_at if own else None,
    )


def _own(dialog: Dialog, extension: str) -> Participant | None:
    """Return the agent's end: by the extension, else the only one of an agent."""
    if extension:
        for participant in dialog.participants:
            if participant.address == extension:
                return participant
    devices = [one for one in dialog.participants if one.kind == _DEVICE]
    return devices[0] if len(devices) == 1 else None


def _dialog(node: Node) -> Dialog:
    media = next(node.all("mediaProperties"), Node(""))
    return Dialog(
        id=node.value("id") or node.value("uri").rstrip("/").rpartition("/")[2],
        secondary_id=node.value("secondaryId"),
        state=node.value("state"),
        call_type=media.value("callType"),
        call_id=media.value("callKeyCallId") or _variable(media.all("callvariables"), "callKeyCallId"),
        from_address=node.value("fromAddress"),
        to_address=node.value("toAddress"),
        dialed=media.value("dialedNumber"),
        queue=media.value("queueName"),
        participants=tuple(_participant(one) for one in node.below("participants", "Participant")),
    )


def _variable(groups: Iterable[Node], name: str) -> str:
    variables = (variable for group in groups for variable in group.all("CallVariable"))
    return next((one.value("value") for one in variables if one.value("name") == name), "")


def _participant(node: Node) -> Participant:
    return Participant(
        address=node.value("mediaAddress"),
        kind=node.value("mediaAddressType"),
        state=node.value("state"),
        since=_moment(node.value("startTime")),
        changed_at=_moment(node.value("stateChangeTime")),
    )


def _moment(text: str) -> datetime | None:
    """Return a moment, aware UTC; None for what is empty or no time. Without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
