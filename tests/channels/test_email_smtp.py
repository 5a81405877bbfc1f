"""Mails over SMTP to a real server, and everything that such a server may do instead of taking them."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daemon.channel import DeliveryFailed, Parcel
from daemon.channels import email
from daemon.checks import all_checks
from daemon.checks.rows import Row
from daemon.mail import post
from tests.channels.certificates import Authority
from tests.channels.mail_plays import Play, drips, drips_lines, hangs_up, says
from tests.channels.mail_server import HANG_UP, PASSWORD, STALL, USER, MailServer, RawServer, Script
from tests.channels.parcels import ANN, BORIS, SURROUNDINGS, news, parcel

SECURITIES = ("starttls", "tls", "none")


class Desk:
    """A script, the servers that follow it, and channels to them."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.script = Script()
        self.authority = authority
        self._folder = folder
        self._open: list[Any] = []

    def server(self, security: str = "starttls", names: str = "localhost", **options: Any) -> MailServer:
        server = MailServer(self.script, self.authority.issue(names), security, **options)
        self._open.insert(0, server)
        return server

    def raw(self, play: Play) -> RawServer:
        self._open.insert(0, RawServer(play))
        return self._open[0]  # type: ignore[no-any-return]

    def options(self, port: int, security: str = "starttls", **options: Any) -> email.Options:
        password = self._folder / "password"
        password.write_text(f"{PASSWORD}\n")
        given: dict[str, Any] = {
            "host": "localhost",
            "port": port,
            "security": security,
            "username": USER,
            "password_file": password,
            "ca_file": self.authority.ca_file,
            "sender": "Helpdesk <helpdesk@example.com>",
            "timeout_s": 5.0,
        }
        if security == "none":
            given |= {"username": "", "password_file": None}
        return email.Options(**given | options)

    def channel(self, port: int, security: str = "starttls", **options: Any) -> email.Channel:
        channel = email.Channel(self.options(port, security, **options), SURROUNDINGS)
        self._open.insert(0, channel)
        return channel

    def close(self) -> None:
        for part in self._open:
            part.close()


@pytest.fixture
def desk(authority: Authority, tmp_path: Path) -> Iterator[Desk]:
    """A desk from which mails go out."""
    desk = Desk(authority, tmp_path)
    yield desk
    desk.close()


def failure(channel: email.Channel, *parcels: Parcel) -> DeliveryFailed:
    """Return how sending fails."""
    with pytest.raises(DeliveryFailed) as caught:
        channel.send(parcels or (parcel(),))
    assert PASSWORD not in str(caught.value)
    return caught.value


# --- accepted ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", SECURITIES)
def test_a_mail_arrives(desk: Desk, security: str) -> None:
    desk.channel(desk.server(security).port, security).send([parcel()])
    (taken,) = desk.script.taken
    assert (taken.sender, taken.recipients) == ("helpdesk@example.com", ["ann@example.com"])
    assert str(taken.message["Subject"]) == "[Open project] #7 Printer is on fire: Issue status changed"
    assert not taken.message.defects
    assert b"\n" not in taken.raw.replace(b"\r\n", b"")


def test_several_parcels_are_one_mail(desk: Desk) -> None:
    desk.channel(desk.server().port).send([parcel(), parcel(news(42))])
    (taken,) = desk.script.taken
    assert str(taken.message["Subject"]) == "2 notifications"


def test_what_is_not_ascii_arrives(desk: Desk) -> None:
    desk.channel(desk.server().port).send([parcel(news(subject="Принтер горит 🔥", notes="Ждём…"), BORIS)])
    (taken,) = desk.script.taken
    assert str(taken.message["Subject"]) == "[Open project] #7 Принтер горит 🔥: Issue status changed"
    assert taken.message["To"].addresses[0].display_name == "Борис Петров"
    body = taken.message.get_body(("plain",))
    assert body is not None
    assert "Ждём…" in body.get_content()


def test_an_address_that_is_not_ascii_is_written_to_where_the_server_knows_such(desk: Desk) -> None:
    to = parcel(to=replace(BORIS, email="борис@почта.рф"))
    desk.channel(desk.server().port).send([to])
    (taken,) = desk.script.taken
    assert taken.recipients == ["борис@xn--80a1acny.xn--p1ai"]
    failed = failure(desk.channel(desk.server(enable_SMTPUTF8=False).port), to)
    assert (failed.outcome, "SMTPUTF8" in str(failed)) == ("failed", True)


def test_an_address_that_is_none_is_given_up(desk: Desk) -> None:
    failed = failure(desk.channel(desk.server().port), parcel(to=replace(ANN, email="nobody")))
    assert (failed.outcome, str(failed)) == ("failed", "'nobody' is not an e-mail address")
    assert desk.script.connections == 0


