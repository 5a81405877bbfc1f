"""When somebody works on a host: windows of the configuration, in their time zone."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from daemon.clients.host_settings import HostSettings, MaintenanceSettings
from daemon.hosts.maintenance import configured, until


def settings(**given: Any) -> MaintenanceSettings:
    return MaintenanceSettings.model_validate_json(json.dumps(given))


NIGHT = {"begin": "23:00", "end": "02:00"}
MOSCOW = {"begin": "02:00", "end": "04:00:00", "time_zone": "Europe/Moscow", "days": ["sat"]}
BERLIN = {"begin": "01:30", "end": "03:30", "time_zone": "Europe/Berlin"}
ONCE = {"begins_at": "2026-03-02T10:00:00+03:00", "ends_at": "2026-03-02T09:00:00Z"}
CASES = [
    ("before-midnight", NIGHT, "2026-03-02T23:30", "2026-03-03T02:00"),
    ("after-midnight", NIGHT, "2026-03-03T01:59", "2026-03-03T02:00"),
    ("over", NIGHT, "2026-03-03T02:00", None),
    ("at-noon", NIGHT, "2026-03-03T12:00", None),
    ("saturday-in-moscow-is-friday-here", MOSCOW, "2026-03-06T23:00", "2026-03-07T01:00"),
    ("another-day", MOSCOW, "2026-03-05T23:00", None),
    ("clocks-forward", BERLIN, "2026-03-29T00:45", "2026-03-29T01:30"),
    ("clocks-back", BERLIN, "2026-10-25T02:15", "2026-10-25T02:30"),
    ("once", ONCE, "2026-03-02T08:00", "2026-03-02T09:00"),
    ("once-over", ONCE, "2026-03-02T09:00", None),
    ("all-day", {"begin": "00:00", "end": "00:00", "days": ["mon"]}, "2026-03-02T12:00", "2026-03-03T00:00"),
]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("given", "now", "end"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_windows(given: dict[str, Any], now: str, end: str | None) -> None:
    found = until(configured([settings(**given)], utc(now)), utc(now))
    assert found == (utc(end) if end else None)


def test_windows_that_touch_are_one() -> None:
    now, hour = utc("2026-03-02T12:00"), timedelta(hours=1)
    windows = [(now + hour, now + 2 * hour), (now - hour, now + hour), (now + 3 * hour, now + 4 * hour)]
    assert until(windows, now) == now + 2 * hour


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "must have begin and end"),
        ({"begin": "02:00"}, "must have begin and end"),
        ({**NIGHT, **ONCE}, "must have begin and end"),
        ({"begins_at": "2026-03-02T10:00:00", "ends_at": "2026-03-02T11:00:00"}, "must have a zone"),
        ({"begins_at": ONCE["ends_at"], "ends_at": ONCE["begins_at"]}, "must be after"),
        ({**NIGHT, "time_zone": "Moon/Sea"}, "must be a time zone"),
        ({**NIGHT, "days": ["someday"]}, "mon"),
    ],
)
def test_what_is_no_window_is_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        settings(**given)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"name": "a/b"}, "without slashes"),
        ({"name": " a"}, "without spaces at its ends"),
        ({"address": "two words"}, "without spaces"),
        ({"address": "224.0.0.1"}, "one host"),
        ({"address": "255.255.255.255"}, "one host"),
        ({"address": "0.0.0.0"}, "one host"),  # noqa: S104 - refused
        ({"interval_s": 0.0}, "greater than or equal"),
    ],
)
def test_what_is_no_host_is_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        HostSettings.model_validate({"name": "a", "address": "10.0.0.1"} | given)
