"""Words for what goes wrong before there is an answer: what happened, where, and what to do."""

import requests
from requests import PreparedRequest

from daemon.clients.errors import SourceError, SourceUnavailable, WrongAnswer
from daemon.clients.retry import Trouble, never_sent
from daemon.clients.settings import RedmineSettings


def name_of(request: PreparedRequest) -> str:
    """Name a request in messages: method, path without query, and whom it acts as."""
    path = request.path_url.partition("?")[0]
    login = request.headers.get("X-Redmine-Switch-User")
    return f"{request.method} {path}" + (f" as {login}" if login else "")


def translated(
    error: Trouble, request: PreparedRequest, settings: RedmineSettings, *, late: bool
) -> SourceError:
    """The error to raise for a request that got no whole answer; `late` = the deadline has passed."""
    where = name_of(request)
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return WrongAnswer(f"{where}: the answer cannot be unpacked ({_root(error)}). Check the proxies.")
    doubt = "" if request.method == "GET" or never_sent(error) else " It may or may not have been saved."
    return SourceUnavailable(f"{where}: {_reason(error, settings, late=late)}{doubt}")


def _reason(error: Trouble, settings: RedmineSettings, *, late: bool) -> str:
    root = _root(error)
    if isinstance(error, requests.exceptions.SSLError):
        return f"TLS failed ({root}). Correct Redmine's certificate, or name its CA's in ca_file."
    if late:
        return f"no whole answer within deadline_s = {settings.deadline_s:g}. Is Redmine overloaded?"
    if isinstance(error, requests.ConnectTimeout):
        limit = f"connect_timeout_s = {settings.connect_timeout_s:g}"
        return f"no connection to {settings.url} within {limit}. Is the address right?"
    if never_sent(error):
        return f"no connection to {settings.url} ({root}). Is the address right, does Redmine run?"
    if isinstance(error, requests.Timeout) or isinstance(root, TimeoutError):
        # A TLS handshake that hangs comes this way too, although the connect time-out ended it.
        connect_s, read_s = settings.connect_timeout_s, settings.read_timeout_s
        limits = f"connect_timeout_s = {connect_s:g}, read_timeout_s = {read_s:g}"
        return f"no answer in time ({limits}). Is Redmine overloaded?"
    return f"the connection broke ({root}). Check Redmine and any proxy before it."


def _root(error: BaseException) -> BaseException:
    """The innermost cause: urllib3 and requests wrap what the system said three times over."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
