"""What the viewer answers about other systems and its set-up, as models for the document of the API."""

from pydantic import BaseModel, Field


class ProjectShown(BaseModel):
    """A project that the asker may see in Redmine."""

    id: int
    name: str
    identifier: str
    description: str


class ProjectList(BaseModel):
    """All of them."""

    projects: list[ProjectShown]


class StatusShown(BaseModel):
    """A status of issues. Redmine has no colours: they come from `[tasks] status_colors`."""

    id: int
    name: str
    color: str = Field(examples=["#0000ff"])
    is_default: bool
    is_closed: bool


class StatusList(BaseModel):
    """All of them, in Redmine's order."""

    statuses: list[StatusShown]


class ErpUser(BaseModel):
    """What the ERP says of a person."""

    username: str
    full_name: str
    department: str
    position: str


class ErpAnswer(BaseModel):
    """Whether the ERP knows this name, and who it is."""

    exists: bool
    user: ErpUser | None


class RedmineShown(BaseModel):
    """Where Redmine is; `api_enabled`: whether it is configured."""

    url: str
    api_enabled: bool


class ChannelsShown(BaseModel):
    """How people can be told of news besides the page itself."""

    push_enabled: bool
    email_enabled: bool
    sound_enabled: bool


class FeaturesShown(BaseModel):
    """Which parts of the product are switched on."""

    kanban_enabled: bool
    quality_control_enabled: bool


class ConfigShown(BaseModel):
    """What a page must know of the configuration; no secrets are in it."""

    redmine: RedmineShown
    notifications: ChannelsShown
    features: FeaturesShown
