"""The `[features]` table of `scheduler.toml`."""

from storage.configuration import Settings


class FeatureSettings(Settings):
    """What the viewer offers at all. What is off does not exist for anybody."""

    kanban_enabled: bool = True
    quality_control_enabled: bool = True
