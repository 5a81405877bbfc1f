"""The ERP's job from the ERP's tables to notifications and profiles, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from daemon.pipeline import run_job
from storage import migrate
from storage.session import Database
from storage.settings import StorageSettings
from tests.erp.conftest import MakeOffice
from tests.erp.office import OWNER, Office
from tests.erp.registry import Registry
from tests.services.run import ServiceRun


@pytest.fixture
def postgres_storage(service_run: ServiceRun, tmp_path: Path) -> Iterator[StorageSettings]:
    """Settings of a migrated database of our own on PostgreSQL, apart from the ERP's."""
    name = service_run.new_database()
    url = f"postgresql+psycopg://{service_run.cluster.dsn(name)}"
    settings = StorageSettings(directory=tmp_path / "state", url=url)
    database = Database(settings)
    migrate.upgrade(database)
    database.dispose()
    yield settings
    service_run.drop_database(name)


@pytest.fixture
def office(make_office: MakeOffice, registry: Registry) -> Office:
    """The job on an ERP that knows ANN, whose VPN access ends on the 31st; she is a user; baseline done."""
    registry.add("ANN", vpn=1, vpn_end_date="31.12.2026")
    office = make_office(registry)
    office.add_user("ann", email="ann@example.test")
    office.poll()
    return office


@pytest.mark.real
def test_the_office_from_end_to_end_with_postgresql_as_our_own_storage(
    postgres_storage: StorageSettings, any_registry: Registry, make_office: MakeOffice
) -> None:
    database = Database(postgres_storage)
    any_registry.add("ANN", vpn=1, vpn_end_date="15.12.2026")
    office = make_office(any_registry, database)
    ann = office.add_user("ann", email="ann@example.test")
    office.poll()
    assert (office.types(), office.user(ann).department) == ([], "IT")
    any_registry.change("ANN", department_name="Склад", auth_period_type="blocked")
    office.poll()
    any_registry.change("ANN", auth_period_type=None)
    office.poll()
    assert office.types() == ["account_blocked", "account_changed", "account_back", "vpn_expiry"]
    office.poll(hours=12)
    office.poll(days=6)
    assert [row.message for row in office.told(ann) if row.type == "vpn_expiry"] == [
        "VPN access ends in 14 days, on 2026-12-15",
        "VPN access ends in 7 days, on 2026-12-15",
    ]
    assert (office.user(ann).department, office.person("ann")["vpn_told"][-1]) == ("Склад", "7")
    database.dispose()


def test_reminders_from_the_table_of_the_erp_to_the_inbox(
    any_registry: Registry, make_office: MakeOffice
) -> None:
    any_registry.add("ANN", vpn=1, vpn_end_date="31.12.2026")
    any_registry.add("BOB", vpn=1, vpn_end_date="31.12.2026")
    office = make_office(any_registry)
    ann = office.add_user("ann")
    office.poll()
    assert office.types() == []  # a baseline tells nobody
    days = []
    for _ in range(40):
        before = len(office.told())
        office.poll()
        office.poll(hours=12)
        days += [(row.created_at.day, row.message) for row in office.told()[before:]]
        office.poll(hours=12)
    assert [day for day, _ in days] == [1, 17, 24, 28, 30, 31]
    assert days[0][1] == "VPN access ends in 30 days, on 2026-12-31"
    assert days[-2:] == [
        (30, "VPN access ends in 1 day, on 2026-12-31"),
        (31, "VPN access ends today, 2026-12-31"),
    ]
    assert {row.user_id for row in office.told()} == {ann}  # BOB is nobody's account here
    assert office.told()[1].change_key == f"erp:vpn:{ann}:2026-12-31:14"
    assert {(row.thread, row.issue_id, tuple(row.reasons)) for row in office.told()} == {
        ("vpn", None, ("account",))
    }


def test_a_new_date_begins_anew_and_an_old_one_is_not_told_twice(office: Office, registry: Registry) -> None:
    office.poll()
    registry.change("ANN", vpn_end_date="15.12.2026")
    office.poll()
    registry.change("ANN", vpn_end_date="31.12.2026")
    office.poll()
    assert [row.change_key.split(":", 3)[3] for row in office.told()] == ["2026-12-31:30", "2026-12-15:14"]


@pytest.mark.parametrize(
    "columns",
    [
        {"vpn_end_date": None},
        {"vpn_end_date": ""},
        {"vpn_end_date": "бессрочно"},
        {"vpn": 0},
        {"vpn": None},
        {"vpn_end_date": "30.11.2026"},
        {"auth_period_type": "Заблокирован"},
    ],
    ids=["null", "empty", "phrase", "vpn-off", "vpn-unknown", "over", "blocked"],
)
def test_nobody_is_reminded_of_what_does_not_end(
    office: Office, registry: Registry, columns: dict[str, Any]
) -> None:
    registry.change("ANN", **columns)
    office.poll()
    assert "vpn_expiry" not in office.types()


@pytest.mark.parametrize(
    ("zone", "told"), [("Asia/Vladivostok", True), ("UTC", False), ("America/New_York", False)]
)
def test_the_day_of_a_reminder_is_the_persons_own(
    make_office: MakeOffice, registry: Registry, zone: str, told: bool
) -> None:
    registry.add("ANN", vpn=1, vpn_end_date="31.12.2026")
    office = make_office(registry, vpn_days=(7,))
    office.add_user("ann", time_zone=zone)
    office.poll()
    office.now = datetime(2026, 12, 23, 20, tzinfo=UTC)  # in Vladivostok it is the 24th already
    office.poll()
    assert (office.types() == ["vpn_expiry"]) is told
    office.poll(hours=10)
    assert office.types() == ["vpn_expiry"]


