"""Where somebody is signed in, in words that they recognise."""

import hashlib
from collections.abc import Iterable
from typing import Any

from storage.models import SignIn
from web.answers import iso
from web.language import gettext
from web.people import this_device

# The first that a browser's own words contain; most name several of those further down besides.
BROWSERS = (
    ("YaBrowser/", "Yandex Browser"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-requests/", "Python"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def shown(sign_ins: Iterable[SignIn]) -> list[dict[str, Any]]:
    """Return devices as pages and programs get them."""
    here = this_device()
    return [
        {
            "key": key_of(row.device),
            "name": name_of(row.user_agent),
            "address": row.address,
            "created_at": iso(row.created_at),
            "seen_at": iso(row.seen_at),
            "is_this": row.device == here,
        }
        for row in sign_ins
    ]


def key_of(device: str) -> str:
    """Return what addresses name a device by: its own name stands in its cookie and nowhere else."""
    return hashlib.sha256(device.encode()).hexdigest()[:16]


def name_of(user_agent: str) -> str:
    """Return browser and system, "" where neither is known, from a User-Agent header."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return gettext("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system
