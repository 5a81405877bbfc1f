# mypy: allow-untyped-calls
"""What protects every answer and every write: headers, cookies, the CSRF token, the origin, proxies."""

import ipaddress
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, abort, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from web.people import someone
from web.settings import WebSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LOGIN_ENDPOINT = "auth.log_in"
# Writes without a token, each with what stands in its place.
EXEMPT = {
    # Sent by a service worker, perhaps after the log-out: the body names a secret of one delivery, and all
    # it does is to note that this delivery has arrived.
    "receipts.receive",
    # Sent by mail programs (RFC 8058): the address names a secret of one person, and all it does is to stop
    # their mails, or to let them come again.
    "unsubscribe.decide",
}
MAX_BODY_BYTES = 64 * 1024
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {connect};"
    " font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
# Set in the environment of a request whose X-Forwarded-* came from nobody we know, and were dropped.
WAS_FORWARDED = "helpdesk.was_forwarded"
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]+")


def register(app: Flask, settings: WebSettings, secret_key: str) -> None:
    """Set cookies and the check of writes up."""
    app.config.update(
        SECRET_KEY=secret_key,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        MAX_FORM_PARTS=100,
        SESSION_COOKIE_NAME="helpdesk",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_secure,
        PERMANENT_SESSION_LIFETIME=timedelta(days=settings.session_days),
        # A refreshed cookie that is still on its way would undo the log-out of another tab.
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_CHECK_DEFAULT=False,  # check_write below does it
        WTF_CSRF_TIME_LIMIT=None,  # a dashboard is open all day
        WTF_CSRF_SSL_STRICT=False,  # Origin says the same, and programs send no Referer
    )
    csrf = CSRFProtect(app)

    @app.before_request
    def check_write() -> None:
        if request.method not in WRITES or request.endpoint is None:
            return
        if is_foreign(request.environ, settings.public_url):
            raise CSRFError("the request comes from another site")
        if any(not isinstance(name, str) for name in request.form):
            abort(400)  # a part without a name, on which Flask-WTF fails
        if request.endpoint not in EXEMPT and not _is_login_of_a_program():
            csrf.protect()


def is_foreign(environ: "WSGIEnvironment", public_url: str) -> bool:
    """Say whether a browser sends this for a page of another site.

    Browsers say where a write or a WebSocket comes from and pages cannot forge it; programs say nothing.
    """
    if environ.get("HTTP_SEC_FETCH_SITE", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return False
    ours = {environ.get("HTTP_HOST", ""), urlsplit(public_url).netloc}
    return urlsplit(origin).netloc not in ours - {""}


def _is_login_of_a_program() -> bool:
    """Say whether this is a JSON log-in without a session, which needs no token.

    A foreign page cannot send JSON without being asked back for leave (which nobody gets), its Origin is
    refused above, and there is no session of anybody that it could misuse.
    """
    return request.endpoint == LOGIN_ENDPOINT and request.is_json and someone() is None


class SecurityHeaders:
    """WSGI layer that adds the headers to every answer, those of Socket.IO included."""

    def __init__(self, app: "WSGIApplication", settings: WebSettings) -> None:
        self._app = app
        self._fixed = [
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
        ]
        if settings.is_secure:
            self._fixed.append(("Strict-Transport-Security", "max-age=31536000"))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: object) -> object:
            present = {name.lower() for name, _ in headers}
            extra = [*self._fixed, ("Content-Security-Policy", _policy(environ))]
            if not environ.get("PATH_INFO", "").startswith("/static/"):
                extra.append(("Cache-Control", "no-store"))
            added = [(name, value) for name, value in extra if name.lower() not in present]
            return start_response(status, headers + added, *rest)  # type: ignore[arg-type]

        return self._app(environ, start)  # type: ignore[arg-type]


def _policy(environ: "WSGIEnvironment") -> str:
    """Return the content security policy; some browsers do not take 'self' for the WebSocket."""
    host = environ.get("HTTP_HOST", "")
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return POLICY.format(connect=f"'self'{sockets}")


class Proxies:
    """WSGI layer that believes X-Forwarded-* of the named proxies and of nobody else."""

    def __init__(self, app: "WSGIApplication", trusted: Iterable[str]) -> None:
        self._plain = app
        self._proxied = ProxyFix(app, x_for=1, x_proto=1, x_host=1)
        self._trusted = [ipaddress.ip_network(network) for network in trusted]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if self._is_trusted(environ.get("REMOTE_ADDR", "")):
            return self._proxied(environ, start_response)
        for name in FORWARDED:
            if environ.pop(name, None) is not None:
                environ[WAS_FORWARDED] = True
        return self._plain(environ, start_response)

    def _is_trusted(self, address: str) -> bool:
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self._trusted)
