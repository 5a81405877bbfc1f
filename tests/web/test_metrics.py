"""/metrics: right figures, for the monitoring system alone, nothing in it about anybody."""

import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from storage import jobs, metrics, users
from storage.columns import utc_now
from storage.configuration import ConfigError
from storage.models import Delivery, JobRun, User
from storage.session import Database
from storage.settings import StorageSettings
from tests.web.crowd import Crowd, Member
from tests.web.house import House, cheap_hash, password_of
from tests.web.served import ServedViewer, wait_until
from web.metrics.tables import Tables
from web.settings import load

Build = Callable[..., House]
TOKEN = "sesame-open-sesame"
FAR = {"REMOTE_ADDR": "203.0.113.7"}


def samples(text: str) -> dict[str, list[Sample]]:
    """Return the samples of an answer by name."""
    found: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def scraped(house: House) -> dict[str, list[Sample]]:
    """Return what a viewer shows now, whatever it has kept."""
    for collector in house.app.extensions["helpdesk"].figures:
        if isinstance(collector, Tables):
            collector._read_at = float("-inf")
    answer = house.app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    return samples(answer.text)


def value(found: Mapping[str, list[Sample]], name: str, **labels: str) -> float:
    """Return the one sample with these labels."""
    (sample,) = [s for s in found[name] if labels.items() <= s.labels.items()]
    return sample.value


def work(database: Database, user_id: int, house: House) -> None:
    """Leave in the tables what a daemon does."""
    with database.write() as session:
        metrics.count(session, {}, utc_now(), {"scheduler": 0.5})
    house.notify(user_id)
    with database.write() as session:
        found = jobs.state(session, "redmine")
        found.configured, found.last_ok_at, found.failures = {"every_s": 5.0}, utc_now(), 2
        session.add(JobRun(job="redmine", started_at=utc_now(), status="ok", duration_ms=300, changes=4))
        session.add(JobRun(job="redmine", started_at=utc_now(), status="failed", duration_ms=9_000))
        session.add(Delivery(notification_id=1, channel="email", lane="email"))
        session.flush()
        metrics.count(session, {(metrics.DELIVERIES, "email", "sent"): 7}, utc_now(), {"scheduler": 0.5})


def test_it_shows_jobs_notifications_deliveries_and_the_daemon(any_house: House) -> None:
    work(any_house.database, any_house.add_user("ann"), any_house)
    found = scraped(any_house)
    assert value(found, "helpdesk_job_lag_seconds", job_name="redmine") < 5
    assert value(found, "helpdesk_job_failures", job_name="redmine") == 2
    assert value(found, "helpdesk_job_interval_seconds", job_name="redmine") == 5
    assert value(found, "helpdesk_job_runs_total", job_name="redmine", status="failed") == 1
    assert value(found, "helpdesk_job_changes_total", job_name="redmine") == 4
    assert value(found, "helpdesk_job_duration_seconds_bucket", job_name="redmine", le="0.5") == 1
    assert value(found, "helpdesk_job_duration_seconds_bucket", job_name="redmine", le="+Inf") == 2
    assert value(found, "helpdesk_job_duration_seconds_sum", job_name="redmine") == pytest.approx(9.3)
    assert value(found, "helpdesk_notifications_total", type="status_change") == 1
    assert value(found, "helpdesk_deliveries_total", channel="email", outcome="sent") == 7
    assert value(found, "helpdesk_deliveries_due", channel="email") == 1
    assert 0 <= value(found, "helpdesk_delivery_queue_age_seconds", channel="email") < 30
    assert value(found, "helpdesk_daemon_up") == 0
    assert value(found, "helpdesk_daemon_watchdog_age_seconds", part="scheduler") < 30
    assert value(found, "helpdesk_database_up") == 1
    assert value(found, "helpdesk_database_size_bytes") > 100_000


