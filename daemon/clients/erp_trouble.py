"""What the drivers raise, as what it means. Their own texts carry ids and addresses: nobody is shown them."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator

from sqlalchemy.exc import DatabaseError, DBAPIError, SQLAlchemyError

from daemon.clients.erp_values import Trouble, Unreadable, Verdict

_CODE = re.compile(r"\b(?:ORA|DPY)-\d{4,5}\b")
# Of an account's name and password: whose they are decides what that means.
VERDICTS = {
    "ORA-01017": Verdict.WRONG,
    "ORA-01005": Verdict.WRONG,
    "ORA-28000": Verdict.LOCKED,
    "ORA-28001": Verdict.EXPIRED,
}
# What they say of the account of a person who logs in; of our own account they are troubles like others.
PERSONAL = VERDICTS | {
    "ORA-01004": Verdict.WRONG,
    "ORA-01040": Verdict.WRONG,
    "ORA-01045": Verdict.DENIED,
    "ORA-02391": Verdict.TOO_MANY,
    "ORA-28009": Verdict.DENIED,
    "DPY-3015": Verdict.DENIED,
}
EXPIRING_CODES = frozenset({"ORA-28002", "ORA-28011"})
_CREDENTIALS = {
    Verdict.WRONG: "the name or password of our own account is wrong",
    Verdict.LOCKED: "our own account is locked",
    Verdict.EXPIRED: "the password of our own account has expired",
}
_UNAVAILABLE = {
    "DPY-4011": "the connection was cut",
    "DPY-4024": "it did not answer in time",
    "DPY-5000": "what answered does not speak Oracle's protocol",
    "DPY-6000": "the listener refuses connections",
    "ORA-01033": "the database is starting or stopping",
    "ORA-01034": "the database is not running",
    "ORA-01089": "the database is stopping",
    "ORA-00018": "the database has no session left",
    "ORA-00020": "the database has no process left",
    "ORA-00028": "the session was ended by an administrator",
    "ORA-01013": "the question was cancelled",
    "ORA-01555": "it took too long to be read as one",
    "ORA-02391": "our account has too many sessions",
    "ORA-03113": "the connection was cut",
    "ORA-03114": "the connection was cut",
    # Databases tell their listener that they are there: it knows none while they are down, too.
    "DPY-6001": "the listener does not know this service_name",
    "DPY-6003": "the listener does not know this SID",
    "ORA-12505": "the listener does not know this SID",
    "ORA-12514": "the listener does not know this service_name",
    "ORA-12516": "the listener has no free connection",
    "ORA-12520": "the listener has no free connection",
}
_REFUSED = {
    "DPY-3010": "the database is older than 12.1, which this driver cannot use",
    "DPY-3001": "the database demands native network encryption, which this driver does not have; use tcps",
    "DPY-3022": "a column is a time with a named zone: let the query cast it",
    "DPY-6006": "the certificate is for another host name",
    "ORA-00904": "the query names a column that does not exist",
    "ORA-00942": "the view or table does not exist, or our account may not read it",
    "ORA-04063": "the view has errors",
    "ORA-06550": "the query calls what does not exist or may not be called",
    "ORA-01031": "our account lacks the right to read this",
    "ORA-01045": "our account may not open a session",
    "DPY-3015": "our account has a password of a kind that this driver cannot use",
    "ORA-28040": "the database takes no log-in of this kind",
}
_ERRNO = {
    errno.ECONNREFUSED: "nobody listens at this host and port",
    errno.ETIMEDOUT: "the host does not answer",
    errno.EHOSTUNREACH: "there is no way to the host",
    errno.ENETUNREACH: "there is no way to the host",
    errno.ECONNRESET: "the connection was cut",
    errno.EPIPE: "the connection was cut",
}


def trouble_of(error: BaseException) -> Trouble:
    """Say what an exception of a driver means."""
    if isinstance(error, Unreadable):
        return Trouble("wrong_answer", str(error))
    causes = list(_causes(error))
    codes = [code for cause in causes for code in codes_of(cause)]
    for code in codes:
        if code in VERDICTS:
            return Trouble("credentials", f"{_CREDENTIALS[VERDICTS[code]]} ({code})")
    # The reason of "cannot connect" is in the code that follows it.
    for code in sorted(codes, key=lambda code: code == "DPY-6005"):
        if code in _REFUSED:
            return Trouble("refused", f"{_REFUSED[code]} ({code})")
        if code in _UNAVAILABLE:
            return Trouble("unavailable", f"{_UNAVAILABLE[code]} ({code})")
    return _of_network(causes) or _of_database(error, codes)


def codes_of(error: BaseException) -> list[str]:
    """Return the codes an exception of oracledb names, its own first."""
    own = [getattr(part, "full_code", "") for part in error.args]
    return [code for code in own if code] + _CODE.findall(str(error))


def _of_network(causes: list[BaseException]) -> Trouble | None:
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return Trouble("unavailable", "the name of the host is not known")
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Trouble("refused", "its certificate is not trusted")
        if isinstance(cause, ssl.SSLError):
            return Trouble("unavailable", "no TLS connection could be made")
        if isinstance(cause, TimeoutError):
            return Trouble("unavailable", "it did not answer in time")
        if isinstance(cause, OSError):
            known = _ERRNO.get(cause.errno or 0)
            return Trouble("unavailable", known or "the connection failed")
    return None


def _of_database(error: BaseException, codes: list[str]) -> Trouble:
    """Judge by the class: PostgreSQL and SQLite have no codes of Oracle's."""
    told = f" ({codes[0]})" if codes else ""
    state = str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
    if state.startswith("28"):
        return Trouble("credentials", f"{_CREDENTIALS[Verdict.WRONG]} (SQLSTATE {state})")
    if told.startswith(" (ORA-009") or state.startswith("42") or _is_wrong_for_sqlite(error):
        return Trouble("refused", f"the query is wrong, or names what does not exist{told}")
    name = _class_name(error)
    if name in {"OperationalError", "InterfaceError", "InternalError"}:
        return Trouble("unavailable", f"no connection, or it was cut{told}")
    if isinstance(error, SQLAlchemyError) or name.endswith("Error"):
        return Trouble("wrong_answer", f"the query failed{told or f' ({name})'}")
    return Trouble("wrong_answer", f"the answer cannot be read ({name})")


def _is_wrong_for_sqlite(error: BaseException) -> bool:
    words = ("no such", "syntax error")
    return _class_name(error) == "OperationalError" and any(word in str(error) for word in words)


def _class_name(error: BaseException) -> str:
    original = error.orig if isinstance(error, DBAPIError) else error
    return type(original or error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an exception to what it came of, the deepest last."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        original = current.orig if isinstance(current, DatabaseError | DBAPIError) else None
        current = original or current.__cause__ or current.__context__
