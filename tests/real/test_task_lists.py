"""Lists of tasks hold exactly what Redmine itself lists to each person as assigned to them."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.clients.settings import RedmineSettings
from storage.session import Database
from storage.settings import StorageSettings
from tests.daemon.conftest import Engine
from tests.daemon.conftest import migrated_file as migrated_file  # noqa: PLC0414 - a fixture
from tests.redmines import RedmineUnderTest
from tests.web.house import House, cheap_hash, password_of
from web import create_app
from web.feature_settings import TaskSettings
from web.settings import AuthSettings, ViewerSettings, WebSettings

pytestmark = pytest.mark.long

PEOPLE = ("ann", "bob", "carl", "dora", "eve", "fred", "gina", "hugo", "iris", "luke")
TEAM = "Support team"
WRITERS = {"open": ("ann", "carl"), "closed-circle": ("ann", "bob")}


@pytest.fixture
def engine(any_redmine: RedmineUnderTest, tmp_path: Path, migrated_file: Path) -> Iterator[Engine]:
    """Both jobs on an empty snapshot."""
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    (directory / "helpdesk.db").write_bytes(migrated_file.read_bytes())
    engine = Engine(any_redmine, Database(StorageSettings(directory=directory)), tmp_path / "key", 90.0)
    yield engine
    engine.close()


@pytest.fixture
def house(engine: Engine, any_redmine: RedmineUnderTest, tmp_path: Path) -> Iterator[House]:
    """The viewer of that snapshot, which asks Redmine with each list; everybody may log in."""
    redmine = RedmineSettings(url=any_redmine.url, api_key_file=tmp_path / "key", retries=0)
    settings = ViewerSettings(
        engine.database.settings,
        WebSettings(),
        AuthSettings(failures_per_user="1000 per minute"),
        redmine,
        tasks=TaskSettings(rights_fresh_s=0),
    )
    app = create_app(settings, engine.database)
    app.testing = True
    house = House(app, engine.database)
    for login in PEOPLE:
        account = any_redmine.id_of("user", login)
        house.add_user(
            login,
            redmine_login=login,
            id_redmine_user=account,
            password_hash=cheap_hash(password_of(login)),
            can_access_quality_control=True,
        )
    yield house
    house.live.stop()


def fill(redmine: RedmineUnderTest) -> None:
    """Assign public and private issues of both projects to everybody who can have one, and to the team."""
    for project, writers in WRITERS.items():
        for number, writer in enumerate(writers):
            for name in (*PEOPLE[:-1], TEAM):
                kind = "group" if name == TEAM else "user"
                fields: dict[str, Any] = {"project": project, "is_private": number == 0}
                try_to_assign(redmine, writer, assigned_to_id=redmine.id_of(kind, name), **fields)
    redmine.create_issue("fred", assigned_to_id=redmine.id_of("group", TEAM), is_private=True)


def try_to_assign(redmine: RedmineUnderTest, writer: str, **fields: Any) -> None:
    """Create an issue, where Redmine takes that assignee."""
    project = fields.pop("project")
    issue = {"project_id": redmine.id_of("project", project), "subject": "Printer", **fields}
    with redmine.session(writer) as session:
        assert session.post(f"{redmine.url}/issues.json", json={"issue": issue}).status_code in {201, 422}


def at_redmine(redmine: RedmineUnderTest, login: str) -> set[int]:
    """What Redmine lists to somebody as theirs."""
    with redmine.session(login) as session:
        if session.get(f"{redmine.url}/users/current.json").status_code != 200:
            return set()  # locked: the key is answered as a stranger's
        query = {"assigned_to_id": "me", "status_id": "*", "limit": "100"}
        return {row["id"] for row in session.get(f"{redmine.url}/issues.json", params=query).json()["issues"]}


def listed(house: House, login: str) -> set[int]:
    """What our list holds for somebody."""
    body = house.browser(login).api("/tasks/my-tasks?per_page=100").get_json()
    assert body["unconfirmed"] == 0
    assert body["pagination"]["total"] == len(body["tasks"]) == body["counts"]["all"]
    return {task["id"] for task in body["tasks"]}


def matrix(house: House, redmine: RedmineUnderTest) -> dict[str, tuple[set[int], set[int]]]:
    """Return who is listed something else than Redmine lists: ours and Redmine's."""
    both = {login: (listed(house, login), at_redmine(redmine, login)) for login in PEOPLE}
    return {login: (ours, theirs) for login, (ours, theirs) in both.items() if ours != theirs}