# --- connections ------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", SECURITIES)
def test_a_connection_is_used_again(desk: Desk, security: str) -> None:
    channel = desk.channel(desk.server(security).port, security)
    for number in range(41, 46):
        channel.send([parcel(news(number))])
    assert (len(desk.script.taken), desk.script.connections) == (5, 1)


def test_a_connection_that_was_lost_meanwhile_is_no_failure(desk: Desk) -> None:
    server = desk.server()
    channel = desk.channel(server.port)
    channel.send([parcel()])
    server.drop_connections()
    channel.send([parcel(news(42))])
    assert (len(desk.script.taken), desk.script.connections) == (2, 2)


def test_a_connection_is_not_used_for_ever(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "MAILS", 2)
    channel = desk.channel(desk.server().port)
    for number in range(41, 46):
        channel.send([parcel(news(number))])
    assert (len(desk.script.taken), desk.script.connections) == (5, 3)


def test_a_connection_that_was_idle_for_long_is_left_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "IDLE_S", -1.0)
    channel = desk.channel(desk.server().port)
    for number in (41, 42):
        channel.send([parcel(news(number))])
    assert (len(desk.script.taken), desk.script.connections) == (2, 2)


def test_a_refused_mail_does_not_spoil_the_next_one(desk: Desk) -> None:
    desk.script.answers, desk.script.only = {"RCPT": "550 nobody here"}, frozenset({"boris@example.com"})
    channel = desk.channel(desk.server().port)
    channel.send([parcel()])
    assert failure(channel, parcel(to=BORIS)).outcome == "failed"
    channel.send([parcel(news(42))])
    assert [taken.recipients for taken in desk.script.taken] == [["ann@example.com"]] * 2


def test_many_at_once_arrive_once_each(desk: Desk) -> None:
    channel = desk.channel(desk.server().port, timeout_s=30.0)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: channel.send([parcel(news(n))]), range(41, 101)))
    numbers = sorted(str(taken.message["Message-ID"]) for taken in desk.script.taken)
    assert len(numbers) == len(set(numbers)) == 60
    assert desk.script.connections <= 60


def test_nothing_is_left_open(desk: Desk) -> None:
    channel = desk.channel(desk.server().port)
    channel.send([parcel()])
    channel.close()
    channel.send([parcel(news(42))])
    assert desk.script.connections == 2


# --- refusals ---------------------------------------------------------------------------------------

ANSWERS = [
    ("EHLO", "421 4.3.2 closing", "retry"),
    ("MAIL", "421 4.3.2 closing", "retry"),
    ("MAIL", "451 4.7.1 later", "retry"),
    ("MAIL", "550 5.7.1 you may not send as this", "misconfigured"),
    ("MAIL", "530 5.7.0 log in first", "misconfigured"),
    ("RCPT", "450 4.2.0 greylisted", "retry"),
    ("RCPT", "452 4.2.2 mailbox full", "retry"),
    ("RCPT", "550 5.1.1 nobody here", "failed"),
    ("RCPT", "553 5.1.3 bad address", "failed"),
    ("RCPT", "530 5.7.0 log in first", "misconfigured"),
    ("END", "451 4.3.0 disk full", "retry"),
    ("END", "421 4.3.2 closing", "retry"),
    ("END", "552 5.3.4 too big", "failed"),
    ("END", "554 5.7.1 looks like spam", "failed"),
]


@pytest.mark.parametrize(("step", "answer", "outcome"), ANSWERS)
def test_each_refusal_has_its_outcome(desk: Desk, step: str, answer: str, outcome: str) -> None:
    desk.script.answers = {step: answer}
    failed = failure(desk.channel(desk.server().port))
    assert failed.outcome == outcome
    assert answer in str(failed)
    assert desk.script.taken == []


@pytest.mark.parametrize("step", ["EHLO", "MAIL", "RCPT", "END"])
@pytest.mark.parametrize("what", [STALL, HANG_UP])
def test_a_server_that_stalls_or_hangs_up_is_tried_again(desk: Desk, step: str, what: str) -> None:
    desk.script.answers = {step: what}
    channel = desk.channel(desk.server().port, timeout_s=1.0)
    assert failure(channel).outcome == "retry"
    desk.script.answers = {}
    channel.send([parcel()])
    assert len(desk.script.taken) == 1


