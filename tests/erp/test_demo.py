"""The demo's ERP: whatever it changes about the demo user is told by the ERP's job."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.demo.office import POSTS, DemoOffice
from daemon.demo.world import DEMO_LOGIN
from tests.erp.conftest import MakeOffice
from tests.erp.office import Office
from tests.web.served import wait_until


@dataclass
class Reached:
    """What a job has to know of the demo's ERP."""

    url: str

    def settings(self) -> dict[str, Any]:
        """Return the table [erp]."""
        return {"url": self.url}


@pytest.fixture
def demo(make_office: MakeOffice, tmp_path: Path) -> tuple[DemoOffice, Office]:
    """The demo's ERP, whose people a job has read once; the demo user has an account."""
    company = DemoOffice(tmp_path / "demo erp.db")
    office = make_office(Reached(company.url))
    office.now = datetime.now(UTC)
    office.add_user(DEMO_LOGIN, email="demo@example.test")
    office.poll()
    return company, office


def test_what_changes_is_told_once(demo: tuple[DemoOffice, Office]) -> None:
    company, office = demo
    assert office.told() == []
    changed: list[str] = []
    for _ in range(20):
        changed += company.step()
        office.poll(seconds=5)
        office.poll(seconds=5)
    types = [row.type for row in office.told()]
    assert types.count("account_changed") == sum(column != "vpn_end_date" for column in changed)
    # A date that comes back was told of before.
    assert 0 < types.count("vpn_expiry") <= changed.count("vpn_end_date")
    assert set(types) == {"account_changed", "vpn_expiry"}


def test_the_profile_is_the_erps(demo: tuple[DemoOffice, Office]) -> None:
    _, office = demo
    user = office.user(1)
    assert user.position in POSTS
    assert {"department", "position", "phone"} <= set(user.from_erp)


def test_it_goes_on_by_itself_and_ends(make_office: MakeOffice, tmp_path: Path) -> None:
    with DemoOffice(tmp_path / "erp.db", interval_s=(0.05, 0.1)) as company:
        office = make_office(Reached(company.url))
        office.now = datetime.now(UTC)
        office.add_user(DEMO_LOGIN, email="demo@example.test")

        def is_told() -> bool:
            office.now += timedelta(seconds=1)
            office.poll()
            return bool(office.told())

        wait_until(is_told, 20)
    assert not company._thread.is_alive()
