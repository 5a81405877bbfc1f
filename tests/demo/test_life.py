"""The demo's people: a varied stream for the demo user, the same for the same seed, bounded for days."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from daemon.demo.access import Viewer
from daemon.demo.life import MAX_ISSUES, MAX_JOURNALS, DemoLife
from daemon.demo.model import Journal
from daemon.demo.server import DemoRedmine
from daemon.demo.world import DEMO_LOGIN, demo_world
from tests.demo.conftest import Clock

KINDS = {
    "note",
    "private_note",
    "status",
    "assign",
    "priority",
    "due_date",
    "progress",
    "file",
    "relation",
    "new_issue",
    "watcher",
    "rewrite",
}


@pytest.fixture
def company(clock: Clock) -> DemoRedmine:
    """The demo's world, without a socket."""
    return DemoRedmine(demo_world(), now=clock)


@pytest.fixture
def running() -> Iterator[DemoRedmine]:
    with DemoRedmine(demo_world()) as server:
        yield server


def live(server: DemoRedmine, clock: Clock, steps: int, seed: int = 1) -> list[str]:
    """So many changes, three seconds apart."""
    life, names = DemoLife(server, seed=seed), []
    for _ in range(steps):
        clock.go(3)
        names.append(life.step())
    return names


def told(server: DemoRedmine) -> list[Journal]:
    """Journals by others on issues that concern the demo user, as far as he may read them."""
    store = server.store
    demo = store.user_by_login(DEMO_LOGIN)
    assert demo is not None
    viewer = Viewer(store, demo)
    found = []
    for journal in store.journals.values():
        issue = store.issues[journal.issue_id]
        mine = {issue.author_id, issue.assigned_to_id, *store.watchers.of(issue.id)} & viewer.principal_ids
        project = store.projects[issue.project_id or 0]
        if (
            mine
            and journal.user_id != demo.id
            and viewer.sees(issue)
            and viewer.sees_notes_of(journal, project)
        ):
            found.append(journal)
    return found


def test_the_world_concerns_the_demo_user_from_the_beginning(company: DemoRedmine) -> None:
    store = company.store
    assert (len(store.users) - 2, len(store.groups), len(store.projects)) == (12, 2, 6)
    assert len(store.issues) == 60
    assert len(told(company)) >= 10
    assert any(j.private_notes for j in store.journals.values())
    assert store.relations
    assert any(i.due_date for i in store.issues.values())
    assert any(i.parent_id for i in store.issues.values())


def test_nothing_of_the_world_is_younger_than_now_or_older_than_its_issue(company: DemoRedmine) -> None:
    store, now = company.store, company.store.now()
    assert all(i.created_on <= i.updated_on <= now for i in store.issues.values())
    assert all(store.issues[j.issue_id].created_on <= j.created_on <= now for j in store.journals.values())


def test_every_kind_of_change_happens(company: DemoRedmine, clock: Clock) -> None:
    assert set(live(company, clock, 400)) == KINDS


def test_the_demo_user_gets_a_varied_stream(company: DemoRedmine, clock: Clock) -> None:
    before = {j.id for j in told(company)}
    live(company, clock, 120)
    new = [j for j in told(company) if j.id not in before]
    assert len(new) >= 40
    changed = Counter(d.name for j in new for d in j.details)
    assert {"status_id", "assigned_to_id", "priority_id", "due_date"} <= set(changed)
    assert any("@demo" in (j.notes or "") for j in new)
    assert len({j.user_id for j in new}) >= 5
    assert len({j.issue_id for j in new}) >= 15


def test_the_demo_user_himself_seldom_acts(company: DemoRedmine, clock: Clock) -> None:
    before = set(company.store.journals)
    live(company, clock, 200)
    new = [j for j in company.store.journals.values() if j.id not in before]
    demo = company.store.user_by_login(DEMO_LOGIN)
    assert demo is not None
    assert 0 < sum(j.user_id == demo.id for j in new) < len(new) / 8


def story(server: DemoRedmine) -> list[tuple[Any, ...]]:
    return [(j.issue_id, j.user_id, j.notes, str(j.details)) for j in server.store.journals.values()]


def test_the_same_seed_tells_the_same_story() -> None:
    stories = []
    for seed in (5, 5, 6):
        clock = Clock()
        server = DemoRedmine(demo_world(), now=clock)
        names = live(server, clock, 60, seed)
        stories.append((names, story(server)))
    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


def test_days_of_life_stay_within_bounds(company: DemoRedmine, clock: Clock) -> None:
    live(company, clock, 3_000)
    store = company.store
    assert len(store.issues) <= MAX_ISSUES
    assert max(len(store.journals_of.of(i)) for i in store.issues) <= MAX_JOURNALS
    assert len(store.journals) <= MAX_ISSUES * MAX_JOURNALS
    assert len(store.attachments) <= 5 * MAX_ISSUES
    assert len(store.relations) <= 3 * MAX_ISSUES
    assert len(store.users) == 14
    assert clock.now - max(i.updated_on for i in store.issues.values()) < timedelta(seconds=10)


def test_there_is_always_open_work(company: DemoRedmine, clock: Clock) -> None:
    closed = next(s.id for s in company.store.statuses.values() if s.is_closed)
    for issue in company.store.issues.values():
        issue.status_id = closed
    assert set(live(company, clock, 30)) == {"new_issue"}


def test_the_private_project_stays_out_of_the_demo_users_sight(company: DemoRedmine, clock: Clock) -> None:
    live(company, clock, 300)
    store = company.store
    hidden = next(p.id for p in store.projects.values() if p.identifier == "security")
    seen = company.act(DEMO_LOGIN, "GET", "/issues.json?status_id=*&limit=100")
    assert f'"project":{{"id":{hidden},' not in seen.body.decode()
    assert all(j.issue_id not in _of_project(company, hidden) for j in told(company))


def _of_project(company: DemoRedmine, project_id: int) -> set[int]:
    return {i.id for i in company.store.issues.values() if i.project_id == project_id}


def test_the_thread_works_until_it_is_stopped(running: DemoRedmine) -> None:
    newest = max(running.store.journals)
    with DemoLife(running, interval_s=(0.01, 0.02)):
        deadline = time.monotonic() + 20
        while max(running.store.journals) < newest + 5 and time.monotonic() < deadline:
            time.sleep(0.01)
    after = max(running.store.journals)
    assert after >= newest + 5
    assert not running.requests, "the demo's own people must not be counted as requests"
    DemoLife(running).stop()
    assert max(running.store.journals) == after
