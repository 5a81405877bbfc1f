"""Descriptions and notes as HTML: Textile or CommonMark, with links to tasks and the task's own pictures.

python-textile takes time that grows with the square of its input: 60 KB of `_a _a` hold a thread for a
minute. So a text is rendered piece by piece, a long piece is shown as it is, and so is what is left when time
is up.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from markupsafe import Markup, escape
from textile.core import Textile

from web.markup import markdown_html, safe_html

LONGEST_PIECE = 2000
LONGEST_TEXT = 200_000
TIME_S = 0.5
LONGEST_MARKDOWN = 20_000
DEEPEST_QUOTE = 5
_CODE = re.compile(r"\A\s*<code[^>]{0,80}>(.*)</code>\s*\Z", re.DOTALL | re.IGNORECASE)
_BLANK = re.compile(r"\n[ \t]*\n")
# What nh3 writes has every attribute in double quotes, so that a > inside of one does not end the tag.
_TAG = re.compile(r"""(<(?:[^>"]|"[^"]*")*>)""")
_REFERENCE = re.compile(r"(?<![\w&/#;])#(\d{1,9})\b|(?<![\w@./])@([A-Za-z0-9_][A-Za-z0-9_.-]{0,59})")
_PICTURE = re.compile(
    r"!(?:[<>=]|\{[^}\n]{0,80}\})*([^!\s(){}<>][^!\n\r(){}<>]{0,199}?)(?:\([^)\n]{0,200}\))?!"
)
_MARKDOWN_PICTURE = re.compile(r"!\[[^\]\n]{0,200}\]\(([^)\n]{1,200}?)\)")
_MARK = "\ue000"  # of Unicode's private use: nobody types it
_CODE_TAGS = frozenset({"a", "code", "pre", "kbd"})


@dataclass(slots=True)
class Formatter:
    """Renders the texts of one page. `pictures` are addresses of the task's own images by file name."""

    formatting: str
    pictures: Mapping[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    _until: float | None = None

    def html(self, text: str) -> Markup:
        """Return safe HTML of a text, whatever is in it; takes half a second for all texts at most."""
        if self._until is None:
            self._until = self.clock() + TIME_S
        plain = text[:LONGEST_TEXT].replace("\r\n", "\n").replace(_MARK, "")
        marked, shown = self._with_marks(plain)
        rendered = self._textile(marked) if self.formatting == "textile" else self._markdown(marked)
        return Markup(_with_pictures(_linked(rendered), shown))  # noqa: S704 - made of safe parts only

    def _markdown(self, text: str) -> str:
        is_shown = len(text) <= LONGEST_MARKDOWN and self._has_time()
        return markdown_html(text) if is_shown else _as_typed(text)

    def _textile(self, text: str) -> str:
        return safe_html("\n".join(self._pieces(text)))

    def _pieces(self, text: str) -> Iterator[str]:
        """Render block by block; what stands in <pre> is nobody's markup."""
        at, lower = 0, text.lower()
        # Found without a pattern: many marks that never close took minutes.
        while (start := lower.find("<pre>", at)) >= 0 and (end := lower.find("</pre>", start)) >= 0:
            yield from self._quotes(text[at:start])
            yield _code(text[start + len("<pre>") : end])
            at = end + len("</pre>")
        yield from self._quotes(text[at:])

    def _quotes(self, text: str, depth: int = 0) -> Iterator[str]:
        """Render lines that begin with > as a quotation, which Redmine's Textile has from e-mail."""
        for is_quoted, lines in groupby(text.split("\n"), lambda line: line.startswith(">")):
            if is_quoted and depth < DEEPEST_QUOTE:
                inner = "\n".join(line[1:].removeprefix(" ") for line in lines)
                yield f"<blockquote>{''.join(self._quotes(inner, depth + 1))}</blockquote>"
            else:
                yield from self._paragraphs("\n".join(lines))

    def _paragraphs(self, text: str) -> Iterator[str]:
        pieces = [text] if len(text) <= LONGEST_PIECE else _BLANK.split(text)
        for piece in pieces:
            if not piece.strip():
                continue
            if len(piece) > LONGEST_PIECE or not self._has_time():
                yield _as_typed(piece)
            else:
                yield str(Textile(restricted=True, noimage=True).parse(piece))  # type: ignore[no-untyped-call]

    def _has_time(self) -> bool:
        return self._until is None or self.clock() < self._until

    def _with_marks(self, text: str) -> tuple[str, list[tuple[str, str]]]:
        """Put marks where the task's own pictures belong; return those, as (address, name), in order."""
        shown: list[tuple[str, str]] = []
        pattern = _PICTURE if self.formatting == "textile" else _MARKDOWN_PICTURE

        def mark(found: "re.Match[str]") -> str:
            name = found.group(1).strip()
            if name not in self.pictures:
                return found.group(0)
            shown.append((self.pictures[name], name))
            return f"{_MARK}{len(shown) - 1}{_MARK}"

        return (pattern.sub(mark, text) if self.pictures else text), shown


def _code(text: str) -> str:
    """Return preformatted text; Redmine's own `<code class=...>` inside of it is not part of it."""
    inner = _CODE.match(text)
    return f"<pre>{escape((inner.group(1) if inner else text).strip(chr(10)))}</pre>"


def _as_typed(text: str) -> str:
    return f"<p>{escape(text.strip()).replace(chr(10), Markup('<br>'))}</p>"


def _linked(html: str) -> str:
    """Make links of #123 and marks of @login, except where they are part of a link or of code."""
    parts: list[str] = []
    open_tags: list[str] = []
    for part in _TAG.split(html):
        if part.startswith("<") and part.endswith(">"):
            _follow(part, open_tags)
            parts.append(part)
        else:
            parts.append(part if open_tags else _REFERENCE.sub(_reference, part))
    return "".join(parts)


def _follow(tag: str, open_tags: list[str]) -> None:
    name = tag.strip("</>").split(maxsplit=1)[0].rstrip("/").lower() if tag.strip("</> ") else ""
    if name not in _CODE_TAGS:
        return
    if tag.startswith("</"):
        if open_tags:
            open_tags.pop()
    else:
        open_tags.append(name)


def _reference(found: "re.Match[str]") -> str:
    number, login = found.groups()
    if number:
        return f'<a class="task-ref" href="/tasks/{int(number)}">#{number}</a>'
    name = login.rstrip(".-")
    return f'<span class="mention">@{name}</span>{login[len(name) :]}'


def _with_pictures(html: str, shown: list[tuple[str, str]]) -> str:
    def picture(found: "re.Match[str]") -> str:
        number = int(found.group(1))
        if number >= len(shown):
            return ""
        address, name = (escape(part) for part in shown[number])
        return (
            f'<a href="{address}"><img class="task-picture" src="{address}" alt="{name}" loading="lazy"></a>'
        )

    return re.sub(f"{_MARK}(\\d+){_MARK}", picture, html)
