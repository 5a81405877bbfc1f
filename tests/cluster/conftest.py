"""A fleet for each test: servers of Debian's packages, two daemons, two viewers, nginx."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.fleet import Fleet
from tests.redmines import RedmineUnderTest
from tests.services.processes import own
from tests.services.run import ServiceRun

HERE = Path(__file__).parent
MakeFleet = Callable[..., Fleet]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder: all of them need real servers and take minutes."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.real)
            item.add_marker(pytest.mark.long)


@pytest.fixture
def make_fleet(service_run: ServiceRun) -> Iterator[MakeFleet]:
    """Make fleets that poll a Redmine; they are not started yet, and ended after the test."""
    made: list[Fleet] = []

    def make(redmine: RedmineUnderTest, logins: tuple[str, ...], **settings: float) -> Fleet:
        folder = own(
            Path(tempfile.mkdtemp(prefix="fleet-", dir=service_run.folder))
        )  # short: it holds sockets
        fleet = Fleet(folder, redmine.url, redmine.admin_key, **settings)
        made.append(fleet)
        fleet.add_people((login, redmine.id_of("user", login)) for login in logins)
        return fleet

    yield make
    for fleet in made:
        fleet.close()