def test_lists_equal_redmines_own_for_everybody(
    engine: Engine, house: House, any_redmine: RedmineUnderTest
) -> None:
    fill(any_redmine)
    engine.poll()
    engine.reconcile()
    assert matrix(house, any_redmine) == {}
    sizes = {login: len(at_redmine(any_redmine, login)) for login in PEOPLE}
    assert min(sizes[login] for login in ("ann", "bob", "dora", "fred", "hugo")) >= 3, sizes


def test_what_is_lost_behind_the_polls_back_is_gone_at_once(
    engine: Engine, house: House, any_redmine: RedmineUnderTest
) -> None:
    """Nothing of this moves an issue's updated_on: only Redmine's own answer tells."""
    redmine = any_redmine
    fill(redmine)
    engine.poll()
    engine.reconcile()
    before = {login: listed(house, login) for login in PEOPLE}
    with redmine.session() as admin:
        circle = redmine.id_of("project", "closed-circle")
        members = admin.get(f"{redmine.url}/projects/{circle}/memberships.json?limit=100").json()[
            "memberships"
        ]
        for row in members:
            if row.get("user", {}).get("id") in {redmine.id_of("user", n) for n in ("bob", "dora")}:
                assert admin.delete(f"{redmine.url}/memberships/{row['id']}.json").status_code == 204
        hugo = redmine.id_of("user", "hugo")
        assert admin.put(f"{redmine.url}/users/{hugo}.json", json={"user": {"status": 3}}).status_code == 204
    deleted = next(iter(before["ann"]))
    redmine.delete_issue(deleted)
    assert matrix(house, redmine) == {}
    assert listed(house, "hugo") == set()
    assert before["bob"] > listed(house, "bob")
    assert before["ann"] - listed(house, "ann") == {deleted}


def exported(house: House, login: str) -> set[int]:
    """What quality control counts for somebody."""
    text = house.browser(login).get("/quality/export.csv").data.decode("utf-8-sig")
    return {int(row[0]) for row in list(csv.reader(io.StringIO(text)))[1:]}


def on_boards(house: House, redmine: RedmineUnderTest, login: str) -> set[int]:
    """What the boards of both projects show somebody."""
    browser, found = house.browser(login), set()
    for project in WRITERS:
        query = f"?everybody=1&project_id={redmine.id_of('project', project)}"
        columns = browser.api(f"/tasks/board{query}").get_json()["columns"]
        found |= {task["id"] for column in columns for task in column["tasks"]}
    return found


def visible(redmine: RedmineUnderTest, login: str) -> set[int]:
    """What Redmine lists to somebody, whoever has it."""
    with redmine.session(login) as session:
        if session.get(f"{redmine.url}/users/current.json").status_code != 200:
            return set()
        found = session.get(f"{redmine.url}/issues.json", params={"status_id": "*", "limit": "100"}).json()
        assert found["total_count"] == len(found["issues"])
        return {row["id"] for row in found["issues"]}


def test_quality_and_boards_hold_what_redmine_lists_to_each(
    engine: Engine, house: House, any_redmine: RedmineUnderTest
) -> None:
    fill(any_redmine)
    any_redmine.create_issue("carl", is_private=True)
    any_redmine.create_issue("dora", project="closed-circle")
    engine.poll()
    engine.reconcile()
    theirs = {login: visible(any_redmine, login) for login in PEOPLE}
    assert {login: exported(house, login) for login in PEOPLE} == theirs
    assert {login: on_boards(house, any_redmine, login) for login in PEOPLE} == theirs
    assert len({frozenset(ids) for ids in theirs.values()}) >= 5, "everybody sees the same"
