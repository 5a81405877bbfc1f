"""Quality control: who may, what is counted, how it is exported."""

import csv
import io
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.clients.errors import SourceUnavailable
from daemon.clients.settings import RedmineSettings
from daemon.clients.values import Project
from storage import users
from storage.settings import StorageSettings
from tests.web.conftest import Build
from tests.web.house import House
from tests.web.snapshot import ACCOUNT, TODAY, SeeingRedmine, issue, lay_ground, save
from web.feature_settings import QualitySettings
from web.quality.chart import chart
from web.quality.counts import Period
from web.quality.export import harmless
from web.quality.sight import EXTENSION, REMEMBER_S, Sight
from web.quality.views import QualityAnswer
from web.viewer import EXTENSION as VIEWER

API = "/api/quality"
CSV = "/quality/export.csv"
MONDAY = datetime(2024, 1, 15, 12, tzinfo=UTC)
JANUARY = "?since=2024-01-01&until=2024-01-31"


@dataclass
class OverseeingRedmine(SeeingRedmine):
    """It has projects with identifiers, too."""

    identifiers: dict[int, str] = field(default_factory=lambda: {1: "portal-1", 2: "office-2"})

    def acting_as(self, login: str) -> "OverseeingRedmine":
        return self

    def projects(self) -> tuple[Project, ...]:
        if self.error is not None:
            raise self.error
        return tuple(Project(i, "x", name, "", 1, True, None) for i, name in self.identifiers.items())


@pytest.fixture
def redmine() -> OverseeingRedmine:
    return OverseeingRedmine()


@pytest.fixture
def office(storage: StorageSettings, build: Build, tmp_path: Path, redmine: OverseeingRedmine) -> House:
    """A viewer with ann, who may; bob, who may not; and carla, who may but has no account at Redmine."""
    key = tmp_path / "key"
    key.write_text("k" * 40)
    house = build(storage, redmine=RedmineSettings(url="http://127.0.0.1:1", api_key_file=key))
    lay_ground(house)
    linked = {"redmine_login": "ann", "id_redmine_user": ACCOUNT}
    house.add_user("ann", language="en", can_access_quality_control=True, **linked)
    house.add_user("bob", language="en", redmine_login="bob", id_redmine_user=51)
    house.add_user("carla", language="en", can_access_quality_control=True)
    house.app.extensions[EXTENSION] = Sight(house.database, redmine, redmine.clock)
    save(
        house,
        issue(1, tracker_id=7, tracker_name="Thanks", created_on=MONDAY, assigned_to_id=9),
        issue(2, tracker_id=8, tracker_name="Complaint", created_on=MONDAY, status_id=5, assigned_to_id=9),
        issue(3, tracker_id=8, tracker_name="Complaint", created_on=MONDAY + timedelta(7), project_id=2),
        issue(4, tracker_id=9, tracker_name="Bug", created_on=MONDAY, assigned_to_id=9),
    )
    return house


def configure(house: House, **settings: tuple[str, ...]) -> None:
    parts = house.viewer
    changed = replace(parts.settings, quality=QualitySettings(**settings))
    house.app.extensions[VIEWER] = replace(parts, settings=changed)


def counted(house: House, query: str = JANUARY) -> Any:
    answer = house.browser("ann").api(API + query)
    assert answer.status_code == 200, answer.text
    QualityAnswer.model_validate(answer.get_json(), strict=True, extra="forbid")
    return answer.get_json()


def by_name(shares: Any) -> dict[str, int]:
    return {share["name"]: share["count"] for share in shares}


def rows_of(house: House, query: str = JANUARY) -> list[list[str]]:
    answer = house.browser("ann").get(CSV + query)
    assert answer.status_code == 200
    text = answer.data.decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_it_counts_by_period_project_status_and_tracker(office: House) -> None:
    body = counted(office, JANUARY + "&by=week")
    assert (body["total"], body["open"], body["unconfirmed"]) == (4, 3, 0)
    assert by_name(body["trackers"]) == {"Complaint": 2, "Bug": 1, "Thanks": 1}
    assert by_name(body["projects"]) == {"Portal": 3, "Office": 1}
    assert by_name(body["statuses"]) == {"New": 3, "Closed": 1}
    weeks = {period["since"]: period["trackers"] for period in body["periods"] if period["count"]}
    assert weeks == {
        "2024-01-15": {"Complaint": 1, "Bug": 1, "Thanks": 1},
        "2024-01-22": {"Complaint": 1, "Bug": 0, "Thanks": 0},
    }
    assert len(body["periods"]) == 5


def test_days_are_the_readers(office: House) -> None:
    late = datetime(2024, 1, 31, 22, 30, tzinfo=UTC)
    save(office, issue(9, created_on=late))
    assert counted(office)["total"] == 5
    with office.database.read() as session:
        ann = users.by_username(session, "ann")
        assert ann is not None
    office.change_user(ann.id, time_zone="Europe/Moscow")
    assert counted(office)["total"] == 4
    assert counted(office, "?since=2024-02-01&until=2024-02-01")["total"] == 1


