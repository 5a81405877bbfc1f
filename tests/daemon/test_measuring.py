"""The daemon counts what it does for monitoring, and says how its parts get on."""

from collections.abc import Callable, Iterator

import pytest

from daemon import measuring
from daemon.channel import DeliveryFailed
from daemon.measuring import Tally
from daemon.scheduler import Engine
from storage import metrics
from storage.session import Database
from tests.daemon.outgoing import Office
from tests.daemon.ticking import Beats, planned, until


def totals(database: Database) -> dict[metrics.Key, float]:
    with database.read() as session:
        return metrics.totals(session)


@pytest.fixture
def tally(monkeypatch: pytest.MonkeyPatch) -> Tally:
    """Counts that no other test has added to."""
    fresh = Tally()
    monkeypatch.setattr(measuring, "tally", fresh)
    monkeypatch.setattr("daemon.dispatch_recording.tally", fresh)
    return fresh


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    office = Office(database)
    yield office
    office.stop()


def test_each_outcome_of_a_delivery_is_counted(office: Office, tally: Tally, database: Database) -> None:
    ann = office.user()
    office.browser(ann)
    becomes = [None, DeliveryFailed("refused", "failed"), DeliveryFailed("too busy", "retry")]

    def send(_parcels: object) -> None:
        if (failure := becomes.pop(0)) is not None:
            raise failure

    office.channel.on_send = send
    office.tell(ann)
    office.tell(ann)
    office.tell(ann)
    office.start()
    office.wait(lambda: not becomes and sorted(office.states()) == ["due", "failed", "sent"])
    office.stop()
    tally.write(database, None)
    found = {key[2]: count for key, count in totals(database).items() if key[0] == metrics.DELIVERIES}
    assert found == {"sent": 1, "failed": 1, "tried": 1}


def test_what_could_not_be_written_waits(tally: Tally, make_database: Callable[[str], Database]) -> None:
    tally.add(metrics.DELIVERIES, "email", "sent")
    away = make_database("away")
    away.dispose()
    (away.directory / "helpdesk.db").unlink()
    tally.write(away, None)
    back = make_database("back")
    tally.write(back, None)
    tally.write(back, None)
    assert totals(back) == {(metrics.DELIVERIES, "email", "sent"): 1}


def test_the_daemon_that_leads_counts_its_runs_and_says_how_it_gets_on(
    database: Database, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    monkeypatch.setattr(measuring, "EVERY_S", 0.2)
    tally.write(database, None)  # what comes from now on is counted
    engine = Engine(database, [planned("count", Beats())], lease_s=10)
    engine.start()
    try:
        until(lambda: totals(database).get((metrics.RUNS, "count", "ok")) == 1, "the run is counted")
        with database.read() as session:
            said = metrics.daemon_said(session)
    finally:
        assert engine.stop(10)
    assert said is not None
    assert set(said[1]) == {"scheduler", "database"}
    assert all(0 <= age_s < 30 for age_s in said[1].values())