def test_requests_are_counted_by_the_routes_template(house: House) -> None:
    house.add_user("ann")
    browser = house.browser("ann")
    browser.get("/tasks/4711")
    browser.get("/tasks/4712")
    browser.get("/no/such/place/ann")
    browser.client.open("/healthz", method="PROPFIND")
    found = scraped(house)
    routes = {sample.labels["route"] for sample in found["helpdesk_http_requests_total"]}
    assert not any(re.search(r"471|ann", route) for route in routes)
    template = next(route for route in routes if route.startswith("/tasks/<"))
    assert value(found, "helpdesk_http_request_duration_seconds_count", route=template, method="GET") == 2
    assert value(found, "helpdesk_http_requests_total", route="(none)", method="GET", status="404") == 1
    methods = {sample.labels["method"] for sample in found["helpdesk_http_requests_total"]}
    assert methods <= {"GET", "POST", "other"}


def test_it_says_when_the_tail_last_looked(house: House) -> None:
    assert value(scraped(house), "helpdesk_tail_last_look_timestamp_seconds") == 0
    house.live.start()
    wait_until(lambda: value(scraped(house), "helpdesk_tail_last_look_timestamp_seconds") > 0, 10)
    looked = value(scraped(house), "helpdesk_tail_last_look_timestamp_seconds")
    assert looked == pytest.approx(time.time(), abs=30)


def test_nothing_in_it_is_about_a_person(house: House) -> None:
    ann = house.add_user("ann", email="ann@example.com", full_name="Анна Секретова")
    work(house.database, ann, house)
    house.browser("ann").get("/notifications")
    scraped(house)
    text = house.app.test_client().get("/metrics").text
    for secret in ("ann@", '"ann"', "Секретова", "Принтер", "Open project"):
        assert secret not in text


def test_however_often_it_is_asked_the_tables_are_read_once(house: House) -> None:
    table = Tables(house.database, kept_s=3600)
    before = {family.name: family.samples for family in table.collect()}
    work(house.database, house.add_user("ann"), house)
    assert {family.name: family.samples for family in table.collect()} == before


def test_without_its_database_it_says_so(house: House, storage: StorageSettings) -> None:
    house.database.dispose()
    for leftover in storage.directory.glob("helpdesk.db*"):
        leftover.unlink()
    (storage.directory / "helpdesk.db").mkdir()
    found = scraped(house)
    assert value(found, "helpdesk_database_up") == 0
    assert "helpdesk_job_lag_seconds" not in found
    assert "helpdesk_connected_clients" in found


# --- who may read it


@pytest.fixture
def guarded(build: Build, storage: StorageSettings, tmp_path: Path) -> Build:
    """Build viewers that know a token."""
    (tmp_path / "token").write_text(TOKEN + "\n")
    return lambda web: build(storage, web={"metrics_token_file": tmp_path / "token"} | web)


@pytest.mark.parametrize(
    ("web", "environ", "headers", "status"),
    [
        ({}, {}, {}, 200),
        ({}, {"REMOTE_ADDR": "::1"}, {}, 200),
        ({}, {"REMOTE_ADDR": "::ffff:127.0.0.1"}, {}, 200),
        ({}, FAR, {}, 403),
        ({}, {}, {"X-Forwarded-For": "203.0.113.7"}, 403),
        ({"trusted_proxies": ("127.0.0.1/32",)}, {}, {"X-Forwarded-For": "203.0.113.7"}, 403),
        ({"trusted_proxies": ("127.0.0.1/32",)}, {}, {"X-Forwarded-For": "127.0.0.1"}, 200),
        ({"metrics_networks": ("203.0.113.0/24",)}, FAR, {}, 200),
        ({"metrics_networks": ()}, {}, {}, 403),
        ({}, FAR, {"Authorization": f"Bearer {TOKEN}"}, 200),
        ({}, FAR, {"Authorization": f"bearer  {TOKEN}"}, 200),
        ({}, FAR, {"Authorization": f"Bearer {TOKEN}x"}, 403),
        ({}, FAR, {"Authorization": "Bearer "}, 403),
        ({}, FAR, {"Authorization": f"Basic {TOKEN}"}, 403),
    ],
    ids=[
        "this-machine",
        "this-machine-6",
        "this-machine-mapped",
        "stranger",
        "through-a-proxy-nobody-named",
        "through-our-proxy",
        "this-machine-through-our-proxy",
        "network-that-is-allowed",
        "no-network",
        "token",
        "token-loosely",
        "wrong-token",
        "no-token",
        "other-scheme",
    ],
)
def test_who_may_read_it(
    guarded: Build,
    web: dict[str, Any],
    environ: dict[str, str],
    headers: dict[str, str],
    status: int,
) -> None:
    house = guarded(web)
    given = {"REMOTE_ADDR": "127.0.0.1"} | environ
    answer = house.app.test_client().get("/metrics", environ_base=given, headers=headers)
    assert answer.status_code == status
    assert ("helpdesk_" in answer.text) == (status == 200)


