"""Every shape in which Finesse answers, over HTTPS, and what is made of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from daemon.clients.errors import WrongAnswer
from daemon.clients.finesse_values import Agent, Call
from tests.finesse.conftest import MakeClient
from tests.finesse.samples import CHANGED, STARTED, backwards, dialog, end, outside, ringing, team, user
from tests.finesse.server import NOT_YOURS, FinesseUnderTest, says

CONNECTED = Call(
    id="dialog123",
    secondary_id="",
    agent="1001",
    call_id="call789",
    state="ACTIVE",
    is_outgoing=False,
    number="84951234567",
    queue="Support",
    since=datetime.fromisoformat(STARTED),
    changed_at=datetime.fromisoformat(CHANGED),
)
DIALOGS = "/User/1001/Dialogs"


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        pytest.param(dialog("dialog123"), CONNECTED, id="as in the guide"),
        pytest.param(
            dialog("dialog123", end("1001"), outside("84951234567")),
            CONNECTED,
            id="any order of participants",
        ),
        pytest.param(backwards(dialog("dialog123")), CONNECTED, id="any order of all"),
        pytest.param(
            backwards(dialog("dialog123", secondaryId="dialog122", fromAddress="900", callType="TRANSFER")),
            replace(CONNECTED, secondary_id="dialog122", number="900"),
            id="any order of a transfer",
        ),
        pytest.param(
            dialog("dialog123", media=""), replace(CONNECTED, call_id="dialog123"), id="no callKeyCallId"
        ),
        pytest.param(
            dialog(
                "dialog123",
                media="<callvariables><CallVariable><name>callKeyCallId</name><value>77</value>"
                "</CallVariable></callvariables>",
            ),
            replace(CONNECTED, call_id="77"),
            id="callKeyCallId among the variables",
        ),
        pytest.param(
            dialog("dialog123", end("1001", started=""), outside("84951234567")),
            replace(CONNECTED, since=None),
            id="empty startTime",
        ),
        pytest.param(
            dialog("dialog123", end("1001", "HELD"), outside("84951234567")),
            replace(CONNECTED, state="HELD"),
            id="held by the agent",
        ),
        pytest.param(
            dialog("dialog123", end("1001"), outside("84951234567", "HELD")),
            CONNECTED,
            id="held by the other",
        ),
        pytest.param(
            dialog("dialog123", end("1001"), end("1002"), callType="CONSULT", fromAddress="1002"),
            replace(CONNECTED, number="1002"),
            id="two agents: the one with the extension",
        ),
        pytest.param(
            dialog("dialog123", end("1001"), outside("900"), fromAddress="1001", toAddress="900"),
            replace(CONNECTED, is_outgoing=True, number="900"),
            id="outgoing",
        ),
        pytest.param(
            dialog("dialog123", end("1001"), fromAddress="1001", toAddress=""),
            replace(CONNECTED, is_outgoing=True, number="8800"),
            id="outgoing, only dialled",
        ),
        pytest.param(
            dialog("dialog123", secondaryId="dialog122", fromAddress="900", callType="TRANSFER"),
            replace(CONNECTED, secondary_id="dialog122", number="900"),
            id="transferred: other addresses, and the ended dialog",
        ),
        pytest.param(
            dialog("dialog123", state="TELEPORTING", callType="BY_THOUGHT"),
            replace(CONNECTED, state="TELEPORTING"),
            id="states and types that nobody knows",
        ),
        pytest.param(
            dialog("dialog123").replace("<id>dialog123</id>", ""), CONNECTED, id="the id only in the uri"
        ),
        pytest.param(
            "<Dialog><id>dialog123</id></Dialog>",
            Call("dialog123", "", "1001", "dialog123", "", False, "", "", None, None),
            id="almost nothing",
        ),
        pytest.param(ringing("dialog123"), replace(CONNECTED, state="ALERTING"), id="ringing"),
    ],
)
def test_one_call(finesse: FinesseUnderTest, make_client: MakeClient, sent: str, wanted: Call) -> None:
    finesse.has_agent("1001", sent)
    assert make_client().calls("1001") == (wanted,)


@pytest.mark.parametrize("body", ["<Dialogs/>", "<Dialogs></Dialogs>", "<ns2:Dialogs/>", "\ufeff<Dialogs/>"])
def test_no_call(finesse: FinesseUnderTest, make_client: MakeClient, body: str) -> None:
    finesse.has_agent("1001")
    finesse.texts[DIALOGS] = body
    assert make_client().calls("1001") == ()


def test_many_calls_and_one_without_an_id(finesse: FinesseUnderTest, make_client: MakeClient) -> None:
    finesse.has_agent("1001", dialog("1"), "<Dialog><state>ACTIVE</state></Dialog>", dialog("2"))
    assert [call.id for call in make_client().calls("1001")] == ["1", "2"]


@pytest.mark.parametrize("declared", ["", ' xmlns:ns2="http://example.com/finesse"'])
def test_prefixes_are_no_part_of_names(
    finesse: FinesseUnderTest, make_client: MakeClient, declared: str
) -> None:
    """Whether the prefix is declared or not."""
    finesse.has_agent("1001", dialog("dialog123"))
    plain = finesse.texts[DIALOGS]
    prefixed = plain.replace("</", "</ns2:").replace("<", "<ns2:").replace("<ns2:/ns2:", "</ns2:")
    finesse.texts[DIALOGS] = prefixed.replace("<ns2:Dialogs", f"<ns2:Dialogs{declared}", 1)
    assert make_client().calls("1001") == (CONNECTED,)


def test_without_the_right_to_read_the_agent_the_only_device_is_theirs(
    finesse: FinesseUnderTest, make_client: MakeClient
) -> None:
    finesse.has_agent("1001", dialog("dialog123"))
    finesse.behaviours["/User/1001"] = says(401, NOT_YOURS)
    assert make_client().calls("1001") == (CONNECTED,)


def test_of_two_devices_and_no_extension_none_is_taken(
    finesse: FinesseUnderTest, make_client: MakeClient
) -> None:
    finesse.has_agent("1001", dialog("1", end("2001"), end("2002")), extension="3000")
    [call] = make_client().calls("1001")
    assert (call.since, call.is_outgoing) == (None, False)


def test_a_time_without_a_zone_or_no_time_at_all(finesse: FinesseUnderTest, make_client: MakeClient) -> None:
    times = {"2024-01-16T14:15:00": datetime(2024, 1, 16, 14, 15, tzinfo=UTC), "yesterday": None}
    finesse.has_agent("1001", *(dialog(time, end("1001", started=time)) for time in times))
    assert {call.id: call.since for call in make_client().calls("1001")} == times


def test_an_agent_and_a_team(finesse: FinesseUnderTest, make_client: MakeClient) -> None:
    finesse.has_agent("1001", extension="2001", first="Ann", last="Lee", teams=team("5", "Support"))
    finesse.has_team("5", "Support & more", user("1001", "Ann", "Lee"), "<User><state/></User>")
    client = make_client()
    assert client.agent("1001") == Agent("1001", "Ann Lee", "2001", "READY", (("5", "Support"),))
    found = client.team("5")
    assert (found.id, found.name) == ("5", "Support & more")
    assert found.agents == (Agent("1001", "Ann Lee", "1001", "READY"),)


def test_who_is_no_supervisor_has_no_teams(finesse: FinesseUnderTest, make_client: MakeClient) -> None:
    finesse.has_agent("1001", teams=team("5", "Support"))
    finesse.texts["/User/1001"] = finesse.texts["/User/1001"].replace("<role>Supervisor</role>", "")
    assert make_client().agent("1001").teams == ()


BILLION = "<!DOCTYPE Dialogs [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BILLION + "]><Dialogs>&j;</Dialogs>", id="a billion laughs"),
        pytest.param(
            f"<!DOCTYPE d [<!ENTITY a '{'x' * 50_000}'>]><Dialogs>{'&a;' * 5000}</Dialogs>", id="quadratic"
        ),
        pytest.param(
            '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><Dialogs>&a;</Dialogs>', id="a file"
        ),
        pytest.param('<!DOCTYPE d SYSTEM "https://localhost/evil.dtd"><Dialogs/>', id="a DTD elsewhere"),
        pytest.param("<!DOCTYPE Dialogs><Dialogs/>", id="any document type"),
        pytest.param("<Dialogs>&unknown;</Dialogs>", id="an unknown entity"),
        pytest.param("<Dialogs>" + "<a>" * 100_000, id="very deep"),
        pytest.param("<Dialogs>" + "<Dialog/>" * 60_000 + "</Dialogs>", id="very many"),
        pytest.param("<Dialogs><Dialog></Dialogs>", id="broken"),
        pytest.param("", id="nothing"),
        pytest.param("\0\1\2", id="noise"),
        pytest.param("<?xml version='1.0' encoding='utf-7'?><Dialogs/>", id="a strange encoding"),
        pytest.param("<!doctype html><html><body>Sign in<br></body></html>", id="a page"),
    ],
)
def test_an_answer_that_is_not_to_be_trusted(
    finesse: FinesseUnderTest, make_client: MakeClient, body: str
) -> None:
    finesse.has_agent("1001")
    finesse.texts[DIALOGS] = body
    with pytest.raises(WrongAnswer, match="/User/1001/Dialogs"):
        make_client().calls("1001")
