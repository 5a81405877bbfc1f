"""Servers for the tests, started when a test first asks for them and stopped at the end of the run.

Servers that are not installed skip their tests; under HELPDESK_REQUIRE_SERVICES=1 they fail them.
"""

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from tests.redmines import RealRedmine, RedmineUnderTest
from tests.services.layout import WORLD, why_not_usable
from tests.services.run import ServiceRun


def not_available(reason: str) -> NoReturn:
    """Skip the test for want of a server, or fail it where nothing may be skipped."""
    if os.environ.get("HELPDESK_REQUIRE_SERVICES") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def service_run() -> Iterator[ServiceRun]:
    """Folder and private servers of this test run."""
    if reason := why_not_usable():
        not_available(reason)
    run = ServiceRun()
    yield run
    run.stop()


@pytest.fixture(scope="session")
def world() -> dict[str, Any]:
    """The people, roles and projects of tests/world.json."""
    return dict(json.loads(WORLD.read_text()))


@pytest.fixture
def real_redmine(service_run: ServiceRun) -> RealRedmine:
    """Debian's Redmine on PostgreSQL, back in its pristine state."""
    service_run.redmine.reset()
    return RealRedmine("real", service_run.redmine.url, dsn=service_run.cluster.dsn("redmine", "redmine"))


@pytest.fixture
def demo_redmine(world: dict[str, Any]) -> Iterator[RedmineUnderTest]:
    """A fresh demo Redmine; its DemoRedmine (faults, requests) is `demo_redmine.demo`."""
    from daemon.demo.server import DemoRedmine

    with DemoRedmine(world) as demo:
        yield RedmineUnderTest("demo", demo.url, demo=demo)


@pytest.fixture(params=["demo", pytest.param("real", marks=pytest.mark.real)])
def any_redmine(request: pytest.FixtureRequest) -> RedmineUnderTest:
    """The demo Redmine and the real one in turn."""
    redmine: RedmineUnderTest = request.getfixturevalue(f"{request.param}_redmine")
    return redmine


@pytest.fixture
def postgres_url(service_run: ServiceRun) -> Iterator[str]:
    """Address of a fresh, empty PostgreSQL database, dropped after the test."""
    name = service_run.new_database()
    yield f"postgresql+psycopg://{service_run.cluster.dsn(name)}"
    service_run.drop_database(name)


@pytest.fixture
def redis_url(service_run: ServiceRun) -> str:
    """Address of a private, empty Redis."""
    service_run.redis.empty()
    return service_run.redis.url


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of Debian's Chromium, for Playwright's `executable_path`."""
    path = shutil.which("chromium", path="/usr/bin:/usr/local/bin")
    if path is None:
        not_available("chromium is not installed: run `make test-services` as root")
    return path
