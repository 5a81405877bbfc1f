"""Who is mentioned in a text, as Redmine finds it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import diff
from daemon.clients.values import Journal
from tests.daemon.samples import (
    attr,
    field,
    issue,
    journal,
)
from tests.daemon.test_diff import one


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@ann", {"ann"}),
        ("Hello @Ann, and @bob.b!", {"ann", "bob.b"}),
        ("@ann.", {"ann"}),
        ("@ann...", {"ann"}),
        ("(@ann)", {"ann"}),
        ("[@ann]", {"ann"}),
        ("<b>@ann</b>", {"ann"}),
        ("*@ann* said", {"ann"}),
        ("@ann_ said", {"ann"}),
        ("_@ann_ said", set()),  # as Redmine: a letter, a digit or _ before it makes it something else
        ("«@ann»", {"ann"}),
        ("Спросите @ann", {"ann"}),
        ("Спросите:@ann; или @bob", {"ann", "bob"}),
        ("two\nlines @ann\r\n@bob", {"ann", "bob"}),
        ("@a_b-c.d@e", {"a_b-c.d@e"}),
        ("@ann_", {"ann_"}),
        ("@ann@example.com", {"ann@example.com"}),
        ("mail to ann@example.com", set()),
        ("пишите на почту@ann", {"ann"}),  # as Redmine: its \W is of ASCII
        ("@ann/path", set()),
        ("@", set()),
        ("@ ann", set()),
        ("@, @. @", set()),
        ("", set()),
        ("> @ann wrote:\n> hello\n@bob yes", {"bob"}),
        ("<pre>@ann</pre> @bob", {"bob"}),
        ("<pre>\n@ann\n</pre>", set()),
        ("```\n@ann\n``` @bob", {"bob"}),
        ("~~~ @ann ~~~", set()),
        ("<pre>@ann", {"ann"}),
        ("@ann @ANN @Ann", {"ann"}),
        ("x" * 10_000 + " @ann", {"ann"}),
    ],
)
def test_a_mention_is_what_redmine_takes_for_one(text: str, expected: set[str]) -> None:
    assert diff.mentioned(text) == expected


@given(st.text(alphabet="@ann.b_-/ \n<>pre`~,!и[]", max_size=60))
def test_no_text_breaks_the_search_for_mentions(text: str) -> None:
    for login in diff.mentioned(text):
        assert f"@{login}" in text.lower()


def test_very_long_texts_are_searched_quickly() -> None:
    import time

    started = time.monotonic()
    for text in (
        "@" * 20_000,
        "@a" * 20_000,
        "@a." * 20_000,
        "<pre>" * 20_000,
        "> \n" * 20_000,
        "." * 50_000,
    ):
        diff.mentioned(text)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (journal(11, notes="@carl"), {"carl"}),
        (journal(11, attr("description", "@carl", "@carl and @dora")), {"dora"}),
        (journal(11, attr("description", None, "@dora")), {"dora"}),
        (journal(11, attr("description", "@dora", None)), set()),
        (journal(11, attr("description", "@dora", ""), notes="@carl"), {"carl"}),
        (journal(11, attr("subject", "a", "@carl")), set()),
        (journal(11, field(1, "", "@carl")), set()),
    ],
    ids=["note", "added-to-description", "first-description", "removed", "both", "subject", "custom-field"],
)
def test_a_journal_mentions_those_of_its_note_and_those_an_edit_added(
    made: Journal, expected: set[str]
) -> None:
    assert one(issue(journals=(made,))).concerned.mentioned == expected
