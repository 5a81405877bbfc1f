"""A simulated day of the whole daemon, all sources at once: nothing grows, nothing drifts."""

import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from storage import migrate
from storage.session import Database
from storage.settings import StorageSettings
from tests.channels.certificates import Authority
from tests.erp.registry import Registry
from tests.finesse.samples import ringing
from tests.finesse.server import FinesseUnderTest, settings_of
from tests.real.daemon_process import KEY, LOGINS, add_people
from tests.redmines import RedmineUnderTest
from tests.services.layout import PROJECT

pytestmark = [pytest.mark.long, pytest.mark.timeout(7200)]

FULL = os.environ.get("HELPDESK_FULL") == "1"  # the whole size; otherwise one that fits a test run
EVERY_S = 0.2
DAY_S = 1200.0 if FULL else 72.0
JOBS = ("redmine", "reconcile", "reminders", "hosts", "erp", "finesse")
LEAST_RUNS = 20_000 if FULL else 1_000


@pytest.fixture
def sources(
    demo_redmine: RedmineUnderTest, tmp_path: Path
) -> Iterator[tuple[RedmineUnderTest, Registry, FinesseUnderTest, Authority]]:
    """A Redmine whose people work, an ERP, a node of Finesse with a call that rings."""
    registry = Registry(f"sqlite:///{tmp_path / 'erp.db'}", tmp_path)
    for number in range(50):
        registry.add(f"person{number}")
    authority = Authority(tmp_path)
    node = FinesseUnderTest(authority.issue("localhost"))
    node.has_agent("1001", ringing("7"))
    stop = threading.Event()
    people = threading.Thread(target=work, args=(demo_redmine, stop))
    people.start()
    yield demo_redmine, registry, node, authority
    stop.set()
    people.join()
    node.close()
    registry.close()


def work(redmine: RedmineUnderTest, stop: threading.Event) -> None:
    """Write notes to issues and assign them; an old one is deleted for each new one."""
    issues: list[int] = []
    for number in itertools.count():
        if stop.wait(0.2):
            return
        who, whom = LOGINS[number % 4], LOGINS[(number + 1) % 4]
        if number % 10 == 0:
            issues.append(redmine.create_issue("admin", subject=f"Issue {number}"))
        if len(issues) > 5:
            redmine.delete_issue(issues.pop(0))
        assigned = redmine.id_of("user", whom)
        redmine.update_issue(
            issues[number % len(issues)], "admin", notes=f"By {who}", assigned_to_id=assigned
        )


def write_config(folder: Path, sources: tuple[Any, ...]) -> Path:
    redmine, registry, node, authority = sources
    finesse = settings_of(node, authority, folder)
    tables: dict[str, dict[str, Any]] = {
        "storage": {"directory": str(folder / "state"), "busy_timeout_s": 30.0},
        "redmine": {"url": redmine.url, "api_key_env": KEY},
        "erp": {**registry.settings()},
        "finesse": {
            "urls": list(finesse.urls),
            "username": finesse.username,
            "password_file": str(finesse.password_file),
            "ca_file": str(finesse.ca_file),
            "agents": {"1001": "ann"},
        },
        "job.redmine": {"source": "redmine", "every_s": 1.0, "options": {"overlap_s": 10.0}},
        "job.reconcile": {"source": "redmine_reconcile", "every_s": 1.0, "options": {"overlap_s": 10.0}},
        "job.reminders": {"source": "redmine_reminders", "every_s": 1.0},
        "job.hosts": {"source": "hosts", "every_s": 1.0},
        "job.erp": {"source": "erp", "every_s": 1.0},
        "job.finesse": {"source": "finesse", "every_s": 1.0},
    }
    text = "".join(
        f"[{name}]\n" + "".join(_line(*item) for item in table.items()) for name, table in tables.items()
    )
    hosts = "".join(
        f'[[host]]\nname = "host-{n}"\naddress = "127.0.0.{n}"\ninterval_s = 5\nretry_s = 1\n'
        for n in range(1, 6)
    )
    path = folder / "scheduler.toml"
    path.write_text(text + hosts)
    return path


def _line(key: str, value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{name} = {json.dumps(one)}" for name, one in value.items())
        return f"{key} = {{ {inner} }}\n"
    return f"{key} = {json.dumps(value, ensure_ascii=False)}\n"


def test_a_day_of_all_sources_leaves_nothing_behind(sources: tuple[Any, ...], tmp_path: Path) -> None:
    redmine = sources[0]
    database = Database(StorageSettings(directory=tmp_path / "state"))
    migrate.upgrade(database)
    add_people(database, redmine)
    database.dispose()
    config, out = write_config(tmp_path, sources), tmp_path / "day.json"
    size = (str(EVERY_S), str(DAY_S), str(LEAST_RUNS))
    command = [sys.executable, "-m", "tests.daemon.simulated_day", str(config), *size, str(out)]
    environment = os.environ | {KEY: redmine.admin_key}
    subprocess.run(command, check=True, cwd=PROJECT, env=environment, timeout=DAY_S * 5 + 120)
    day = json.loads(out.read_text())
    report(day)
    assert day["errors"] == {}
    assert set(day["begun"]) == set(JOBS)
    assert day["samples"][-1]["runs"] >= LEAST_RUNS
    for job, begun in day["begun"].items():
        assert abs(drift(begun)) < EVERY_S / 3, job
    for what, allowed in (("rss", 0.05), ("database", 0.3), ("rows", 0.6)):
        assert growth(day["samples"], what) < allowed, what
    for what in ("files", "threads"):
        # The fewest: how many are open besides depends on what runs just then, but a leaked one stays open.
        early, late = halves(day["samples"], what)
        assert min(late) <= min(early) + 2, what


def halves(samples: Sequence[dict[str, float]], what: str) -> tuple[list[float], list[float]]:
    """Return the second quarter of the day and the last one: the first is for warming up."""
    values = [sample[what] for sample in samples]
    quarter = len(values) // 4
    return values[quarter : 2 * quarter], values[-quarter:]


def growth(samples: Sequence[dict[str, float]], what: str) -> float:
    """Return by which part of itself something grew from the second quarter of the day to the last."""
    early, late = halves(samples, what)
    return statistics.median(late) / statistics.median(early) - 1


def drift(begun: Sequence[float]) -> float:
    """Return by how many seconds the last quarter of the runs begins later on the grid than the first one.

    A run that waited begins late once; a schedule that drifts begins later and later.
    """
    places = [(at - begun[0] + EVERY_S / 2) % EVERY_S - EVERY_S / 2 for at in begun]
    quarter = len(places) // 4
    return statistics.median(places[-quarter:]) - statistics.median(places[:quarter])


def report(day: dict[str, Any]) -> None:
    """Print the figures: pytest shows them with -s, and where the test fails."""
    last = day["samples"][-1]
    print(f"{last['runs']} runs of {len(day['begun'])} jobs")
    for what in ("rss", "database", "rows", "files", "threads"):
        early, late = halves(day["samples"], what)
        before, after = statistics.median(early), statistics.median(late)
        print(f"{what}: {before:,.0f} -> {after:,.0f}, from {min(late):,.0f} to {max(late):,.0f}")
    for job, begun in day["begun"].items():
        print(f"{job}: {len(begun)} runs, drift {drift(begun) * 1000:.1f} ms")
    print(f"errors: {day['errors']}")