def test_a_move_to_the_west_tells_no_farther_threshold(office: Office) -> None:
    office.poll(days=23)
    office.poll()
    with office.database.write() as session:
        found = session.get(type(office.user(1)), 1)
        assert found is not None
        found.time_zone = "Pacific/Midway"  # there it is still the day before
    office.now = datetime(2026, 12, 24, 1, tzinfo=UTC)
    office.poll()
    assert [row.change_key.rsplit(":", 1)[1] for row in office.told()] == ["7"]


def test_russian_readers_are_told_in_russian(make_office: MakeOffice, registry: Registry) -> None:
    registry.add("ANN", vpn=1, vpn_end_date="04.12.2026")
    office = make_office(registry)
    office.add_user("ann", language="ru")
    office.poll()
    office.poll()
    (row,) = office.told()
    assert (row.title, row.message) == (
        "Скоро закончится доступ по VPN",
        "Доступ по VPN закончится через 3 дня, 04.12.2026",
    )


def test_a_blocked_account_and_its_return_are_told_once_each(office: Office, registry: Registry) -> None:
    registry.change("ANN", vpn=0, auth_period_type="Blocked")
    office.poll()
    office.poll()
    registry.change("ANN", auth_period_type=None)
    office.poll()
    office.poll()
    registry.change("ANN", auth_period_type="BLOCKED")
    office.poll()
    assert office.types() == ["account_blocked", "account_back", "account_blocked"]
    assert office.told()[0].message == "Your account in the ERP was blocked. Ask your administrator."


def test_a_change_of_department_and_position_is_one_notification(office: Office, registry: Registry) -> None:
    registry.change("ANN", vpn=0, department_name="Склад", post_name="Кладовщик", office="1", phone_ext="9")
    office.poll()
    office.poll()
    (row,) = office.told()
    assert (row.type, row.thread) == ("account_changed", "erp")
    assert row.message == "Your department is now Склад and your position Кладовщик"
    assert [(d["field"], d["old"], d["new"]) for d in row.details] == [
        ("department", "IT", "Склад"),
        ("position", "Инженер", "Кладовщик"),
    ]


def test_profiles_follow_the_erp_and_say_which_fields_are_its_own(office: Office, registry: Registry) -> None:
    user = office.user(1)
    assert (user.full_name, user.department, user.position) == ("Ann Петров", "IT", "Инженер")
    assert (user.phone, user.vpn_end_date) == ("1234", date(2026, 12, 31))
    assert user.from_erp == ["full_name", "email", "department", "position", "phone", "vpn_end_date"]
    registry.change("ANN", phone_ext=None, vpn=0, email="нет")
    office.poll()
    user = office.user(1)
    assert user.vpn_end_date is None
    assert (user.phone, user.email) == ("1234", "ann@example.test")  # the ERP has none: they stay
    assert user.from_erp == ["full_name", "department", "position", "vpn_end_date"]


def test_whoever_the_erp_forgets_may_fill_their_own_profile(office: Office, registry: Registry) -> None:
    registry.add("BOB")
    registry.remove("ANN")
    office.poll()
    assert office.user(1).from_erp == []
    assert office.person("ann")["gone_at"] == office.now
    registry.change("BOB", office="7")
    registry.engine.dispose()
    office.poll(days=1)
    assert office.person("ann")["gone_at"] < office.now
    assert office.types() == []


def test_an_erp_that_suddenly_knows_nobody_is_not_believed(office: Office, registry: Registry) -> None:
    registry.remove("ANN")
    result = run_job(office.job, office.database, OWNER)
    assert (result.status, result.error) == (
        "failed",
        "ERP: the query for people gave nobody, though some were known.",
    )
    assert office.user(1).from_erp != []


@pytest.mark.parametrize(
    ("columns", "linked"),
    [
        ({"username": "Ann"}, True),
        ({"username": "ann", "email": "ANN@example.test"}, True),
        ({"username": "ann", "email": "another@example.test"}, False),
        ({"username": "mallory", "email": "ann@example.test"}, False),
        ({"username": "anna", "erp_name": "ann", "email": "another@example.test"}, True),
        ({"username": "ann", "erp_name": "ann2"}, False),
        ({"username": "ann", "is_active": False}, False),
    ],
    ids=["name", "name-and-address", "namesake", "address-alone", "signed-in", "another-account", "inactive"],
)
def test_who_is_a_person_of_the_erp(
    make_office: MakeOffice, registry: Registry, columns: dict[str, Any], linked: bool
) -> None:
    registry.add("ANN", vpn=1, vpn_end_date="05.12.2026")
    office = make_office(registry)
    user_id = office.add_user(**columns)
    office.poll()
    office.poll()
    assert bool(office.told(user_id)) is linked
    assert bool(office.user(user_id).from_erp) is linked


def test_a_poll_without_news_writes_one_step_and_asks_once(office: Office) -> None:
    office.poll()
    before = office.person("ann")
    result = office.poll()
    assert (result.requests, result.changes, result.notified) == (1, 0, 0)
    assert office.person("ann") == before


def test_a_query_of_ones_own_needs_only_the_names(make_office: MakeOffice, registry: Registry) -> None:
    registry.add("ANN", vpn=1, vpn_end_date="05.12.2026")
    office = make_office(registry)
    user_id = office.add_user("ann", department="Own", email="own@example.test")
    settings = {"people_sql": "select name, lower(name) || '@example.test' as email from users_view"}
    office.source._client._settings = office.source._client._settings.model_copy(update=settings)
    office.poll()
    user = office.user(user_id)
    assert (user.department, user.from_erp) == ("Own", [])  # his address says that he is somebody else
