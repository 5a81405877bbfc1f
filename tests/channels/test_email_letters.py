"""What a mail says, to people and to their programs, whatever is in the issue."""

import email
import gettext
import re
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from daemon.channel import Parcel, Surroundings
from daemon.mail import letters, words
from daemon.mail.addresses import LONGEST_NAME, named_address, one_line
from daemon.mail.letters import Letterhead
from daemon.values import FieldChange
from tests.channels.parcels import ANN, BORIS, NOON, SURROUNDINGS, TOKEN, news, parcel

HEAD = Letterhead(named_address("Helpdesk <helpdesk@example.com>"), None, SURROUNDINGS)
WILD = '100 %s %(id)d {{ 7*7 }} <b>bold</b> & "quoted" {% raw %}'


def received(message: EmailMessage) -> EmailMessage:
    """Return a mail as a program reads it out of the bytes that are sent."""
    found = email.message_from_bytes(message.as_bytes(), policy=default)
    assert not found.defects
    return found


def written(given: Parcel, head: Letterhead = HEAD) -> EmailMessage:
    return received(letters.letter(given, head, NOON))


def gathered(*given: Parcel, head: Letterhead = HEAD) -> EmailMessage:
    return received(letters.digest(given, head, NOON))


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


# --- headers ----------------------------------------------------------------------------------------


def test_a_mail_names_issue_and_change_and_says_how_to_stop_it() -> None:
    mail = written(parcel())
    assert {name: str(mail[name]) for name in mail} | {"Content-Type": "", "MIME-Version": ""} == {
        "From": "Helpdesk <helpdesk@example.com>",
        "To": "Ann Manager <ann@example.com>",
        "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Id": "Helpdesk <helpdesk.helpdesk.example.com>",
        "List-Unsubscribe": f"<https://helpdesk.example.com/unsubscribe/{TOKEN}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Content-Language": "en",
        "Subject": "[Open project] #7 Printer is on fire: Issue status changed",
        "Message-ID": "<notification-41.20260301120000@helpdesk.example.com>",
        "In-Reply-To": "<issue-7.user-5@helpdesk.example.com>",
        "References": "<issue-7.user-5@helpdesk.example.com>",
        "Content-Type": "",
        "MIME-Version": "",
    }


def test_mails_of_an_issue_are_one_thread_for_each_reader() -> None:
    threads = [written(parcel(news(n))) for n in (41, 42)]
    assert len({str(mail["References"]) for mail in threads}) == 1
    assert len({str(mail["Message-ID"]) for mail in threads}) == 2
    assert str(written(parcel(to=BORIS))["References"]) != str(threads[0]["References"])
    assert str(written(parcel(news(thread="issue:8")))["References"]) != str(threads[0]["References"])


def test_a_second_try_has_the_same_number() -> None:
    """A server that took the mail and never said so: readers see the second one as the first."""
    again = letters.letter(parcel(attempt=2), HEAD, NOON.replace(hour=14))
    assert again["Message-ID"] == written(parcel())["Message-ID"]


def test_one_that_came_back_after_a_snooze_is_another_mail() -> None:
    """Programs drop a mail whose number they have seen."""
    back = parcel(news(41, surfaced_at=NOON.replace(hour=18)))
    assert written(back)["Message-ID"] == "<notification-41.20260301180000@helpdesk.example.com>"
    assert written(back)["References"] == written(parcel())["References"]


def test_a_new_database_does_not_use_the_old_numbers() -> None:
    renumbered = parcel(replace(news(), created_at=NOON.replace(hour=18)))
    assert written(renumbered)["Message-ID"] != written(parcel())["Message-ID"]


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://helpdesk.example.org", "helpdesk.example.org"),
        ("https://help.example.org:8443/desk", "help.example.org"),
        ("http://127.0.0.1:5000", "example.com"),
        ("http://[::1]:5000", "example.com"),
        ("http://desk:5000", "example.com"),
        ("http://помощь.рф", "example.com"),
    ],
)
def test_mails_are_numbered_under_the_viewers_name_or_the_senders(url: str, domain: str) -> None:
    head = Letterhead(HEAD.sender, None, Surroundings(url, SURROUNDINGS.directory))
    assert str(written(parcel(), head)["Message-ID"]).endswith(f"@{domain}>")


def test_long_addresses_in_headers_for_programs_stay_in_one_piece() -> None:
    """The standard library would write them as encoded words, which no mail program understands."""
    long = "https://helpdesk.some-very-long-name.department.of-something.example.com"
    head = Letterhead(HEAD.sender, None, Surroundings(long, SURROUNDINGS.directory))
    raw = letters.letter(parcel(), head, NOON).as_bytes().decode("ascii")
    assert f"\r\nList-Unsubscribe: <{long}/unsubscribe/{TOKEN}>\r\n" in raw
    assert f"\r\nReferences: <issue-7.user-5@{long[8:]}>\r\n" in raw
    assert f"\r\nMessage-ID: <notification-41.20260301120000@{long[8:]}>\r\n" in raw


