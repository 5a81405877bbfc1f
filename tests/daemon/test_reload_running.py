"""Edits of `scheduler.toml` beside a daemon at work: what runs, what is sent, and that nothing is lost."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import job_table, users
from storage.columns import utc_now
from storage.models import Delivery, JobRun, Notification
from tests.channels.mail_server import MailServer, Script
from tests.daemon import deeds
from tests.real.daemon_process import Daemon, Installation
from tests.redmines import RedmineUnderTest
from tests.services.processes import wait_until

pytestmark = pytest.mark.long

WITHIN_S = 60.0
REDMINE = '[job.redmine]\nsource = "redmine"\nevery_s = 1.0\n'
BEAT = '[job.beat]\nsource = "redmine_reminders"\nevery_s = 1.0\n'
MAIL = (
    '\n[channel.email]\nhost = "127.0.0.1"\nsecurity = "none"\nsender = "helpdesk@example.com"\nport = {}\n'
)


@dataclass
class PostOffice:
    """A mail server and what it took."""

    script: Script = field(default_factory=Script)

    def __post_init__(self) -> None:
        self.server = MailServer(self.script, None, "none")

    def texts(self) -> list[str]:
        """Return what the mails say."""
        bodies = (taken.message.get_body(("plain",)) for taken in tuple(self.script.taken))
        return [body.get_content() for body in bodies if body is not None]

    def ids(self) -> list[str]:
        """Return the names of the mails: each notification has its own."""
        return [str(taken.message["Message-ID"]) for taken in tuple(self.script.taken)]

    def has(self, text: str) -> bool:
        """Say whether a mail with this text was taken."""
        return any(text in body for body in self.texts())


@dataclass
class Desk:
    """A daemon process, its file, and bob, who is told of what ann writes into an issue of his."""

    place: Installation
    redmine: RedmineUnderTest
    daemon: Daemon
    issue: int

    def edit(self, old: str, new: str, *, awaits: str, job: str = "") -> None:
        """Save the file with another text, and wait until the log says it is in force."""
        text, before = self.place.config.read_text(), self.logged(awaits, job)
        assert text.count(old) == 1
        draft = self.place.config.with_suffix(".draft")
        draft.write_text(text.replace(old, new))
        draft.replace(self.place.config)
        self.wait(lambda: self.logged(awaits, job) > before, f"{awaits} {job}")

    def edit_channel(self, old: str, new: str) -> None:
        """Save another channel, and wait until the dispatcher of before has ended."""
        stopped = self.logged("dispatcher_stopped")
        self.edit(old, new, awaits="configuration_loaded")
        self.wait(lambda: self.logged("dispatcher_stopped") > stopped, "the former dispatcher's end")

    def edit_channels(self, old: str, new: str) -> None:
        """Save a file with one channel more or less: polls that begin from now on record for those."""
        scheduled = self.logged("job_scheduled", "redmine")
        self.edit_channel(old, new)
        self.wait(lambda: self.logged("job_scheduled", "redmine") > scheduled, "the job is built anew")
        self.wait_for_runs("redmine", 2)  # the first of them may be one that was under way

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something holds; fail with the end of the log where it does not."""
        is_so = wait_until(lambda: bool(condition()), within_s=WITHIN_S, every_s=0.1)
        assert is_so, f"{what}\n{self.place.log_tail()}"

    def wait_for_runs(self, job: str, count: int) -> None:
        """Wait until so many more runs of a job are over."""
        goal = self.runs(job) + count
        self.wait(lambda: self.runs(job) >= goal, f"{count} runs of {job}")

    def runs(self, job: str) -> int:
        """Count the runs that have begun and are over."""
        return self._count(JobRun, JobRun.job == job, JobRun.status != "running")

    def is_under_way(self, job: str) -> bool:
        """Say whether a run of it is not over yet."""
        return self._count(JobRun, JobRun.job == job, JobRun.status == "running") > 0

    def logged(self, event: str, job: str = "") -> int:
        """Count the lines of the log about an event."""
        lines = (self.place.folder / "daemon.log").read_text().splitlines()
        found = (json.loads(line) for line in lines if f'"{event}"' in line)
        return sum(line.get("job", "") == job for line in found if line["event"] == event)

    def write(self, text: str) -> None:
        """Write a note that bob is told of."""
        deeds.note(self.redmine, "ann", self.issue, f"Look, @bob: {text}")

    def told(self, text: str) -> int:
        """Count what bob is told of a note in his inbox."""
        return self._count(Notification, Notification.notes.contains(text))

    def mails(self, *where: sa.ColumnElement[bool]) -> int:
        """Count the mails in the outbox."""
        return self._count(Delivery, Delivery.channel == "email", *where)

    def health(self, job: str) -> str:
        """Return how a job does, as the page shows it; "absent" where the file does not have it."""
        with self.place.database.read() as session:
            row = job_table.row(session, job, utc_now())
        return row.health if row is not None else ""

    def _count(self, table: type, *where: sa.ColumnElement[bool]) -> int:
        with self.place.database.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0


