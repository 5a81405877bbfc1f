"""A fleet for each test: servers of Debian's packages, two daemons, two viewers, nginx."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.desk import AUTHOR, WRITER, Desk
from tests.cluster.fleet import Fleet
from tests.redmines import RedmineUnderTest
from tests.services.processes import own, wait_until
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


@pytest.fixture
def desk(make_fleet: MakeFleet, demo_redmine: RedmineUnderTest) -> Desk:
    """A started fleet with the lease as it is by default, after its first run."""
    fleet = make_fleet(demo_redmine, (AUTHOR, WRITER))
    issue = demo_redmine.create_issue(AUTHOR)
    fleet.start()
    assert wait_until(fleet.has_baseline, within_s=60), fleet.story()
    return Desk(fleet, demo_redmine, issue)
