"""Mails of several notifications: gathered by project and issue, in the order of time."""

from daemon.channel import Parcel
from daemon.mail import letters
from tests.channels.parcels import BORIS, TOKEN, news, parcel
from tests.channels.test_email_letters import body, gathered, written


def many() -> list[Parcel]:
    """News of three issues in two projects, and of none."""
    return [
        parcel(news(45, project="Zoo", thread="issue:9", issue_id=9, subject="Cage")),
        parcel(news(44)),
        parcel(news(43, thread="issue:8", issue_id=8, subject="Scanner", title="New issue")),
        parcel(news(42, title="Issue assigned")),
        parcel(news(46, project="", thread="host:gw-1", issue_id=None, subject="gw-1", title="Host is down")),
    ]


def test_a_digest_gathers_by_project_and_issue_in_the_order_of_time() -> None:
    mail = gathered(*many())
    assert str(mail["Subject"]) == "5 notifications"
    for kind in ("plain", "html"):
        text = body(mail, kind)
        order = [
            "Open project",
            "#7 Printer",
            "13:01",
            "Issue assigned",
            "13:03",
            "Issue status changed",
            "#8 Scanner",
            "13:02",
            "New issue",
            "Zoo",
            "#9 Cage",
            "13:04",
            "Other",
            "gw-1",
            "Host is down",
        ]
        at = text.index("<h2") if kind == "html" else 0
        for part in order:
            at = text.find(part, at)
            assert at >= 0, part
        assert text.count("#8 Scanner") == (1 if kind == "plain" else 2), "once, and in the preview"


def test_a_digest_can_be_stopped_with_one_click_and_has_its_own_number() -> None:
    one, other = gathered(*many()), gathered(*many()[1:])
    assert one["List-Unsubscribe"] == f"<https://helpdesk.example.com/unsubscribe/{TOKEN}>"
    assert one["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert one["Message-ID"] != other["Message-ID"]
    assert gathered(*reversed(many()))["Message-ID"] == one["Message-ID"]


def test_a_russian_digest_counts_as_russians_do() -> None:
    for count, subject in (
        (1, "1 уведомление"),
        (3, "3 уведомления"),
        (5, "5 уведомлений"),
        (21, "21 уведомление"),
    ):
        parcels = [parcel(news(41 + n), BORIS) for n in range(count)]
        assert str(gathered(*parcels)["Subject"]) == subject


def test_a_huge_digest_shows_the_newest_and_where_the_rest_is() -> None:
    parcels = [
        parcel(news(41 + n, title=f"Number {n}.", details=(), notes=""))
        for n in range(letters.MOST_IN_DIGEST + 7)
    ]
    text = body(gathered(*parcels))
    assert "Number 6." not in text
    assert "Number 7." in text
    assert "7 earlier notifications are in the inbox: https://helpdesk.example.com/notifications" in text


def test_long_notes_are_cut() -> None:
    given = news(notes="x" * 50_000)
    assert len(body(written(parcel(given)))) < 25_000
    assert len(body(gathered(parcel(given), parcel(given)))) < 3_000
