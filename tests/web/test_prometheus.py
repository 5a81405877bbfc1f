"""The shipped dashboard asked of a real Prometheus that reads the real viewer."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.services.prometheus import Prometheus
from tests.services.run import ServiceRun
from tests.web.house import House
from tests.web.served import ServedViewer, wait_until
from tests.web.test_grafana import FILE, targets
from tests.web.test_metrics import work

pytestmark = [pytest.mark.real, pytest.mark.long]


@pytest.fixture
def prometheus(service_run: ServiceRun, house: House) -> Iterator[Prometheus]:
    """Prometheus that has read a viewer twice, on whose tables everything happened once."""
    storage = house.database.settings
    work(house.database, house.add_user("ann"), house)
    viewer = ServedViewer(storage, storage.directory).start()
    requests.get(f"{viewer.url}/users/login", timeout=30)
    server = Prometheus(service_run.folder / f"prometheus-{viewer.port}", f"127.0.0.1:{viewer.port}")
    try:
        read = "count_over_time(helpdesk_database_up[1m]) >= 3"
        wait_until(lambda: bool(server.ask(read)), 30, viewer.log.read_text)
        yield server
    finally:
        server.stop()
        viewer.kill()


def test_every_question_of_the_dashboard_has_an_answer(prometheus: Prometheus) -> None:
    dashboard: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    asked = [target["expr"].replace("$__rate_interval", "30s") for target in targets(dashboard)]
    unanswered = {expression for expression in asked if not prometheus.ask(expression)}
    assert unanswered == set()


def test_it_is_read_without_a_complaint(prometheus: Prometheus) -> None:
    assert [series["value"][1] for series in prometheus.ask('up{job="helpdesk"}')] == ["1"]
    answer = requests.get(f"{prometheus.url}/api/v1/targets", timeout=10)
    assert [target["lastError"] for target in answer.json()["data"]["activeTargets"]] == [""]
