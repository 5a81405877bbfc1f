"""What Finesse's statuses and its XML of errors mean."""

from requests import Response, codes

from daemon.clients.errors import NotFound, SourceError, SourceRefused, SourceUnavailable, WrongAnswer
from daemon.clients.finesse_xml import parsed
from daemon.clients.retry import retry_after_s

_LONGEST = 200
_NOT_YOURS = "invalid authorization"


class NotSupervised(SourceRefused):
    """401 "Invalid Authorization User Specified": our account supervises no team of this agent."""


class AccountRefused(SourceRefused):
    """401 or 403: our account's password is wrong, or it may not ask this way."""


class Faulty(SourceUnavailable):
    """500: something goes wrong with this question, which says nothing of the others."""


def error_of(where: str, response: Response, body: bytes) -> SourceError:
    """Return the error that an answer stands for which is no 200."""
    status = response.status_code
    said = _said(where, body)
    if status in {codes.unauthorized, codes.forbidden}:
        return _refused(where, status, said)
    if status == codes.not_found:
        return NotFound(f"{where}: Finesse knows nothing of that name (404{_in(said)}).")
    if status == codes.internal_server_error:
        return Faulty(f"{where}: Finesse failed (500{_in(said)}).")
    if status == codes.too_many_requests or status > codes.internal_server_error:
        asked_s = retry_after_s(response)
        return SourceUnavailable(f"{where}: out of service ({status}{_in(said)}).", retry_after_s=asked_s)
    if 300 <= status < 400:
        return AccountRefused(
            f"{where}: sent elsewhere ({status}). Does this Finesse want SSO?", status=status
        )
    return WrongAnswer(f"{where}: answered {status}{_in(said)}. Is this Finesse?")


def _refused(where: str, status: int, said: str) -> SourceRefused:
    if status == codes.unauthorized and _NOT_YOURS in said.casefold():
        return NotSupervised(
            f"{where}: our account supervises no team of theirs (401{_in(said)}).", status=status
        )
    advice = "Correct username and password in [finesse], or its rights in Finesse."
    return AccountRefused(
        f"{where}: Finesse refuses our account ({status}{_in(said)}). {advice}", status=status
    )


def _said(where: str, body: bytes) -> str:
    """Return type and message of an error, "" where it is HTML or nothing that can be read."""
    try:
        root = parsed(where, body)
    except WrongAnswer:
        return ""
    errors = (" ".join((e.value("ErrorType"), e.value("ErrorMessage"))) for e in root.all("ApiError"))
    line = " ".join("; ".join(errors).split())
    return "".join(c for c in line if c.isprintable())[:_LONGEST]


def _in(said: str) -> str:
    return f", {said}" if said else ""
