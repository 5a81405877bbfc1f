"""The tables about what people do in the viewer: `[features]`, `[tasks]` and `[quality_control]`."""

from typing import Annotated

from pydantic import Field

from storage.configuration import Settings

Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class FeatureSettings(Settings):
    """The `[features]` table: what is offered at all. What is off does not exist for anybody."""

    kanban_enabled: bool = True
    quality_control_enabled: bool = True
    sound_enabled: bool = True
    # Whether people set the end of their own VPN access; else only administrators do.
    own_vpn_date_enabled: bool = False


class TaskSettings(Settings):
    """The `[tasks]` table. Colours and limits are by Redmine's names of statuses and priorities."""

    text_formatting: str = Field(default="textile", pattern="^(textile|common_mark)$")
    status_colors: dict[str, Colour] = Field(default_factory=dict)
    priority_colors: dict[str, Colour] = Field(default_factory=dict)
    wip_limits: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    max_upload_mb: int = Field(default=50, ge=1, le=2048)
    # How long Redmine's word that somebody may see their tasks is taken without asking again, and for how
    # long it stands where Redmine does not answer.
    rights_fresh_s: float = Field(default=60.0, ge=0, le=3600)
    rights_valid_s: float = Field(default=900.0, ge=0, le=86_400)


class QualitySettings(Settings):
    """The `[quality_control]` table: whose issues are counted. Empty means all."""

    projects: tuple[str, ...] = ()
    trackers: tuple[str, ...] = ()
