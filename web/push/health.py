# mypy: allow-untyped-calls
"""How delivery does, for administrators: figures by channel, the queue, devices that fail."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from storage import deliveries, delivery_health
from storage.columns import utc_now
from storage.delivery_health import Failing, Tally
from storage.models import ChannelState
from web.answers import iso, page, wants_json
from web.contract import documented
from web.policy import Policy, allow
from web.users.devices import name_of
from web.viewer import viewer

bp = Blueprint("delivery", __name__, url_prefix="/admin/delivery")
MOST_DEVICES = 50
MOST_REASONS = 20
PERIODS = {"day": timedelta(days=1), "week": timedelta(days=7)}
ENDS = ("sent", "failed", "skipped", "expired")


class Figures(BaseModel):
    """Deliveries recorded in a period. `received`: the device itself said that it has shown it."""

    sent: int
    received: int
    failed: int
    skipped: int
    expired: int
    waiting: int


class ChannelHealth(BaseModel):
    """One channel; `problem` is what is wrong with its settings, "" where nothing is."""

    name: str
    is_on: bool
    problem: str
    problem_at: str | None
    last_success_at: str | None
    day: Figures
    week: Figures


class Queue(BaseModel):
    """What is due and has not been sent; how long the oldest of it has been due."""

    length: int
    age_s: float


class FailingDevice(BaseModel):
    """A browser whose last try failed."""

    id: int
    username: str
    name: str
    service: str
    last_error: str
    last_error_at: str | None
    last_success_at: str | None


class Reason(BaseModel):
    """Why deliveries of the last seven days failed, and how often."""

    channel: str
    error: str
    count: int = Field(ge=1)


class DeliveryHealth(BaseModel):
    """All that an administrator sees of delivery."""

    channels: list[ChannelHealth]
    queue: Queue
    devices: int
    failing_devices: list[FailingDevice]
    reasons: list[Reason]


@bp.get("")
@allow(Policy.ADMIN)
@documented(DeliveryHealth, 401, 403, 503, tags=["admin"])  # type: ignore[untyped-decorator]
def delivery_page() -> str | Response:
    """Return how delivery does."""
    with viewer().database.read() as reading:
        health = _health(reading, utc_now())
    return jsonify(health) if wants_json() else page("delivery.html", health=health)


def _health(reading: Session, now: datetime) -> dict[str, Any]:
    week = PERIODS["week"]
    length, age = deliveries.backlog(reading, now)
    found = {name: delivery_health.tallies(reading, now - length_) for name, length_ in PERIODS.items()}
    states = {state.name: state for state in delivery_health.channels(reading)}
    return {
        "channels": [
            _channel(name, states.get(name), found)
            for name in sorted(viewer().settings.channels | set(states) | set(found["week"]))
        ],
        "queue": {"length": length, "age_s": round(age.total_seconds(), 1)},
        "devices": delivery_health.subscribed(reading),
        "failing_devices": [_device(one) for one in delivery_health.failing(reading, MOST_DEVICES)],
        "reasons": [
            {"channel": channel, "error": error, "count": count}
            for channel, error, count in delivery_health.reasons(reading, now - week, MOST_REASONS)
        ],
    }


def _channel(
    name: str, state: ChannelState | None, found: Mapping[str, Mapping[str, Tally]]
) -> dict[str, Any]:
    return {
        "name": name,
        "is_on": name in viewer().settings.channels,
        "problem": state.problem if state else "",
        "problem_at": _moment(state.problem_at if state else None),
        "last_success_at": _moment(state.last_success_at if state else None),
        **{period: _figures(tallies.get(name, Tally({}, 0))) for period, tallies in found.items()},
    }


def _figures(tally: Tally) -> dict[str, int]:
    states = tally.states
    return {
        **{state: states.get(state, 0) for state in ENDS},
        "received": tally.received,
        "waiting": states.get("due", 0) + states.get("claimed", 0),
    }


def _device(failing: Failing) -> dict[str, Any]:
    device = failing.device
    return {
        "id": device.id,
        "username": failing.username,
        "name": name_of(device.user_agent),
        "service": urlsplit(device.endpoint).hostname or "",
        "last_error": device.last_error,
        "last_error_at": _moment(device.last_error_at),
        "last_success_at": _moment(device.last_success_at),
    }


def _moment(at: datetime | None) -> str | None:
    return iso(at) if at else None