def test_a_wrong_password_is_for_an_administrator_to_mend(desk: Desk, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong horse")
    failed = failure(desk.channel(desk.server().port, password_file=wrong))
    assert failed.outcome == "misconfigured"
    assert "refused the log-in: 535" in str(failed)
    assert "wrong horse" not in str(failed)


def test_a_password_that_cannot_be_sent_is_too(desk: Desk, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.write_text("пароль")
    assert failure(desk.channel(desk.server().port, password_file=odd)).outcome == "misconfigured"


def test_a_server_without_encryption_or_log_in_gets_no_password(desk: Desk) -> None:
    plain = desk.server("none", authenticator=None, auth_exclude_mechanism=["LOGIN", "PLAIN"])
    assert failure(desk.channel(plain.port, "starttls")).outcome == "misconfigured"
    channel = desk.channel(plain.port, "none", username=USER, password_file=desk.authority.ca_file)
    assert failure(channel).outcome == "misconfigured"
    assert desk.script.taken == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_only_the_right_certificate_is_trusted(desk: Desk, security: str, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    for channel in (
        desk.channel(desk.server(security).port, security, ca_file=other.ca_file),
        desk.channel(desk.server(security).port, security, ca_file=None),
        desk.channel(desk.server(security, names="mail.evil.example").port, security),
    ):
        failed = failure(channel)
        assert failed.outcome == "misconfigured"
        assert "certificate is not trusted" in str(failed)
    assert desk.script.taken == []


def test_encryption_from_the_first_byte_where_there_is_none_is_for_an_administrator(desk: Desk) -> None:
    failed = failure(desk.channel(desk.server("starttls").port, "tls"))
    assert failed.outcome == "misconfigured"
    assert "security" in str(failed)


# --- servers that do not keep to the rules ----------------------------------------------------------


RAW: list[tuple[str, Play, str]] = [
    ("drips", drips, "retry"),
    ("drips-lines", drips_lines, "retry"),
    ("silent", says(b""), "retry"),
    ("hangs-up", hangs_up, "retry"),
    ("not-smtp", says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "retry"),
    ("one-endless-line", says(b"220 " + b"x" * 100_000), "misconfigured"),
    ("busy", says(b"421 too many connections\r\n"), "retry"),
    ("unwanted", says(b"554 no service for you\r\n"), "misconfigured"),
]


@pytest.mark.parametrize(("play", "outcome"), [r[1:] for r in RAW], ids=[r[0] for r in RAW])
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_no_server_holds_a_mail_up_for_longer_than_its_time(
    desk: Desk, play: Play, outcome: str, security: str
) -> None:
    channel = desk.channel(desk.raw(play).port, security, timeout_s=1.0)
    started = time.monotonic()
    failed = failure(channel)
    assert time.monotonic() - started < 5
    if security == "starttls":
        assert failed.outcome == outcome
    else:
        assert failed.outcome in {"retry", "misconfigured"}


def test_a_server_that_cannot_be_reached_is_tried_again(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for channel in (desk.channel(port), desk.channel(port, host="no-such-host.invalid")):
        failed = failure(channel)
        assert failed.outcome == "retry"
        assert "cannot be reached" in str(failed)


def test_a_resolver_that_does_not_answer_holds_no_mail_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, goes_on, came_back = threading.Event(), threading.Event(), threading.Event()

    def hang(*_args: Any, **_named: Any) -> list[Any]:
        asked.set()
        goes_on.wait(60)
        came_back.set()
        return []

    channel = desk.channel(25, timeout_s=1.0)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    failed = failure(channel)
    assert asked.is_set()
    assert not came_back.is_set(), "nobody waited for it"
    assert (failed.outcome, str(failed)) == ("retry", "the mail server cannot be reached: no answer in time")
    goes_on.set()
    assert came_back.wait(30)


# --- asked beforehand -------------------------------------------------------------------------------


def test_a_check_logs_in_and_sends_nothing(desk: Desk, tmp_path: Path) -> None:
    port = desk.server().port
    assert email.fault(desk.options(port)) == ""
    assert (desk.script.connections, desk.script.taken) == (1, [])
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong horse")
    assert "refused the log-in: 535" in email.fault(desk.options(port, password_file=wrong))
    assert "password_file" in email.fault(desk.options(port, password_file=tmp_path / "none"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    assert "cannot be reached" in email.fault(desk.options(free))


def mail_row(path: Path) -> Row:
    return next(row for row in all_checks(path) if row.name == "email")


def test_the_command_checks_mail_where_it_is_configured(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    path = tmp_path / "scheduler.toml"
    table = f"""
        [storage]
        directory = "{tmp_path}/state"
        [channel.email]
        host = "localhost"
        port = {desk.server().port}
        username = "{USER}"
        password_file = "{tmp_path}/password"
        ca_file = "{desk.authority.ca_file}"
        sender = "helpdesk@example.com"
    """
    path.write_text(table)
    assert mail_row(path).state == "ok"
    path.write_text(table.replace(USER, "somebody"))
    assert "refused the log-in" in mail_row(path).found
    path.write_text("")
    assert mail_row(path).state == "off"
