"""What people write is shown as they meant it, and never runs."""

from html.parser import HTMLParser

import pytest

from web.markup import markdown_html, safe_html


class Reader(HTMLParser):
    """What a browser would make of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.targets += [value or "" for name, value in attrs if name == "href"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** and *soft*", "<p><strong>bold</strong> and <em>soft</em></p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("`x < y`", "<p><code>x &lt; y</code></p>\n"),
        ("Привет", "<p>Привет</p>\n"),
        ("", ""),
    ],
    ids=["emphasis", "list", "code", "russian", "empty"],
)
def test_markdown_is_rendered(text: str, html: str) -> None:
    assert markdown_html(text) == html


def test_a_link_tells_its_target_nothing_of_the_reader() -> None:
    link = markdown_html("[docs](https://example.com/x?a=1)")
    assert 'href="https://example.com/x?a=1"' in link
    assert 'rel="noopener noreferrer nofollow"' in link


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "<javascript:alert(1)>",
        "![x](https://tracker.example.com/pixel.png)",
        "<svg/onload=alert(1)>",
        "[x](https://a'onmouseover=alert%281%29//)",
        '<https://a"onmouseover="alert(1)">',
        "<iframe src=//evil.example.com></iframe>",
        "<p style='position:fixed'>over all</p>",
    ],
)
def test_nothing_in_a_text_runs_or_is_fetched(text: str) -> None:
    shown = Reader(str(markdown_html(text)))
    assert shown.tags <= {"p", "a"}
    assert shown.attributes <= {"href", "rel"}
    assert all(target.startswith("https:") for target in shown.targets)


@pytest.mark.parametrize(
    "html",
    [
        "<a href='JaVaScRiPt:alert(1)'>x</a>",
        "<a onclick='alert(1)'>x</a>",
        "<b style='background:url(//evil)'>x</b>",
        "<math><mi//xlink:href='data:x,<script>alert(1)</script>'></mi></math>x",
        "<form action='//evil'><input></form>x",
    ],
)
def test_only_what_is_on_the_list_is_left_of_html(html: str) -> None:
    left = str(safe_html(html))
    assert left in {'<a rel="noopener noreferrer nofollow">x</a>', "<b>x</b>", "x"}


def test_a_thousand_nested_quotes_are_no_trouble() -> None:
    assert len(markdown_html("> " * 1000 + "x")) < 10_000
