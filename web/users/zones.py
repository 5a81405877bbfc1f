"""The time zones that a form offers."""

from web.language import time_zones


def zones(present: str) -> list[tuple[str, str]]:
    """Return values and labels; the one that holds is among them whatever it is."""
    names = time_zones() if present in time_zones() else (present, *time_zones())
    return [(name, name.replace("_", " ")) for name in names]
