"""A stalled ERP and the daemon's other jobs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daemon.clients.erp_settings import ErpSettings
from daemon.pipeline import Job
from daemon.schedule_plan import PlannedJob
from daemon.scheduler import Engine
from daemon.sources.erp import Options, Source
from storage import job_control
from storage.audit import Actor
from storage.columns import utc_now
from storage.session import Database
from tests.daemon.ticking import Beats, planned, until
from tests.erp.listener import listening, stall

PATIENCE_S = 45.0  # of the test, far from the ERP's


def planned_erp(settings: ErpSettings, made: list[Source]) -> PlannedJob:
    """Return the job of an ERP."""

    def make(interval_s: float, _changed: Mapping[str, Any]) -> Job:
        made.append(Source(settings, Options()))
        return Job("erp", made[-1], interval_s, 600.0)

    return PlannedJob("erp", "erp", 3600.0, 600.0, {}, "erp", make)


def test_a_job_that_waits_for_the_erp_holds_up_no_other(database: Database, tmp_path: Path) -> None:
    secret = tmp_path / "reader"
    secret.write_text("x")
    beats, sources = Beats(), list[Source]()
    with listening(stall) as port:
        url = f"oracle+oracledb://reader@127.0.0.1:{port}/?service_name=ERP"
        settings = ErpSettings(url=url, password_file=secret, poll_deadline_s=300)
        engine = Engine(database, [planned_erp(settings, sources), planned("count", beats)], lease_s=60)
        engine.start()
        until(lambda: [source for source in sources if source.requests_made], "the ERP is asked", PATIENCE_S)
        for number in range(1, 4):
            ran = len(beats.ended)
            with database.write() as session:
                job_control.request_run(session, "count", Actor("root", 1), utc_now())
            until(lambda ran=ran: len(beats.ended) > ran, f"run {number} of the other job", PATIENCE_S)
        (client,) = (source._client for source in sources if source.requests_made)
        assert client._free._value == settings.connections - 1  # it waits still
    assert engine.stop(PATIENCE_S)
