"""What orchestrators and proxies ask: is this process well, may people be sent to it."""

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from storage.settings import StorageSettings
from tests.web.house import House
from tests.web.served import wait_until
from web.contract import Readiness


def ready(client: FlaskClient) -> tuple[int, set[str]]:
    """Return the status of /readyz and what it names."""
    answer = client.get("/readyz")
    found = Readiness.model_validate(answer.get_json(), strict=True, extra="forbid")
    assert (found.status == "ready") == (answer.status_code == 200) == (not found.reasons)
    return answer.status_code, {reason.check for reason in found.reasons}


@pytest.fixture
def client(any_house: House) -> FlaskClient:
    """A visitor of a viewer whose tail moves."""
    any_house.live.start()
    wait_until(any_house.live.is_fresh, 10)
    return any_house.app.test_client()


def test_it_is_ready_while_all_gets_on(client: FlaskClient) -> None:
    assert ready(client) == (200, set())


def test_it_is_not_ready_while_the_tail_stands_still(any_house: House) -> None:
    assert ready(any_house.app.test_client()) == (503, {"tail"})


def test_it_is_not_ready_on_another_schema(client: FlaskClient, any_house: House) -> None:
    with any_house.database.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    assert ready(client) == (503, {"migrations"})
    assert "schema 0001" in client.get("/readyz").text


def test_it_is_not_ready_without_its_database(house: House, storage: StorageSettings) -> None:
    client = house.app.test_client()
    house.database.dispose()
    for leftover in storage.directory.glob("helpdesk.db*"):
        leftover.unlink()
    (storage.directory / "helpdesk.db").mkdir()
    assert ready(client) == (503, {"database", "tail"})


def test_it_gives_away_nothing_of_the_database(house: House, tmp_path: Path) -> None:
    house.database.dispose()
    shutil.rmtree(house.database.directory)
    text = house.app.test_client().get("/readyz").text
    assert str(tmp_path) not in text
    assert "sqlite" not in text.lower()
