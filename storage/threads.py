"""Pure: what a notification is about that is no issue, and which page of ours shows it."""

from urllib.parse import quote

PAGES = {"call": "/finesse/calls", "host": "/netmonitor", "network": "/netmonitor"}
ACCOUNT = frozenset({"erp", "vpn"})


def page_of(thread: str) -> str:
    """Return the path of the page of a thread such as `call:7` or `host:gw-1`, "" where it has none."""
    kind, _, name = thread.partition(":")
    if kind in ACCOUNT:
        return "/users/profile"
    if kind == "host" and name:
        return f"/netmonitor/hosts/{quote(name, safe='')}"
    return PAGES.get(kind, "")
