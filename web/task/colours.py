"""Colours of statuses and priorities: Redmine has none, so they are configured by name, with a default.

All are written as #rrggbb. Pages show them as a mark beside the name, never as the only sign or under text.
"""

from collections.abc import Mapping
from types import MappingProxyType

from web.viewer import viewer

# Statuses that Redmine's own default data brings, in English and in Russian.
KNOWN = MappingProxyType(
    {
        "new": "#206bc4",
        "новый": "#206bc4",
        "новая": "#206bc4",
        "in progress": "#f59f00",
        "в работе": "#f59f00",
        "resolved": "#2fb344",
        "решен": "#2fb344",
        "решена": "#2fb344",
        "решено": "#2fb344",
        "feedback": "#ae3ec9",
        "обратная связь": "#ae3ec9",
        "нужен отклик": "#ae3ec9",
        "rejected": "#a4583c",
        "отказ": "#a4583c",
        "отклонена": "#a4583c",
    }
)
CLOSED = "#667382"
OPEN = ("#4299e1", "#f76707", "#0ca678", "#d6336c", "#4263eb", "#74b816", "#17a2b8", "#ae3ec9")
# The least urgent first; whatever is above the last is as red as it.
URGENCY = ("#667382", "#206bc4", "#f76707", "#d63939", "#a61e4d")
ORDINARY = URGENCY[1]


def status_colour(status_id: int, name: str, is_closed: bool = False) -> str:
    """Return the colour of a status: as configured, as is usual for its name, or one of its own."""
    found = _by_name(viewer().settings.tasks.status_colors, name) or KNOWN.get(_plain(name))
    if found:
        return found
    return CLOSED if is_closed else OPEN[status_id % len(OPEN)]


def priority_colour(_priority_id: int, name: str, position: int | None = None) -> str:
    """Return the colour of a priority; `position` counts from 0, the least urgent, None where unknown."""
    configured = _by_name(viewer().settings.tasks.priority_colors, name)
    if configured:
        return configured
    return ORDINARY if position is None else URGENCY[min(position, len(URGENCY) - 1)]


def _by_name(colours: Mapping[str, str], name: str) -> str:
    wanted = _plain(name)
    return next((colour for key, colour in colours.items() if _plain(key) == wanted), "")


def _plain(name: str) -> str:
    return name.strip().casefold().replace("ё", "е")