@pytest.mark.parametrize(
    ("projects", "trackers", "expected"),
    [
        ((), ("thanks", "COMPLAINT"), {1, 2, 3}),
        (("Portal",), (), {1, 2, 4}),
        (("office-2",), (), {3}),
        (("nowhere",), (), set()),
        ((), ("Nothing",), set()),
        (("portal",), ("Complaint",), {2}),
    ],
)
def test_only_what_is_configured_counts(
    office: House, projects: tuple[str, ...], trackers: tuple[str, ...], expected: set[int]
) -> None:
    configure(office, projects=projects, trackers=trackers)
    assert {int(row[0]) for row in rows_of(office)[1:]} == expected
    assert counted(office)["total"] == len(expected)


def test_what_redmine_hides_is_neither_counted_nor_exported(
    office: House, redmine: OverseeingRedmine
) -> None:
    redmine.hidden = {4}
    save(office, issue(5, tracker_id=7, tracker_name="Thanks", created_on=MONDAY, is_private=True))
    redmine.hidden.add(5)
    assert counted(office)["total"] == 3
    assert {row[0] for row in rows_of(office)[1:]} == {"1", "2", "3"}


def test_its_word_is_taken_for_five_minutes(office: House, redmine: OverseeingRedmine) -> None:
    counted(office)
    asked = len(redmine.asked)
    redmine.hidden = {1, 2, 3, 4}
    assert counted(office)["total"] == 4
    assert len(redmine.asked) == asked
    redmine.now += REMEMBER_S + 1
    assert counted(office)["total"] == 0


def test_while_redmine_is_away_nothing_unknown_is_counted(office: House, redmine: OverseeingRedmine) -> None:
    redmine.error = SourceUnavailable("down")
    body = counted(office)
    assert (body["total"], body["unconfirmed"]) == (0, 4)
    assert "4 issues are not counted" in office.browser("ann").get("/quality").text
    redmine.error = None
    assert counted(office)["total"] == 4


@pytest.mark.parametrize("path", ["/quality", API, CSV])
def test_only_those_with_the_right_may(office: House, path: str) -> None:
    assert office.browser("bob").get(path).status_code == 403
    assert office.browser("ann").get(path).status_code == 200
    ann = office.browser("ann")
    office.app.extensions[VIEWER] = office.without_feature("quality_control_enabled")
    assert ann.get(path).status_code == 404


def test_who_has_no_account_is_told_so(office: House) -> None:
    carla = office.browser("carla")
    assert carla.api(API).status_code == 409
    assert carla.get(CSV).status_code == 409
    assert "not linked" in carla.get("/quality").text


@pytest.mark.parametrize(
    "query",
    ["?since=x", "?since=2024-02-30", "?since=2024-02-02&until=2024-02-01", "?by=year", "?since=1200-01-01"],
)
def test_what_makes_no_sense_is_refused(office: House, query: str) -> None:
    assert office.browser("ann").api(API + query).status_code == 422


@pytest.mark.parametrize(
    ("query", "since", "by"),
    [
        ("", TODAY - timedelta(29), "day"),
        ("?since=&until=&by=", TODAY - timedelta(29), "day"),
        ("?since=2024-01-01&until=2024-04-01", date(2024, 1, 1), "week"),
        ("?since=2023-01-01&until=2024-01-01", date(2023, 1, 1), "month"),
        ("?since=1990-01-01&until=2024-01-01", date(2024, 1, 1) - timedelta(1830), "month"),
        ("?since=2022-01-01&until=2024-01-01&by=day", date(2022, 1, 1), "week"),
    ],
)
def test_spans_are_sensible(office: House, query: str, since: date, by: str) -> None:
    body = counted(office, query)
    assert (body["since"], body["by"]) == (since.isoformat(), by)


def test_the_export_is_a_table_that_spreadsheets_do_not_execute(office: House) -> None:
    save(office, issue(6, subject='=HYPERLINK("http://evil.test")', created_on=MONDAY, author_name="@Eve"))
    answer = office.browser("ann").get(CSV + JANUARY)
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="quality-2024-01-01-2024-01-31.csv"'
    header, *rows = rows_of(office)
    assert header[:3] == ["No.", "Project", "Tracker"]
    assert rows[-2][0] == "6"
    assert rows[-2][5] == '\'=HYPERLINK("http://evil.test")'
    assert rows[-2][6] == "'@Eve"
    assert rows[0][8] == "2024-01-15 12:00:00"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_defused(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless(f"a{text}") == f"a{text}"


def test_the_page_has_a_chart_and_the_same_as_a_table(office: House) -> None:
    page = office.browser("ann").get(f"/quality{JANUARY}&by=week").text
    assert page.count("<rect") >= 4 + 3
    assert "<title>Jan 15, 2024 · Complaint: 1</title>" in page
    assert "style=" not in page
    assert (
        "No issue in these days"
        in office.browser("ann").get("/quality?since=2020-01-01&until=2020-01-02").text
    )


def test_bars_stay_inside_the_chart() -> None:
    periods = tuple(Period(date(2024, 1, day), day * 37, (day * 30, day * 7, 0)) for day in range(1, 32))
    drawn = chart(periods)
    assert len(drawn.bars) == 62
    assert all(bar.y >= 0 and bar.y + bar.height <= drawn.base + 0.1 for bar in drawn.bars)
    assert all(drawn.left <= bar.x and bar.x + bar.width <= drawn.width for bar in drawn.bars)
    assert drawn.lines[-1].value >= 31 * 37
    assert len(drawn.lines) <= 7
    assert chart(()).bars == ()