@pytest.mark.parametrize(
    ("url", "written_as"),
    [
        ("http://почта.рф:8443/стол", "http://xn--80a1acny.xn--p1ai:8443/%D1%81%D1%82%D0%BE%D0%BB"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("https://help.example.org", "https://help.example.org"),
    ],
)
def test_an_address_of_any_script_stops_mails(url: str, written_as: str) -> None:
    head = Letterhead(HEAD.sender, None, Surroundings(url, SURROUNDINGS.directory))
    assert str(written(parcel(), head)["List-Unsubscribe"]) == f"<{written_as}/unsubscribe/{TOKEN}>"


def test_answers_go_where_they_should() -> None:
    head = Letterhead(HEAD.sender, named_address("Support <support@example.com>"), SURROUNDINGS)
    assert str(written(parcel(), head)["Reply-To"]) == "Support <support@example.com>"
    assert written(parcel())["Reply-To"] is None


def test_what_is_urgent_is_marked() -> None:
    mail = written(parcel(news(is_urgent=True)))
    assert mail["Importance"] == "high"
    assert "Urgent" in body(mail)
    assert "Urgent" in body(mail, "html")
    assert written(parcel())["Importance"] is None


@pytest.mark.parametrize(
    ("columns", "subject"),
    [
        ({}, "[Open project] #7 Printer is on fire: Issue status changed"),
        ({"project": ""}, "#7 Printer is on fire: Issue status changed"),
        ({"issue_id": None, "project": "", "subject": "gw-1"}, "gw-1: Issue status changed"),
        ({"issue_id": None, "project": "", "subject": ""}, "Issue status changed"),
        ({"subject": "Принтер  горит 🔥"}, "[Open project] #7 Принтер горит 🔥: Issue status changed"),
    ],
    ids=["whole", "no-project", "no-issue", "title-alone", "not-ascii"],
)
def test_subjects(columns: dict[str, Any], subject: str) -> None:
    assert str(written(parcel(news(**columns)))["Subject"]) == subject


EVIL = [
    "\r\nBcc: eve@evil.example",
    "\nBcc: eve@evil.example",
    "\r\n\r\n<script>",
    "\x00",
    "\x0b\x0c\x1c",
    "\x85\u2028\u2029",
    "\u202e",
    "\ud800",
]


@pytest.mark.parametrize("evil", EVIL, ids=[ascii(e) for e in EVIL])
def test_nothing_that_people_write_becomes_a_header(evil: str) -> None:
    text = f"a{evil}b"
    given = news(
        subject=text,
        project=text,
        title=text,
        message=text,
        actor=text,
        notes=text,
        thread=f"x:{text}",
        details=(FieldChange("custom_field", text, text, text),),
    )
    to = ANN.__class__(5, text, "ann@example.com", "en", "UTC", TOKEN)
    for mail in (written(parcel(given, to)), gathered(parcel(given, to), parcel(given, to))):
        assert mail["Bcc"] is None
        assert {name.lower() for name in mail} <= {n.lower() for n in (*written(parcel()), "To")}
        assert mail["To"].addresses[0].addr_spec == "ann@example.com"
        assert "\u202e" not in body(mail)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@example..com",
        "a b@example.com",
        "ann@exa mple.com",
        "ann@example.com\r\nBcc: eve@evil.example",
        "ann@example.com, eve@evil.example",
        "<ann@example.com>",
        "ann@-example.com",
        "a" * 65 + "@example.com",
        "ann@" + "x" * 64 + ".com",
        "\u202eann@example.com",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not an e-mail address"):
        letters.letter(parcel(to=ANN.__class__(5, "Ann", address, "en", "UTC", TOKEN)), HEAD, NOON)


@pytest.mark.parametrize(
    ("name", "address", "shown"),
    [
        ("Борис Петров", "boris@example.com", "boris@example.com"),
        ('O\'Hara, "Bob" <x@y>', "bob@example.com", "bob@example.com"),
        ("", "ann@почта.рф", "ann@xn--80a1acny.xn--p1ai"),
        ("x" * 500, "ann@example.com", "ann@example.com"),
    ],
)
def test_names_and_addresses_of_any_script_arrive(name: str, address: str, shown: str) -> None:
    mail = written(parcel(to=ANN.__class__(5, name, address, "en", "UTC", TOKEN)))
    (to,) = mail["To"].addresses
    assert (to.addr_spec, to.display_name) == (shown, one_line(name, LONGEST_NAME))


def test_lines_are_never_longer_than_servers_take() -> None:
    given = news(notes="я" * 15_000, subject="ж" * 1000, title="щ" * 1000, message="ю" * 5000)
    for message in (
        letters.letter(parcel(given), HEAD, NOON),
        letters.digest([parcel(given)] * 2, HEAD, NOON),
    ):
        assert max(len(line) for line in message.as_bytes().split(b"\r\n")) <= 998


# --- what people read -------------------------------------------------------------------------------


def test_a_mail_says_what_changed_who_did_it_and_why_it_was_sent() -> None:
    for kind in ("plain", "html"):
        text = body(written(parcel()), kind)
        for part in (
            "Issue status changed",
            "Боб",
            "2026-03-01 13:00",
            "Status",
            "New",
            "Closed",
            "Priority",
            "High",
            "It burns.\n\nReally.",
            "You are the assignee. You are watching.",
        ):
            assert part in text, part
        assert "https://helpdesk.example.com/tasks/7#change-11" in text
        assert f"https://helpdesk.example.com/unsubscribe/{TOKEN}" in text
        assert "Private note" not in text


def test_it_is_in_the_language_and_the_time_zone_of_its_reader() -> None:
    mail = written(parcel(to=BORIS))
    for kind in ("plain", "html"):
        text = body(mail, kind)
        for part in ("Статус", "01.03.2026 15:00", "Вы исполнитель"):
            assert part in text, part
        assert not re.search(r"You are|Status<|Open issue", text)
    assert mail["Content-Language"] == "ru"
    assert '<html lang="ru">' in body(mail, "html")


@pytest.mark.parametrize("language", ["fr", "", "../../etc"])
def test_an_unknown_language_reads_english(language: str) -> None:
    mail = written(parcel(to=ANN.__class__(5, "Ann", "ann@example.com", language, "Mars/Olympus", TOKEN)))
    assert "You are the assignee" in body(mail)
    assert "2026-03-01 12:00" in body(mail), "an unknown zone is UTC"
    assert mail["Content-Language"] == "en"


def test_a_private_note_is_marked() -> None:
    secret = parcel(news(is_private_note=True))
    for mail in (written(secret), gathered(secret, secret)):
        assert "[Private note]" in body(mail)
        assert "Private note" in body(mail, "html")


def test_signs_of_html_and_of_templates_stay_what_they_are() -> None:
    given = news(
        subject=WILD,
        project=WILD,
        title=WILD,
        message=WILD,
        actor=WILD,
        notes=WILD,
        details=(FieldChange("status", WILD, WILD),),
    )
    for mail in (written(parcel(given)), gathered(parcel(given), parcel(given))):
        assert WILD in body(mail)
        html = body(mail, "html")
        assert "<b>" not in html
        assert "&lt;b&gt;bold&lt;/b&gt; &amp; &#34;quoted&#34;" in html
        assert "{{ 7*7 }}" in html


def test_without_details_and_note_the_sentence_is_told() -> None:
    given = news(details=(), notes="", message="Issue #7 is due tomorrow")
    for kind in ("plain", "html"):
        assert "Issue #7 is due tomorrow" in body(written(parcel(given)), kind)
        assert "Issue #7 is due tomorrow" in body(gathered(parcel(given), parcel(given)), kind)


def test_what_is_no_issue_is_told_by_its_sentence() -> None:
    details = (FieldChange("days_left", None, "3"),)
    given = news(issue_id=None, thread="erp:5", project="", details=details, notes="", reasons=("account",))
    text = body(written(parcel(given)))
    assert given.message in text
    assert "days_left" not in text
    assert "It is about your account" in text


def test_the_page_of_a_deleted_issue_is_not_offered() -> None:
    mail = written(parcel(news(type="issue_deleted", journal_id=None)))
    assert "/tasks/7" not in body(mail)
    assert "Open the inbox" in body(mail, "html")


@pytest.mark.parametrize(
    ("change", "language", "shown"),
    [
        (FieldChange("status", "New", "Closed"), "en", ("Status", "New", "Closed")),
        (FieldChange("status", "Новая", "Закрыта"), "ru", ("Статус", "Новая", "Закрыта")),
        (FieldChange("custom_field", None, "12", "Status"), "ru", ("Status", "", "12")),
        (FieldChange("relation", None, "8", "blocks"), "en", ("Relation", "", "8")),
        (FieldChange("description", "long", "longer"), "en", ("Description", "", "edited")),
        (FieldChange("is_private", "0", "1"), "ru", ("Частная", "нет", "да")),
        (FieldChange("done_ratio", "0", "50"), "en", ("Done", "0 %", "50 %")),
        (FieldChange("odd", "a", None), "en", ("odd", "a", "")),
    ],
)
def test_fields_have_names_and_values_in_words(
    change: FieldChange, language: str, shown: tuple[str, ...]
) -> None:
    assert words.detail(change, language) == shown


def texts() -> set[str]:
    """Return every text of the templates and of the tables of words."""
    found = {*words.REASONS.values(), *words.FIELDS.values(), "edited", "yes", "no"}
    for path in words.TEMPLATES.iterdir():
        found |= set(re.findall(r'(?:_|ngettext)\("([^"]+)"', path.read_text()))
    return found


@pytest.mark.parametrize("text", sorted(texts()))
def test_every_word_is_translated(text: str) -> None:
    russian = gettext.translation("messages", words.TRANSLATIONS, languages=["ru"])
    assert russian.gettext(text) != text or russian.ngettext(text, text + "s", 5) not in {text, text + "s"}
