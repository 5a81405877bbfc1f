"""Text that people wrote, as HTML that is safe to show.

Whatever a renderer makes of it goes through one allow-list (`safe_html`): no scripts, no styles, no frames,
no addresses but those of the web and of mail.
"""

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_TAGS = (
    "a abbr b blockquote br caption code col colgroup dd del dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li ol p"
    " pre q s small span strong sub sup table tbody td tfoot th thead tr u ul"
)
TAGS = frozenset(_TAGS.split())
ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
SCHEMES = frozenset({"http", "https", "mailto", "ftp"})
# Deeper nesting than people write costs more than it shows.
DEEPEST = 20

# Pictures would be fetched from other people's servers, and tell them who reads: they stay links.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST}).enable("table").disable("image")


def markdown_html(text: str) -> Markup:
    """Render CommonMark with tables; HTML in the text is shown as it was typed."""
    return safe_html(_MARKDOWN.render(text))


def safe_html(html: str) -> Markup:
    """Return HTML with everything left out that is not on the allow-list."""
    cleaned = nh3.clean(
        html,
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(cleaned)  # noqa: S704 - this is the place where it becomes safe
