"""The job: from a phone that rings at Finesse to a notification, exactly once."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon import config, service
from daemon.checks.services import finesse_fault
from daemon.clients.settings import RedmineSettings
from daemon.outbox import Outbox
from daemon.pipeline import Job, run_job
from daemon.sources import redmine, redmine_reconcile
from daemon.sources.finesse import Options, Source
from daemon.values import JobResult
from storage import jobs, migrate, notifications, users
from storage.columns import utc_now
from storage.models import ErpPerson, Notification, User
from storage.phones import save_redmine
from storage.session import Database
from storage.settings import StorageSettings
from tests.finesse.conftest import Configure
from tests.finesse.samples import dialog, ringing, team, user
from tests.finesse.server import NOT_YOURS, OUT_OF_SERVICE, FinesseUnderTest, says
from tests.redmines import RedmineUnderTest

OWNER = "test"


@dataclass
class Phones:
    """A job on a database with ann, who is agent 1001, and bob, who is none."""

    database: Database
    source: Source
    passed_s: int = 0
    ids: dict[str, int] = field(default_factory=dict)

    def poll(self) -> JobResult:
        """Run the job, later than any pause after a failure lasts."""
        self.passed_s += 600
        at = utc_now() + timedelta(seconds=self.passed_s)
        with self.database.write() as session:
            assert jobs.acquire_lease(session, OWNER, utc_now(), 3600)
        job = Job("finesse", self.source, 1.0, 60.0, Outbox())
        return run_job(job, self.database, OWNER, now=lambda: at)

    def told(self) -> list[Notification]:
        with self.database.read() as session:
            return notifications.after(session, 0, 1000)

    def messages(self) -> list[str]:
        return [row.message for row in self.told()]


Plug = Callable[..., Phones]


@pytest.fixture
def plug(configure: Configure, tmp_path: Path) -> Iterator[Plug]:
    """Return what plugs the job in."""
    made: list[Phones] = []

    def make(options: Options | None = None, **changed: Any) -> Phones:
        database = Database(StorageSettings(directory=tmp_path / "state"))
        migrate.upgrade(database)
        settings = configure(**{"agents": {"1001": "ann"}, **changed})
        phones = Phones(database, Source(settings, options or Options()))
        # Answers are kept for a second; these polls follow each other at once.
        for kept in (phones.source._client._dialogs, phones.source._client._teams):
            kept._keep_s = 0.0
        with database.write() as session:
            for name in ("ann", "bob"):
                phones.ids[name] = users.add(session, User(username=name, language="en")).id
        made.append(phones)
        return phones

    yield make
    for phones in made:
        phones.source.close()
        phones.database.dispose()


@pytest.fixture
def supervised(finesse: FinesseUnderTest) -> FinesseUnderTest:
    """A Finesse whose account supervises a team of 1001 and 1002."""
    finesse.has_agent("boss", teams=team("5", "Support"))
    for login in ("1001", "1002"):
        finesse.has_agent(login)
    finesse.has_team("5", "Support", user("1001", "Ann", "Lee"), user("1002", "Bob", "Ray"))
    return finesse


def test_a_ringing_call_is_told_once_however_often_it_is_seen(
    supervised: FinesseUnderTest, plug: Plug
) -> None:
    phones = plug()
    assert phones.poll().status == "ok"
    supervised.has_agent("1001", ringing("7"))
    assert [phones.poll().notified for _ in range(4)] == [1, 0, 0, 0]
    supervised.has_agent("1001", dialog("7"))
    assert phones.poll().notified == 0
    [row] = phones.told()
    assert (row.user_id, row.type, row.thread) == (phones.ids["ann"], "call", "call:7")
    assert (row.title, row.message) == ("Incoming call", "84951234567 is calling (queue Support)")
    assert row.alerts == ["popup", "sound"]


def test_the_next_call_of_the_same_number_is_told_again(supervised: FinesseUnderTest, plug: Plug) -> None:
    phones = plug()
    for dialogs in (
        [ringing("7")],
        [],
        [ringing("8")],
        [ringing("8"), ringing("9", "900")],
        [ringing("9", "900")],
    ):
        supervised.has_agent("1001", *dialogs)
        phones.poll()
    assert [row.thread for row in phones.told()] == ["call:7", "call:8", "call:9"]


def test_a_call_that_rings_while_the_daemon_starts_is_told_and_not_again_after_a_restart(
    supervised: FinesseUnderTest, plug: Plug
) -> None:
    supervised.has_agent("1001", ringing("7"))
    phones = plug()
    assert phones.poll().notified == 1
    settings = phones.source._settings
    phones.source.close()
    phones.source = Source(settings, Options())
    assert phones.poll().notified == 0


def test_the_name_is_found_in_the_erp_then_among_us_then_in_redmine_then_among_agents(
    supervised: FinesseUnderTest, plug: Plug
) -> None:
    phones = plug()
    with phones.database.write() as session:
        session.add(ErpPerson(name="eve", full_name="Eve Adams", phone="+7 (495) 123-45-67"))
        users.add(session, User(username="carl", full_name="Carl Cox", phone="900", redmine_login="carl"))
        save_redmine(session, {5: ("Dora Lane", "8 495 123-45-67"), 6: ("Dora Lane", "901")})
    known = {"84951234567": "Eve Adams", "900": "Carl Cox", "901": "Dora Lane", "1002": "Bob Ray"}
    for number, name in known.items():
        supervised.has_agent("1001", ringing(f"of {number}", number))
        phones.poll()
        assert phones.messages()[-1] == f"{name} is calling: {number} (queue Support)"
        assert phones.told()[-1].actor_name == name


def test_the_name_comes_from_a_custom_field_of_redmine(
    supervised: FinesseUnderTest, plug: Plug, demo_redmine: RedmineUnderTest, tmp_path: Path
) -> None:
    demo_redmine.create_issue("ann")
    field = demo_redmine.add_user_field("Phone")
    demo_redmine.update_user(
        "dora", lastname="Lane", firstname="Dora", custom_fields=[{"id": field, "value": "8 495 123-45-67"}]
    )
    (tmp_path / "key").write_text(demo_redmine.admin_key)
    settings = RedmineSettings(url=demo_redmine.url, api_key_file=tmp_path / "key")
    phones = plug()
    phones.poll()
    for name, source in (
        ("redmine", redmine.Source(settings, redmine.Options())),
        ("reconcile", redmine_reconcile.Source(settings, redmine_reconcile.Options(phone_field="Phone"))),
    ):
        with closing(source):
            assert run_job(Job(name, source, 1.0, 60.0), phones.database, OWNER).status == "ok"
    supervised.has_agent("1001", ringing("7", "+74951234567"))
    phones.poll()
    assert phones.messages() == ["Dora Lane is calling: +74951234567 (queue Support)"]
    assert phones.told()[-1].alerts == ["popup", "sound"]


def test_only_users_of_ours_are_asked_for(supervised: FinesseUnderTest, plug: Plug) -> None:
    supervised.has_agent("1002", ringing("7", agent="1002"))
    phones = plug()
    phones.poll()
    assert not phones.told()
    assert not supervised.asked["/User/1002/Dialogs"]


def test_an_agent_of_the_same_name_needs_no_entry(finesse: FinesseUnderTest, plug: Plug) -> None:
    finesse.has_agent("bob", ringing("7", agent="bob"))
    finesse.has_team("9", "Sales", user("bob"))
    phones = plug(Options(teams=("9",)))
    phones.poll()
    assert [row.user_id for row in phones.told()] == [phones.ids["bob"]]


def test_without_any_team_the_agents_of_the_configuration_are_asked(
    finesse: FinesseUnderTest, plug: Plug
) -> None:
    finesse.has_agent("1001", ringing("7"))
    phones = plug()
    assert phones.poll().notified == 1


def test_without_teams_and_agents_the_job_says_what_is_missing(finesse: FinesseUnderTest, plug: Plug) -> None:
    result = plug(agents={}).poll()
    assert result.status == "refused"
    assert "name teams in the options of the job, or agents in [finesse]" in result.error


def test_finesse_that_is_down_fails_the_run_and_the_call_is_told_once_it_is_back(
    supervised: FinesseUnderTest, plug: Plug
) -> None:
    phones = plug()
    phones.poll()
    supervised.has_agent("1001", ringing("7"))
    supervised.misbehaves(says(503, OUT_OF_SERVICE))
    result = phones.poll()
    assert (result.status, phones.told()) == ("failed", [])
    assert "out of service (503" in result.error
    supervised.misbehaves(lambda handler: handler._usual(handler))
    for node in phones.source._client._wire._nodes.values():
        node.until = 0.0  # its rest is over
    assert phones.poll().notified == 1


def test_a_wrong_password_is_refused_until_somebody_acts(supervised: FinesseUnderTest, plug: Plug) -> None:
    supervised.account = ("boss", "another")
    phones = plug()
    assert [phones.poll().status for _ in range(3)] == ["refused"] * 3
    assert sum(supervised.asked.values()) == 1


def test_one_agent_who_cannot_be_read_leaves_the_others_told(
    supervised: FinesseUnderTest, plug: Plug
) -> None:
    supervised.has_agent("1001", ringing("7"))
    supervised.misbehaves(says(401, NOT_YOURS), "/User/1002/Dialogs")
    phones = plug(agents={"1001": "ann", "1002": "bob"})
    result = phones.poll()
    assert (result.status, result.notified) == ("partial", 1)
    assert "supervises no team of theirs" in result.error


def test_a_quiet_poll_is_one_request_for_a_team_and_one_for_each_agent_of_ours(
    supervised: FinesseUnderTest, plug: Plug
) -> None:
    phones = plug()
    phones.poll()
    before = sum(supervised.asked.values())
    result = phones.poll()
    assert sum(supervised.asked.values()) - before == result.requests == 2


CONFIG = """
[storage]
directory = "{folder}"
[finesse]
urls = ["https://finesse.example.com:8445"]
username = "boss"
password_env = "FINESSE_PASSWORD"
"""
JOB = '[job.finesse]\nsource = "finesse"\nevery_s = 2\n'


@pytest.mark.parametrize(("text", "names"), [(CONFIG + JOB, ["finesse"]), (JOB, [])])
def test_the_job_is_built_where_finesse_is_configured_and_a_table_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, names: list[str]
) -> None:
    monkeypatch.setenv("FINESSE_PASSWORD", "secret")
    file = tmp_path / "scheduler.toml"
    file.write_text(text.format(folder=tmp_path))
    built = service.jobs(config.load(file))
    assert [job.name for job in built] == names
    for job in built:
        job.source.close()


def test_a_missing_password_stops_the_start_with_the_place(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.toml"
    file.write_text((CONFIG + JOB).format(folder=tmp_path))
    with pytest.raises(config.ConfigError, match="finesse: the environment variable FINESSE_PASSWORD"):
        service.jobs(config.load(file))


def test_the_check_of_the_configuration_asks_finesse(
    supervised: FinesseUnderTest, configure: Configure
) -> None:
    assert finesse_fault(configure()) == ""
    del supervised.texts["/User/boss"]  # an administrator who takes no calls
    assert finesse_fault(configure()) == ""
    supervised.account = ("boss", "another")
    assert "refuses our account (401)" in finesse_fault(configure())
    assert "must name the password of boss" in finesse_fault(configure(password_file=None))
