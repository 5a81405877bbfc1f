"""What `helpdesk check` says of Redmine, the demo one and a real one: each line right, and wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemon.checks.redmine import PARTS, clock_row, redmine_rows
from daemon.checks.rows import Row
from daemon.clients.redmine_probe import server_time
from daemon.clients.settings import RedmineSettings
from tests.daemon.dropping_proxy import answering, dropping, serving
from tests.redmines import RedmineUnderTest

Settings = Callable[..., RedmineSettings]
LATER = timedelta(minutes=10)


@pytest.fixture
def settings(any_redmine: RedmineUnderTest, tmp_path: Path) -> Settings:
    """Return a maker of settings for this Redmine, or for a proxy before it, with somebody's key."""

    def make(url: str = "", key: str = "") -> RedmineSettings:
        (tmp_path / "key").write_text(key or any_redmine.key("admin"))
        address = url or any_redmine.url
        return RedmineSettings(url=address, api_key_file=tmp_path / "key", retries=0, deadline_s=20)

    return make


def rows(settings: RedmineSettings) -> dict[str, Row]:
    """Return the lines by the part they are about; each that is wrong says what to do."""
    found = {row.name.removeprefix("redmine."): row for row in redmine_rows(settings)}
    assert tuple(found) == PARTS
    assert all(row.cure for row in found.values() if row.state in {"warning", "fault"})
    return found


def states(settings: RedmineSettings) -> dict[str, str]:
    return {name: row.state for name, row in rows(settings).items()}


def only_until(part: str, state: str = "fault") -> dict[str, str]:
    """Return the states where this part is wrong and hides what comes after it."""
    place = PARTS.index(part)
    return {name: "ok" if n < place else state if n == place else "off" for n, name in enumerate(PARTS)}


def test_all_is_well(any_redmine: RedmineUnderTest, settings: Settings) -> None:
    assert states(settings())["version"] == "off", "there is no issue yet that would tell"
    any_redmine.create_issue("ann")
    clock = {"clock": "ok" if any_redmine.demo is None else "off"}  # the demo one tells no time
    assert states(settings()) == dict.fromkeys(PARTS, "ok") | clock


def test_nobody_listens(settings: Settings) -> None:
    found = rows(settings("http://127.0.0.1:9"))
    assert {name: row.state for name, row in found.items()} == only_until("address")
    assert "no connection to http://127.0.0.1:9" in found["address"].found


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (200, {}, "does not answer as Redmine does (status 200)"),
        (404, {}, "does not answer as Redmine does (status 404)"),
        (301, {"Location": "https://r.example/users?x=1"}, "leads on to https://r.example/users"),
    ],
    ids=["another-program", "another-path", "moved"],
)
def test_something_else_answers(settings: Settings, status: int, headers: dict[str, str], said: str) -> None:
    with serving(answering(status, b"hello", **headers)) as url:
        found = rows(settings(url))
    assert {name: row.state for name, row in found.items()} == only_until("address")
    assert said in found["address"].found


def test_rest_is_switched_off(any_redmine: RedmineUnderTest, settings: Settings) -> None:
    if any_redmine.demo is not None:
        any_redmine.demo.disable_rest()
    else:
        sql = "update settings set value = '0', updated_on = localtimestamp where name = 'rest_api_enabled'"
        any_redmine.sql(sql)  # type: ignore[attr-defined]
    found = rows(settings())
    assert {name: row.state for name, row in found.items()} == only_until("rest")
    assert "enable REST" in found["rest"].cure


def test_the_key_is_nobodys(settings: Settings) -> None:
    found = rows(settings(key="0" * 40))
    assert {name: row.state for name, row in found.items()} == only_until("key")
    assert "0000" not in found["key"].found


def test_the_key_is_nowhere(any_redmine: RedmineUnderTest) -> None:
    assert states(RedmineSettings(url=any_redmine.url)) == only_until("key")


def test_the_key_is_no_administrators(any_redmine: RedmineUnderTest, settings: Settings) -> None:
    found = rows(settings(key=any_redmine.key("bob")))
    assert {name: row.state for name, row in found.items()} == only_until("admin")
    assert "bob" in found["admin"].found


def test_a_proxy_drops_the_header_that_names_who_asks(
    any_redmine: RedmineUnderTest, settings: Settings
) -> None:
    any_redmine.create_issue("ann")
    with dropping(any_redmine.url, header="X-Redmine-Switch-User") as url:
        found = rows(settings(url))
    assert found["acting"].state == "fault"
    assert "Redmine answers as to admin" in found["acting"].found


def test_redmine_is_too_old(any_redmine: RedmineUnderTest, settings: Settings) -> None:
    any_redmine.create_issue("ann")

    def older(answer: dict[str, object]) -> dict[str, object]:
        issue = answer.get("issue")
        if isinstance(issue, dict):
            issue.pop("allowed_statuses", None)
        return answer

    with dropping(any_redmine.url, change=older) as url:
        row = rows(settings(url))["version"]
    assert (row.state, row.cure) == ("fault", "update Redmine to 5.0 or newer")


@pytest.mark.real
def test_the_clocks_differ(real_redmine: RedmineUnderTest, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(real_redmine.admin_key)
    settings = RedmineSettings(url=real_redmine.url, api_key_file=tmp_path / "key")
    *_, clock = redmine_rows(settings, lambda: datetime.now(UTC) + LATER)
    assert (clock.name, clock.state) == ("redmine.clock", "warning")
    assert "behind ours" in clock.found


def test_redmines_time_is_found_without_a_web_server_that_tells_it(
    any_redmine: RedmineUnderTest, settings: Settings
) -> None:
    """The proxy sends no Date. The real Redmine has a feed; the demo one has not: nothing is known."""
    with dropping(any_redmine.url) as url:
        told_at = server_time(settings(url))
    if any_redmine.demo is not None:
        assert told_at is None
    else:
        assert told_at is not None
        assert abs(told_at - datetime.now(UTC)) < timedelta(seconds=60)


def test_a_web_server_before_redmine_tells_the_time(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40)
    with serving(answering(404)) as url:  # sends a Date, as all but puma do
        told_at = server_time(RedmineSettings(url=url, api_key_file=tmp_path / "key"))
    assert told_at is not None
    assert abs(told_at - datetime.now(UTC)) < timedelta(seconds=60)


def test_a_clock_that_nobody_tells_is_not_looked_at() -> None:
    now = datetime.now(UTC)
    assert clock_row(None, now).state == "off"
    assert clock_row(now + LATER, now).found == "Redmine's clock is 600 s ahead of ours"
