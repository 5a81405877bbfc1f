"""What people read about hosts, in Russian and in English."""

import gettext
import string
from datetime import timedelta

import pytest
from babel.messages.pofile import read_po

from daemon import render
from daemon.hosts import words
from daemon.hosts.telling import addressed
from daemon.hosts.values import HostNews, Watched
from daemon.render import LANGUAGES
from daemon.values import Colleague
from storage.preferences import TYPES
from tests.hosts.stage import NOON

CATALOGUE = render._FOLDER / "ru/LC_MESSAGES/messages.po"
GW = Watched(1, "gw", people=("ann", "bob"))
WEB = Watched(2, "web", "gw", people=("ANN", "nobody"))
HOUR = timedelta(hours=1)
PEOPLE = [
    Colleague(1, "ann", "", "user", "en", "UTC"),
    Colleague(2, "bob", "", "user", "ru", "UTC"),
    Colleague(3, "root", "", "admin", "en", "UTC"),
]


def test_every_text_is_in_russian_with_the_same_placeholders() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    parts = ("%(count)s d", "%(count)s h", "%(count)s min", "%(count)s s")
    for text in (*words.TITLES.values(), *words.MESSAGES.values(), *words.REASONS.values(), *parts):
        russian = str(catalogue[text].string)
        assert russian
        assert text.count("%(") == russian.count("%("), text


def test_every_kind_is_a_type_that_people_can_choose() -> None:
    assert set(words.TITLES) <= set(TYPES)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min 59 s"), (3600, "1 h"), (3660, "1 h 1 min"),
        (3601, "1 h"), (86_400, "1 d"), (90_000, "1 d 1 h"), (86_460, "1 d"), (-5, "0 s"),
    ],
)  # fmt: skip
def test_a_duration_has_its_two_largest_units(seconds: int, text: str) -> None:
    assert words.duration(seconds, gettext.NullTranslations().gettext) == text


@pytest.mark.parametrize("kind", words.TITLES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_open_in_any_text(kind: str, language: str) -> None:
    news = HostNews(kind, NOON + HOUR, NOON, GW if kind.startswith("host") else None, "no_answer")  # type: ignore[arg-type]
    [first, *_] = addressed([news], [GW, WEB], PEOPLE)
    title, message = render.texts(first.change, kind, language)
    assert title
    assert "%" not in message
    assert any(letter in string.ascii_letters for letter in message) or language == "ru"


def who(news: HostNews, *hosts: Watched) -> dict[str, str]:
    return {a.member.login: a.reasons[0] for a in addressed([news], hosts or (GW, WEB), PEOPLE)}


def test_who_is_told() -> None:
    gateway = HostNews("host_down", NOON, NOON, GW)
    assert who(gateway) == {"ann": "looks_after", "bob": "looks_after"}
    assert who(HostNews("host_down", NOON, NOON, WEB)) == {"ann": "looks_after"}
    orphan = Watched(3, "x")
    assert who(HostNews("host_down", NOON, NOON, orphan), orphan) == {"root": "administrator"}
    network = {"ann": "looks_after", "root": "administrator"}
    assert who(HostNews("network_lost", NOON, NOON)) == network | {"bob": "looks_after"}
    assert who(HostNews("network_lost", NOON, NOON), orphan, WEB) == network


def test_the_same_news_has_the_same_key_and_another_outage_another() -> None:
    def key(news: HostNews) -> str:
        return addressed([news], [GW, WEB], PEOPLE)[0].change.key

    first = HostNews("host_down", NOON, NOON, GW)
    later = HostNews("host_down", NOON + HOUR, NOON, GW, "refused 10.0.0.1")
    assert key(first) == key(later)
    others = [
        HostNews("host_down", NOON, NOON + HOUR, GW),
        HostNews("host_down", NOON, NOON, GW, again=NOON + HOUR),
        HostNews("host_up", NOON, NOON, GW),
        HostNews("host_down", NOON, NOON, WEB),
    ]
    assert len({key(news) for news in (first, *others)}) == 5
