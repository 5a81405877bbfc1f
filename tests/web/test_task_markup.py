"""Texts that people wrote, as safe HTML, whatever is in them."""

import time

import pytest

from web.task.markup import TIME_S, Formatter

PICTURES = {"clip.png": '/tasks/1?a=1&b="2'}


def textile(text: str) -> str:
    return str(Formatter("textile", PICTURES).html(text))


def markdown(text: str) -> str:
    return str(Formatter("common_mark", PICTURES).html(text))


@pytest.mark.parametrize("render", [textile, markdown])
@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        '"x":javascript:alert(1)',
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        '!https://evil.example/x.png(a" onerror="alert(1))!',
        "![x](https://evil.example/x.png)",
        "<pre><script>alert(1)</script></pre>",
        "%{background:url(https://evil.example)}x%",
        "p{color:red}. x",
        '<iframe src="https://evil.example"></iframe>',
        '[t](http://a.example "> #12 onclick=alert(1) x=")',
        '"t(> #12 onclick=alert(1) x=)":http://a.example',
        "<style>*{display:none}</style>",
        "==<b onclick=alert(1)>x</b>==",
        "notextile. <b onclick=alert(1)>x</b>",
    ],
)
def test_nothing_runs_and_nothing_is_fetched(render, evil: str) -> None:
    html = render(evil)
    for bad in ("<script", "<img", "<iframe", "<style", " style=", "<b onclick"):
        assert bad not in html.lower(), html
    assert '<a href="javascript' not in html
    assert '<a href="data' not in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("see #12.", '<a class="task-ref" href="/tasks/12">#12</a>.'),
        ("a#12 &#35; /#3", None),
        ("@ann.", '<span class="mention">@ann</span>.'),
        ("mail ann@x.example", None),
    ],
)
@pytest.mark.parametrize("render", [textile, markdown])
def test_tasks_and_people_are_marked(render, text: str, html: str | None) -> None:
    if html is None:
        assert "task-ref" not in render(text)
        assert "mention" not in render(text)
    else:
        assert html in render(text)


def test_code_and_links_are_left_as_they_are() -> None:
    html = textile('@#1@ "t #2":http://x.example/#3\n\n<pre>\n#4 @bob\n</pre>')
    assert "task-ref" not in html
    assert "mention" not in html
    assert "task-ref" not in markdown("`#1` [t #2](http://x.example)\n\n    #3\n")


def test_the_tasks_own_pictures_are_shown_and_no_others() -> None:
    for html in (textile("!>clip.png! !other.png!"), markdown("![a](clip.png) ![b](other.png)")):
        assert html.count("<img") == 1
        assert 'src="/tasks/1?a=1&amp;b=&#34;2"' in html
        assert "other.png" in html


def test_lines_of_mail_are_quotations() -> None:
    html = textile("> > old\n> *older*\n\nnew")
    assert html.count("<blockquote>") == 2
    assert "<strong>older</strong>" in html


@pytest.mark.parametrize("render", [textile, markdown])
@pytest.mark.parametrize(
    "unit",
    ["_a ", "%{", "|", "<pre>", "!a", "![a](", "#1", "@a", "_a _a\n\n", "> ", "[", '"x":', "* a\n", ">\n"],
)
def test_no_text_holds_a_thread_for_long(render, unit: str) -> None:
    began = time.monotonic()
    render(unit * (60_000 // len(unit)))
    assert time.monotonic() - began < 6 * TIME_S