def test_without_a_token_an_empty_one_opens_nothing(house: House) -> None:
    for given in ("Bearer ", "Bearer None", "Bearer"):
        answer = house.app.test_client().get("/metrics", environ_base=FAR, headers={"Authorization": given})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ('metrics_token_env = "NOT_THERE"', "NOT_THERE"),
        ('metrics_token_file = "/nowhere/token"', "/nowhere/token"),
        ('metrics_token_file = "/x"\nmetrics_token_env = "Y"', "keep one of them"),
        ('metrics_networks = ["everywhere"]', "everywhere"),
    ],
)
def test_wrong_settings_stop_the_start(tmp_path: Path, key: str, said: str) -> None:
    (tmp_path / "scheduler.toml").write_text(f"[web]\n{key}\n")
    with pytest.raises(ConfigError, match=re.escape(said)):
        load(tmp_path / "scheduler.toml")


# --- several workers


@pytest.fixture
def pair(storage: StorageSettings, tmp_path: Path) -> Iterator[ServedViewer]:
    """A viewer of two workers."""
    viewer = ServedViewer(storage, tmp_path, {"HELPDESK_WEB__WORKERS": "2", "TMPDIR": str(tmp_path)})
    viewer.start()
    yield viewer
    viewer.stop()


def asked(viewer: ServedViewer) -> dict[str, list[Sample]]:
    """Ask over a connection of its own: any of the workers answers."""
    with closing(requests.get(f"{viewer.url}/metrics", timeout=30)) as answer:
        assert answer.status_code == 200
        return samples(answer.text)


def test_whichever_worker_is_asked_the_figures_are_those_of_all(
    pair: ServedViewer, storage: StorageSettings, tmp_path: Path
) -> None:
    database = Database(storage)
    for number in range(4):
        with database.write() as session:
            name = f"user{number}"
            users.add(session, User(username=name, password_hash=cheap_hash(password_of(name))))
    database.dispose()
    for _ in range(20):
        requests.get(f"{pair.url}/users/login", timeout=30).close()
    members = [Member(pair.url, pair.cookie_of(f"user{number}"), last=0) for number in range(4)]
    with Crowd(members):
        wait_until(lambda: value(asked(pair), "helpdesk_connected_clients") == 4, 20)
        seen = {
            value(asked(pair), "helpdesk_http_requests_total", route="/users/login", method="GET")
            for _ in range(6)
        }
        assert seen == {20}
    assert pair.process is not None
    worker = psutil.Process(pair.process.pid).children()[0]
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)
    wait_until(lambda: value(asked(pair), "helpdesk_connected_clients") == 0, 20)
    assert value(asked(pair), "helpdesk_http_requests_total", route="/users/login", method="GET") == 20
    assert len(list(tmp_path.glob("helpdesk-metrics-*"))) == 1
    assert pair.stop() == 0
    assert list(tmp_path.glob("helpdesk-metrics-*")) == []
