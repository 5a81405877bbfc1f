"""Log-in with the ERP's password, which is kept nowhere."""

from dataclasses import dataclass

import structlog

from daemon.clients.erp import Busy, ErpClient
from daemon.clients.erp_values import Checked, ErpUser, Verdict, is_name
from daemon.clients.errors import SourceError, SourceUnavailable, WrongAnswer
from storage import erp
from storage.session import Database
from web.answers import RETRY_S, Problem
from web.language import gettext

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the ERP says; None for `checked`: nothing, as it is away or does not know the name."""

    checked: Checked | None
    is_away: bool = False


AWAY = Opinion(None, is_away=True)
NOT_ITS = Opinion(None)


class ErpLogin:
    """The backend `erp` of `[auth]`."""

    def __init__(self, client: ErpClient, database: Database) -> None:
        self._client = client
        self._database = database

    def ask(self, name: str, password: str, *, is_linked: bool) -> Opinion:
        """Check a password. Only an ERP that cannot be reached is away.

        Raises Problem, which is final, where it refuses somebody whom it knows, or answered and did not say.
        """
        if not is_name(name):
            return NOT_ITS
        if self._client.is_resting:
            return AWAY
        try:
            checked = self._client.check_password(name, password)
        except Busy as e:
            raise _busy() from e
        except SourceUnavailable as e:
            log.warning("login_without_erp", error=str(e))
            return AWAY
        except SourceError as e:
            log.error("erp_did_not_judge", error=str(e))  # noqa: TRY400 - the text says all
            raise _unjudged(e) from e
        if checked.is_right:
            return Opinion(checked)
        if checked.verdict is Verdict.WRONG and not is_linked and self._is_stranger(name):
            return NOT_ITS
        raise refused(checked.verdict)

    def _is_stranger(self, name: str) -> bool:
        """Say whether the ERP certainly has nobody of this name."""
        with self._database.read() as session:
            if erp.is_known(session, name):
                return False
        try:
            return self._client.person(name) is None
        except Busy as e:
            raise _busy() from e
        except SourceError:
            return False


def person_of(checked: Checked) -> ErpUser:
    """Return whose password was right. Raises Problem where the ERP did not say."""
    if checked.user is not None:
        return checked.user
    if checked.trouble is not None:
        log.error("erp_person_not_read", error=checked.trouble.text)
        text = gettext("The ERP gave no usable answer. Tell your administrator.")
        raise Problem(503, "erp_unavailable", text, retry_after_s=RETRY_S)
    raise Problem(403, "not_a_person", gettext("This account of the ERP belongs to no employee."))


def refused(verdict: Verdict) -> Problem:
    """Return why the ERP lets somebody not in."""
    if verdict is Verdict.LOCKED:
        text = gettext("Your account in the ERP is locked. Ask your administrator.")
        return Problem(403, "account_locked", text)
    if verdict is Verdict.EXPIRED:
        text = gettext("Your ERP password has expired. Change it in the ERP, then come back.")
        return Problem(403, "password_expired", text)
    if verdict is Verdict.DENIED:
        text = gettext("The ERP does not let your account log in. Ask your administrator.")
        return Problem(403, "account_denied", text)
    if verdict is Verdict.TOO_MANY:
        text = gettext("Your account has too many open sessions in the ERP. Close one there, then try again.")
        return Problem(403, "too_many_sessions", text)
    return Problem(401, "wrong_password", gettext("Wrong user name or password."))


def _unjudged(error: SourceError) -> Problem:
    """Return what is said where the ERP answered, but neither yes nor no: no other password counts then."""
    if isinstance(error, WrongAnswer):
        text = gettext(
            "The ERP gave an answer about your password that means nothing. Tell your administrator."
        )
        return Problem(503, "erp_wrong_answer", text, retry_after_s=RETRY_S)
    text = gettext("The ERP does not let Helpdesk check passwords at the moment. Tell your administrator.")
    return Problem(503, "erp_refused", text, retry_after_s=RETRY_S)


def _busy() -> Problem:
    text = gettext("Too many people log in at this moment. Try again in a few seconds.")
    return Problem(503, "busy", text, retry_after_s=RETRY_S)


def warning(checked: Checked) -> str:
    """Return what somebody should know who was let in, "" for nothing."""
    if checked.verdict is Verdict.EXPIRING:
        return gettext("Your ERP password expires soon. Change it in the ERP.")
    return ""


def nobody_else(problem: Problem | None) -> Problem:
    """Return what is said where the ERP is away, and what the other backends said of it."""
    if problem is None:
        text = gettext("The ERP does not answer, so your password cannot be checked. Try again in a minute.")
        return Problem(503, "erp_unavailable", text, retry_after_s=RETRY_S)
    if problem.code == "wrong_password":
        text = gettext(
            "The ERP does not answer at the moment. Only your Redmine or Helpdesk password could be checked, "
            "and this is not it."
        )
        return Problem(401, problem.code, text)
    away = gettext("The ERP does not answer at the moment.")
    return Problem(
        problem.status, problem.code, f"{away} {problem.text}", retry_after_s=problem.retry_after_s
    )


def let_in_by(backend: str) -> str:
    """Return what somebody reads who was let in by another password because the ERP is away."""
    if backend == "redmine":
        return gettext("The ERP does not answer at the moment: you were let in by your Redmine password.")
    return gettext("The ERP does not answer at the moment: you were let in by your Helpdesk password.")
