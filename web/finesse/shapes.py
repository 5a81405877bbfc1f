"""What the viewer answers about calls, as models for the document of the API."""

from pydantic import BaseModel, Field

from web.validation import Asked


class CallsQuery(Asked):
    """Of which team the calls are wanted; without one the asker's own."""

    team: str = Field(default="", max_length=64, pattern=r"^[0-9A-Za-z_-]*$")


class DialogAnswer(BaseModel):
    """A call. `state` is in words, a new one as Finesse has it; `start_time` is when the agent joined."""

    id: str
    agent_id: str
    call_id: str
    state: str = Field(examples=["Connected", "Ringing", "Held"])
    start_time: str | None


class DialogList(BaseModel):
    """The calls that are going on; `failed` are agents of the team whose calls could not be read."""

    dialogs: list[DialogAnswer]
    failed: list[str] = []


class CallAnswer(DialogAnswer):
    """A call with what the page shows of it. `name` is whose number it is, "" where nobody knows."""

    agent_name: str
    number: str
    name: str
    queue: str
    is_outgoing: bool
    changed_at: str | None


class TeamAnswer(BaseModel):
    """A team that the asker supervises."""

    id: str
    name: str


class CallList(BaseModel):
    """The page of calls as data; `html` is its list as it is shown."""

    agent: str
    team: TeamAnswer | None
    teams: list[TeamAnswer]
    calls: list[CallAnswer]
    failed: list[str]
    as_of: str
    html: str
