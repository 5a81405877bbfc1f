"""Finesse's XML as its developer guide shows it."""

from defusedxml import ElementTree

STARTED = "2024-01-16T14:15:00.123Z"
CHANGED = "2024-01-16T14:15:07.456Z"


def end(address: str, state: str = "ACTIVE", kind: str = "AGENT_DEVICE", started: str = STARTED) -> str:
    """One participant."""
    return (
        f"<Participant><actions><action>HOLD</action><action>DROP</action></actions>"
        f"<mediaAddress>{address}</mediaAddress><mediaAddressType>{kind}</mediaAddressType>"
        f"<startTime>{started}</startTime><state>{state}</state><stateCause/>"
        f"<stateChangeTime>{CHANGED}</stateChangeTime></Participant>"
    )


def outside(address: str, state: str = "ACTIVE") -> str:
    """The participant that is no agent; of these Finesse knows no device type."""
    return end(address, state, kind="", started="2024-01-16T14:14:50.000Z")


def dialog(dialog_id: str, *ends: str, state: str = "ACTIVE", **fields: str) -> str:
    """One call: from an outside number to agent 1001, where nothing else is said."""
    known = {"fromAddress": "84951234567", "toAddress": "1001", "secondaryId": "", "callType": "ACD_IN"}
    known |= fields
    media = (
        f"<mediaProperties><mediaId>1</mediaId><dialedNumber>8800</dialedNumber>"
        f"<callType>{known.pop('callType')}</callType><DNIS/><queueName>Support</queueName>"
        f"{known.pop('media', '<callKeyCallId>call789</callKeyCallId>')}"
        f"<callvariables><CallVariable><name>callVariable1</name><value>x</value></CallVariable>"
        f"</callvariables></mediaProperties>"
    )
    rest = "".join(f"<{name}>{value}</{name}>" for name, value in known.items())
    ends = ends or (outside(known["fromAddress"]), end("1001"))
    return (
        f"<Dialog><associatedDialogUri/>{rest}<id>{dialog_id}</id><mediaType>Voice</mediaType>{media}"
        f"<participants>{''.join(ends)}</participants><state>{state}</state>"
        f"<uri>/finesse/api/Dialog/{dialog_id}</uri></Dialog>"
    )


def ringing(dialog_id: str, number: str = "84951234567", agent: str = "1001", **fields: str) -> str:
    """A call that waits for an agent."""
    ends = (outside(number, "INITIATED"), end(agent, "ALERTING"))
    return dialog(dialog_id, *ends, state="ALERTING", fromAddress=number, toAddress=agent, **fields)


def user(login: str, first: str = "", last: str = "", state: str = "READY", extension: str = "") -> str:
    """An agent as a team lists them."""
    return (
        f"<User><uri>/finesse/api/User/{login}</uri><loginId>{login}</loginId><firstName>{first}</firstName>"
        f"<lastName>{last}</lastName><dialogs>/finesse/api/User/{login}/Dialogs</dialogs>"
        f"<extension>{extension or login}</extension><state>{state}</state><pendingState/>"
        f"<stateChangeTime>{CHANGED}</stateChangeTime><reasonCode/></User>"
    )


def team(team_id: str, name: str) -> str:
    """A team as a supervisor's User names it."""
    return f"<Team><uri>/finesse/api/Team/{team_id}</uri><id>{team_id}</id><name>{name}</name></Team>"


def backwards(xml: str) -> str:
    """The same call with all of its children, and theirs, in reverse order."""
    root = ElementTree.fromstring(xml)
    for element in list(root.iter()):
        if element.tag in {"Dialog", "mediaProperties", "participants", "Participant"}:
            element[:] = reversed(element)
    return str(ElementTree.tostring(root, encoding="unicode"))
