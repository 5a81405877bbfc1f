"""Mails from the outbox to a real SMTP server, and what is told of those that do not get there."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.channel import Surroundings
from daemon.channels import email
from daemon.options import ChannelOptions
from storage import inbox_acts
from storage.preferences import Mail, Preferences, WorkingHours, kept
from storage.session import Database
from tests.channels.certificates import Authority
from tests.channels.mail_server import HANG_UP, PASSWORD, USER, MailServer, Script
from tests.daemon.outgoing import Office, failing

MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A private certificate authority."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def script() -> Script:
    """What the mail server does."""
    return Script()


@pytest.fixture
def post_office(
    database: Database, script: Script, authority: Authority, tmp_path: Path
) -> Iterator[Callable[..., Office]]:
    """Return a maker of the dispatcher that sends its mails to a real server, by TLS and with a password."""
    server = MailServer(script, authority.issue("localhost"), "starttls")
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    made: list[Office] = []

    def make(**options: Any) -> Office:
        table: dict[str, Any] = {
            "host": "localhost",
            "port": server.port,
            "username": USER,
            "password_file": password,
            "ca_file": authority.ca_file,
            "sender": "helpdesk@example.com",
            "timeout_s": 5.0,
        }
        channel: Any = email.Channel(
            email.Options(**table | options), Surroundings("https://helpdesk.example.com", tmp_path)
        )
        made.append(
            Office(database, at=MONDAY, mail=channel, options=ChannelOptions(timeout_s=5.0, attempts=3))
        )
        return made[-1]

    yield make
    for office in made:
        office.stop()
    server.close()


def subjects(script: Script) -> list[str]:
    return [str(taken.message["Subject"]) for taken in script.taken]


def errors(office: Office) -> list[str]:
    return [row.error for row in office.rows()]


MENTION = {"type": "mention", "title": "You were mentioned", "subject": "Printer", "project_name": "Open"}


def test_a_mail_is_sent_and_its_row_says_so(post_office: Callable[..., Office], script: Script) -> None:
    office = post_office()
    ann = office.user()
    office.tell(ann, **MENTION)
    office.start()
    office.wait(lambda: office.states() == ["sent"])
    assert subjects(script) == ["[Open] #7 Printer: You were mentioned"]
    (row,) = office.rows()
    assert (row.channel, row.device_name, row.attempts, row.error) == ("email", "ann@example.com", 1, "")


def test_administrators_get_a_mail_where_our_push_key_is_refused(
    post_office: Callable[..., Office], script: Script
) -> None:
    office = post_office()
    office.user("boss", role="admin", language="en")
    silent = {"ways": {"channel_problem": {"email": False}}}
    office.user("silent", role="admin", preferences=silent)
    ann = office.user()
    office.browser(ann)
    office.tell(ann)
    office.channel.on_send = failing("misconfigured", "push.example.com answered 403")
    office.start()
    office.wait(lambda: office.states() == ["due", "sent"])
    [taken] = script.taken
    assert (taken.recipients, str(taken.message["Subject"])) == (
        ["boss@example.com"],
        "Messages cannot be sent",
    )
    said = "webpush:push.example.com refuses what we send: push.example.com answered 403"
    assert said in taken.message.get_body(("plain",)).get_content()


def test_a_digest_is_one_mail_at_its_hour(post_office: Callable[..., Office], script: Script) -> None:
    office = post_office()
    wishes = Preferences(mail=Mail(mode="digest"))
    ann = office.user(time_zone="Europe/Berlin", preferences=kept(wishes))
    bob = office.user("bob")
    office.start()
    office.tell(ann, 5, **MENTION)
    office.tell(bob, **MENTION)
    office.wait(lambda: office.states().count("sent") == 1)
    assert script.taken[0].recipients == ["bob@example.com"]
    office.later(hours=19)  # 8:00 in Berlin, on Tuesday
    office.tell(ann, **MENTION)
    office.later(hours=1)
    office.wait(lambda: office.states() == ["sent"] * 7)
    assert subjects(script)[1:] == ["6 уведомлений"]


def test_mails_wait_for_working_hours_but_urgent_ones_do_not(
    post_office: Callable[..., Office], script: Script
) -> None:
    office = post_office()
    wishes = Preferences(hours=WorkingHours(is_on=True))
    ann = office.user(time_zone="Asia/Tokyo", preferences=kept(wishes))  # nine in the evening there
    office.tell(ann, **MENTION)
    office.start()
    office.later(hours=11)
    assert script.taken == []
    office.later(hours=1)
    office.wait(lambda: office.states() == ["sent"])


@pytest.mark.parametrize("trouble", ["450 greylisted", HANG_UP])
def test_what_is_refused_for_now_is_tried_again(
    post_office: Callable[..., Office], script: Script, trouble: str
) -> None:
    office = post_office()
    script.answers = {"RCPT": trouble}
    ann = office.user()
    office.tell(ann, **MENTION)
    office.start()
    office.wait(lambda: office.rows()[0].attempts == 1)
    assert office.states() == ["due"]
    script.answers = {}
    office.later(seconds=30)
    office.wait(lambda: office.states() == ["sent"])
    assert len(script.taken) == 1


def test_what_is_refused_for_good_is_given_up_with_the_reason(
    post_office: Callable[..., Office], script: Script
) -> None:
    office = post_office()
    script.answers, script.only = {"RCPT": "550 5.1.1 nobody here"}, frozenset({"ann@example.com"})
    ann, bob = office.user(), office.user("bob")
    office.tell(ann, **MENTION)
    office.tell(bob, **MENTION)
    office.start()
    office.wait(lambda: office.states() == ["failed", "sent"])
    assert errors(office) == ["the mail server refused the recipient: 550 5.1.1 nobody here", ""]


def test_a_wrong_password_is_told_to_administrators_once(
    post_office: Callable[..., Office], script: Script, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong horse")
    office = post_office(password_file=wrong)
    root, ann = office.user("root", role="admin"), office.user()
    office.start()
    for _ in (1, 2):
        office.tell(ann, **MENTION)
        office.later(seconds=600)
        office.wait(lambda: all("535" in row.error for row in office.rows()))
    office.wait(lambda: len(office.told(root)) == 1)
    assert office.states() == ["due"] * 2, "nothing is lost: the password can be mended"
    assert "refused the log-in: 535" in office.told(root)[0].message
    assert "refused the log-in: 535" in office.state("email").problem
    assert "wrong horse" not in office.state("email").problem


def test_who_has_switched_mails_off_meanwhile_gets_none(
    post_office: Callable[..., Office], script: Script
) -> None:
    office = post_office()
    ann = office.user()
    office.tell(ann, **MENTION)
    office.change_user(ann, preferences=kept(Preferences(mail=Mail(mode="off"))))
    office.start()
    office.wait(lambda: office.states() == ["skipped"])
    assert script.taken == []


def test_what_comes_back_after_a_snooze_is_mailed_as_another_mail(
    post_office: Callable[..., Office], script: Script
) -> None:
    office = post_office()
    ann = office.user()
    office.tell(ann, **MENTION)
    office.start()
    office.wait(lambda: office.states() == ["sent"])
    (told,) = office.told(ann)
    office.change(told.id, snoozed_until=office.at + timedelta(hours=1))
    office.later(hours=1)
    with office.database.write() as session:
        assert inbox_acts.wake(session, office.at)
    office.later(seconds=1)
    office.wait(lambda: len(script.taken) == 2)
    assert len({str(taken.message["Message-ID"]) for taken in script.taken}) == 2
    assert len({str(taken.message["References"]) for taken in script.taken}) == 1


def test_mails_of_many_people_go_out_side_by_side(post_office: Callable[..., Office], script: Script) -> None:
    office = post_office()
    people = [office.user(f"user{n}") for n in range(20)]
    for user_id in people:
        office.tell(user_id, 2, **MENTION)
    office.start()
    office.wait(lambda: office.states() == ["sent"] * 40)
    assert sorted(taken.recipients[0] for taken in script.taken) == sorted(
        f"user{n}@example.com" for n in range(20) for _ in range(2)
    )
    assert len({str(taken.message["Message-ID"]) for taken in script.taken}) == 40
    assert 1 < script.connections <= 40
