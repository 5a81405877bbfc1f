"""Where a person may be sent after a form: to a page of ours, never to another site."""

from urllib.parse import quote, urlsplit

from flask import request

HOME = "/notifications"
LOGIN = "/users/login"


def safe_next(wanted: str, default: str = HOME) -> str:
    """Return the wanted path where it is one of ours, else the default.

    Browsers take a backslash for a slash and drop control characters: `/\\\\evil`, `/\\t/evil`.
    """
    is_ours = (
        wanted.startswith("/")
        and not wanted.startswith("//")
        and "\\" not in wanted
        and wanted.isprintable()
        and not urlsplit(wanted).netloc
    )
    return wanted if is_ours and not wanted.startswith(LOGIN) else default


def login_address() -> str:
    """Return the log-in page that leads back to the page asked for now."""
    here = request.full_path.rstrip("?")
    return f"{LOGIN}?next={quote(here, safe='/')}" if request.method == "GET" and here != "/" else LOGIN
