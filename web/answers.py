"""How the viewer answers: JSON to programs, pages to people, errors to both."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_limiter.errors import RateLimitExceeded
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from storage import notifications, posts
from storage.session import StorageError
from web.language import LANGUAGES, gettext, language, theme
from web.people import someone, this_device
from web.push.key import known_here, public_key
from web.viewer import viewer

RETRY_S = 5
log = structlog.get_logger(__name__)


class Problem(Exception):
    """Why a request is not granted. `text` is for the person and translated; `code` is for programs."""

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        *,
        errors: Mapping[str, list[str]] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.text = text
        self.errors = errors
        self.retry_after_s = retry_after_s


def iso(moment: datetime) -> str:
    """Write a time as every JSON of ours does: 2024-01-16T14:20:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wants_json() -> bool:
    """Say whether the asker is a program: it sent JSON, or did not ask for HTML."""
    if request.path.startswith(("/tasks/api/", "/api/")) or request.is_json:
        return True
    return not any(kind == "text/html" for kind, _ in request.accept_mimetypes)


def page(template: str, **context: Any) -> str:
    """Render a page of the signed-in user, with the unread counts and the cursor for the live connection."""
    who = someone()
    if who is not None:
        with viewer().database.read() as session:
            if "last_id" not in context:
                context["last_id"] = notifications.newest_id(session)  # first: what comes later is replayed
                context["unread"] = notifications.unread_count(session, who.id)
            context["unread_news"] = posts.unread_count(session, who.id)
            context["push_key"] = public_key(session)
            context["push_known"] = known_here(session, who.id, this_device())
        context["sound_enabled"] = viewer().settings.features.sound_enabled
    return render_template(template, **context)


def register(app: Flask) -> None:
    """Answer every error as JSON or as a page."""
    app.context_processor(lambda: {"languages": LANGUAGES, "language": language(), "theme": theme()})
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(StorageError, _no_database)
    app.register_error_handler(RateLimitExceeded, _too_often)
    app.register_error_handler(CSRFError, _no_token)
    app.register_error_handler(HTTPException, _http_error)


def _problem(problem: Problem) -> Response:
    answer = _as_json(problem) if wants_json() else _as_page(problem)
    answer.status_code = problem.status
    if problem.retry_after_s is not None:
        answer.headers["Retry-After"] = str(problem.retry_after_s)
    return answer


def _as_json(problem: Problem) -> Response:
    body: dict[str, Any] = {"success": False, "code": problem.code, "message": problem.text}
    if problem.errors is not None:
        body["errors"] = problem.errors
    if problem.retry_after_s is not None:
        body["retry_after_s"] = problem.retry_after_s
    return jsonify(body)


def _as_page(problem: Problem) -> Response:
    title = _titles().get(problem.status, HTTPStatus(problem.status).phrase)
    # Without the usual counts: an error page must not need the database.
    text = render_template(
        "error.html", code=problem.status, title=title, text=problem.text, unread=0, last_id=0
    )
    return make_response(text)


def _titles() -> dict[int, str]:
    return {
        400: gettext("The request was not understood"),
        401: gettext("Please log in"),
        403: gettext("Not allowed"),
        404: gettext("Not found"),
        405: gettext("Not possible here"),
        409: gettext("That did not work"),
        413: gettext("Too large"),
        422: gettext("Not valid"),
        429: gettext("Too many attempts"),
        500: gettext("Something went wrong"),
        503: gettext("Not available at the moment"),
    }


def _no_database(error: StorageError) -> Response:
    log.error("request_failed_without_database", path=request.path, error=str(error))
    if "_login_user" not in g:
        # Flask-Login would ask the database once more while the error page is rendered.
        g._login_user = AnonymousUserMixin()  # noqa: SLF001 - there is no public way
    text = gettext("The database does not answer. Try again in a moment.")
    return _problem(Problem(503, "no_database", text, retry_after_s=RETRY_S))


def _too_often(_error: RateLimitExceeded) -> Response:
    wait_s = viewer().throttle.wait_s()
    minutes = -(-wait_s // 60)
    text = gettext("Too many attempts. Try again in %(minutes)s min.", minutes=minutes)
    return _problem(Problem(429, "too_many_attempts", text, retry_after_s=wait_s))


def _no_token(error: CSRFError) -> Response:
    log.info("request_without_token", path=request.path, reason=error.description)
    text = gettext("This page is too old to be sent. Load it again and repeat what you did.")
    return _problem(Problem(400, "csrf", text))


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    texts = {
        404: gettext("There is nothing at this address, or it is not yours."),
        413: gettext("What you sent is too large."),
        500: gettext("The error was logged. Try again; if it stays, tell your administrator."),
    }
    code = HTTPStatus(status).name.lower()
    text = texts.get(status) or _titles().get(status) or HTTPStatus(status).phrase
    answer = _problem(Problem(status, code, text))
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer
