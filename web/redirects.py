"""Where a person may be sent after a form: to a page of ours, never to another site."""

from urllib.parse import quote, urlsplit

from flask import has_request_context, request

from web.people import someone
from web.viewer import viewer

INBOX = "/notifications"
TASKS = "/tasks/my-tasks"
LOGIN = "/users/login"


def home() -> str:
    """Return where who is signed in begins: at their tasks, or at the inbox where Redmine knows them not."""
    who = someone() if has_request_context() else None
    if who is None or viewer().redmine is None:
        return INBOX
    return TASKS if who.id_redmine_user is not None and who.redmine_login else INBOX


def safe_next(wanted: str, default: str = "") -> str:
    """Return the wanted path where it is one of ours, else the default, which is `home`.

    Browsers take a backslash for a slash and drop control characters: `/\\\\evil`, `/\\t/evil`.
    """
    is_ours = (
        wanted.startswith("/")
        and not wanted.startswith("//")
        and "\\" not in wanted
        and wanted.isprintable()
        and not urlsplit(wanted).netloc
    )
    return wanted if is_ours and not wanted.startswith(LOGIN) else default or home()


def login_address() -> str:
    """Return the log-in page that leads back to the page asked for now."""
    here = request.full_path.rstrip("?")
    return f"{LOGIN}?next={quote(here, safe='/')}" if request.method == "GET" and here != "/" else LOGIN