@pytest.fixture
def desk(demo_redmine: RedmineUnderTest, tmp_path: Path) -> Iterator[Desk]:
    place = Installation(tmp_path, demo_redmine)
    before, _, _ = place.config.read_text().partition("[job.redmine]")
    place.config.write_text(before + BEAT + REDMINE)
    with place.database.write() as session:
        bob = users.by_username(session, "bob")
        assert bob is not None
        bob.email = "bob@example.com"
    issue = demo_redmine.create_issue("ann", assigned_to_id=demo_redmine.id_of("user", "bob"))
    desk = Desk(place, demo_redmine, place.start_to_lead(), issue)
    try:
        desk.wait(place.has_baseline, "the first reading")
        desk.wait_for_runs("redmine", 1)
        yield desk
        assert desk.daemon.stop() == 0
    finally:
        if desk.daemon.is_running():
            desk.daemon.kill()
        place.close()


@pytest.fixture
def offices() -> Iterator[tuple[PostOffice, PostOffice]]:
    both = PostOffice(), PostOffice()
    yield both
    for office in both:
        office.server.close()


def test_a_channel_that_is_added_and_changed_while_people_write_loses_and_doubles_nothing(
    desk: Desk, offices: tuple[PostOffice, PostOffice]
) -> None:
    first, second = offices
    desk.write("before there were mails")
    desk.wait(lambda: desk.told("before there were mails"), "bob is told")
    assert desk.mails() == 0
    desk.edit_channels(REDMINE, REDMINE + MAIL.format(first.server.port))
    desk.write("mail is on")
    desk.wait(lambda: first.has("mail is on"), "the first mail")
    for number in range(8):
        desk.write(f"on its way {number}")
    desk.edit_channel(f"port = {first.server.port}", f"port = {second.server.port}")
    by_the_first = first.ids()
    desk.write("after the change")
    desk.wait(lambda: second.has("after the change"), "the first mail that goes the new way")
    desk.wait(lambda: desk.mails(Delivery.state == "sent") == 10, "all mails are sent")
    assert first.ids() == by_the_first
    both = first.ids() + second.ids()
    assert len(both) == len(set(both)) == 10
    assert all(first.has(f"on its way {n}") or second.has(f"on its way {n}") for n in range(8))


def test_a_channel_that_is_switched_off_sends_nothing_until_it_is_on_again(
    desk: Desk, offices: tuple[PostOffice, PostOffice]
) -> None:
    office = offices[0]
    desk.edit_channels(REDMINE, REDMINE + MAIL.format(office.server.port))
    office.script.answers = {"RCPT": "450 4.7.1 greylisted"}
    desk.write("put off")
    desk.wait(lambda: desk.mails(Delivery.attempts > 0), "the mail is put off")
    desk.edit_channels("[channel.email]", "[channel.email]\nenabled = false")
    office.script.answers = {}
    desk.write("while it is off")
    desk.wait(lambda: desk.told("while it is off"), "the inbox has it")
    assert desk.mails() == 1, "there is no mail of it"
    desk.wait(lambda: overdue(desk), "the mail that was put off would be due")
    desk.wait_for_runs("redmine", 3)  # as many looks at the outbox as a dispatcher would have taken
    assert (office.texts(), desk.mails(Delivery.state == "due")) == ([], 1)
    desk.edit_channels("enabled = false", "enabled = true")
    desk.write("on again")
    desk.wait(lambda: desk.mails(Delivery.state == "sent") == 2, "what waited and what is new are sent")
    assert [office.has(text) for text in ("put off", "while it is off", "on again")] == [True, False, True]
    assert len(office.ids()) == 2


def overdue(desk: Desk) -> bool:
    """Say whether a mail waits for a time that has passed."""
    with desk.place.database.read() as session:
        query = sa.select(Delivery.next_attempt_at).where(Delivery.state == "due")
        return all(at < utc_now() for at in session.scalars(query))


def test_a_broken_channel_goes_on_sending_as_before(
    desk: Desk, offices: tuple[PostOffice, PostOffice]
) -> None:
    office = offices[0]
    desk.edit_channels(REDMINE, REDMINE + MAIL.format(office.server.port))
    desk.edit(f"port = {office.server.port}", "port = 0", awaits="configuration_refused")
    desk.write("as before")
    desk.wait(lambda: office.has("as before"), "a mail by the settings of before")


GONE = {"removed": "", "disabled": f"{REDMINE}enabled = false\n"}


@pytest.mark.parametrize("without", GONE.values(), ids=GONE)
def test_a_job_that_is_taken_out_stops_and_goes_on_where_it_was_once_it_is_back(
    desk: Desk, without: str
) -> None:
    desk.write("while it runs")
    desk.wait(lambda: desk.told("while it runs"), "bob is told")
    desk.edit(REDMINE, without, awaits="job_removed", job="redmine")
    desk.wait(lambda: desk.health("redmine") == "absent", "the page says so")
    desk.wait(lambda: not desk.is_under_way("redmine"), "the end of its last run")
    runs = desk.runs("redmine")
    desk.write("while it is out")
    desk.wait_for_runs("beat", 4)  # the other job is untouched
    assert (desk.runs("redmine"), desk.told("while it is out")) == (runs, 0)
    desk.edit(BEAT + without, BEAT + REDMINE, awaits="job_scheduled", job="redmine")
    desk.wait(lambda: desk.told("while it is out"), "what was missed is told")
    desk.wait_for_runs("redmine", 2)
    assert desk.health("redmine") == "ok"
    assert (desk.told("while it runs"), desk.told("while it is out")) == (1, 1)
    assert desk.logged("job_removed", "beat") == 0
