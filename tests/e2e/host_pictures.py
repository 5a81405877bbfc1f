"""States of the pages of hosts, for screenshots and for the tests of how they look."""

import math
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from playwright.sync_api import Page

from storage import users
from storage.columns import utc_now
from storage.models import Host, HostAcknowledgement, HostCheck, HostMaintenance, HostOutage
from tests.e2e.viewer import Person, ViewerUnderTest

if TYPE_CHECKING:
    from tests.e2e.screenshots import Look

HOUR = timedelta(hours=1)
GROUPS = (
    ("Серверная", (("core-gw", "up", ""), ("redmine.example.com", "up", ""), ("db-primary", "up", ""))),
    (
        "Склад",
        (
            ("sklad-gw", "down", "no_answer"),
            (
                "sklad-printer-very-long-name-of-a-host.warehouse.example.com",
                "unreachable",
                "parent sklad-gw",
            ),
            ("sklad-camera", "unreachable", "parent sklad-gw"),
        ),
    ),
    (
        "",
        (
            ("backup", "up", ""),
            ("old-nas", "unknown", "not_resolved Name or service not known"),
            ("wifi-hall", "up", ""),
        ),
    ),
)


def fill(viewer: ViewerUnderTest) -> None:
    """Write a network with a history of a month, once."""
    with viewer.database.write() as session:
        if session.scalar(sa.select(sa.func.count()).select_from(Host)):
            return
        draw, now, position = random.Random(7), utc_now(), 0
        for group, hosts in GROUPS:
            for name, state, reason in hosts:
                position += 1
                host = _host(position, name, group, state, reason)
                session.add(host)
                session.flush()
                session.add_all(_checks(host.id, draw, state))
                if state in {"down", "unreachable"}:
                    began = now - timedelta(hours=2, minutes=13)
                    session.add(HostOutage(host_id=host.id, started_at=began, state=state, reason=reason))
                older = now - timedelta(days=draw.randint(2, 20), hours=5)
                session.add(
                    HostOutage(
                        host_id=host.id, started_at=older, ended_at=older + timedelta(hours=7, minutes=40),
                        state="down", reason="refused 10.0.0.254",
                    )
                )  # fmt: skip
        session.add(
            HostAcknowledgement(
                host_id=4, note="Провайдер чинит кабель", by_name="Ольга Ким", at=now, until=now + 4 * HOUR
            )
        )
        session.add(
            HostMaintenance(
                host_id=7, begins_at=now - HOUR, ends_at=now + HOUR, note="Замена дисков", by_name="Ольга Ким"
            )
        )


def _host(position: int, name: str, group: str, state: str, reason: str) -> Host:
    now, answers = utc_now(), state == "up"
    return Host(
        name=name, address=f"10.20.30.{position}", ip=f"10.20.30.{position}", group_name=group,
        parent="sklad-gw" if state == "unreachable" else "", position=position, state=state, reason=reason,
        told="up", state_since=now - timedelta(hours=2, minutes=13), has_answered=answers, sent=5,
        received=(4 if name == "wifi-hall" else 5) if answers else 0, is_flapping=name == "wifi-hall",
        rtt_min_ms=0.21 if answers else None, rtt_ms=0.34 * position if answers else None,
        rtt_max_ms=9.0 if answers else None, checked_at=now - timedelta(seconds=40),
        maintenance_until=now + HOUR if name == "backup" else None,
    )  # fmt: skip


def _checks(host_id: int, draw: random.Random, state: str) -> list[HostCheck]:
    """Return a month by hours and a day by five minutes, with a bad evening and, for some, a bad end."""
    now = utc_now()
    ages = [timedelta(hours=hour) for hour in range(25, 720)] + [timedelta(minutes=5 * n) for n in range(288)]
    rows = []
    for age in ages:
        at = now - age
        load = 8 + 5 * math.sin(at.hour / 24 * 2 * math.pi) + draw.random() * 2
        is_gone = state != "up" and age < timedelta(hours=2, minutes=13)
        lost = 5 if is_gone else draw.choice((0, 0, 0, 0, 0, 1)) + (2 if at.hour == 19 else 0)
        rows.append(
            HostCheck(
                host_id=host_id, checked_at=at, span_s=300, sent=5, received=5 - lost,
                rtt_min_ms=None if is_gone else load * 0.8, rtt_median_ms=None if is_gone else load,
                rtt_max_ms=None if is_gone else load * (1.2 + draw.random()),
            )
        )  # fmt: skip
    return rows


def admin(look: "Look") -> Person:
    """Return an administrator, for whom the network is filled."""
    fill(look.desk.viewer)
    person = look.person()
    with look.desk.viewer.database.write() as session:
        user = users.find(session, person.id)
        assert user is not None
        user.role = "admin"
    return person


def hosts(look: "Look") -> Page:
    return look.page(admin(look), "/netmonitor")


def host_up(look: "Look") -> Page:
    return look.page(admin(look), "/netmonitor/hosts/redmine.example.com")


def host_down(look: "Look") -> Page:
    return look.page(admin(look), "/netmonitor/hosts/sklad-gw")


def host_month(look: "Look") -> Page:
    return look.page(admin(look), "/netmonitor/hosts/db-primary?span=30d")


def host_outages(look: "Look") -> Page:
    return look.page(admin(look), "/netmonitor/outages")


STATES = (hosts, host_up, host_down, host_month, host_outages)
