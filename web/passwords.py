"""Checks a user name and password against the ERP, Redmine and local users."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import structlog
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from daemon.clients.erp_values import Checked
from daemon.clients.errors import LoginRefusal, LoginRefused, SourceError, SourceUnavailable
from daemon.clients.redmine import RedmineClient
from daemon.clients.values import Account
from storage import audit, users
from storage import erp as erp_people
from storage.audit import Actor
from storage.columns import utc_now
from storage.models import User
from storage.session import Database
from web.answers import RETRY_S, Problem
from web.erp.accounts import user_id_of
from web.erp.login import ErpLogin, let_in_by, nobody_else, warning
from web.erp.login import person_of as erp_person
from web.language import gettext
from web.people import Person, person_of

# One check takes 32 MB and a tenth of a second; several hundred threads at once would take 16 GB.
CHECKS_AT_ONCE = 4
PATIENCE_S = 10
LONGEST_PASSWORD = 1024
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What the browser tells of somebody who logs in for the first time."""

    language: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is let in, and what they should know, "" for nothing."""

    person: Person
    warning: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is stored of the user of a name; `id` 0 where there is none."""

    id: int = 0
    password_hash: str | None = None
    is_in_erp: bool = False


class Passwords:
    """The log-in chain. Every method raises Problem with a text for the person."""

    def __init__(
        self,
        database: Database,
        backends: tuple[str, ...],
        redmine: RedmineClient | None,
        erp: ErpLogin | None = None,
    ) -> None:
        self._database = database
        self._backends = backends
        self._is_local = "local" in backends
        self._redmine = redmine if "redmine" in backends else None
        self._redmine_of_erp = redmine
        self._erp = erp if "erp" in backends else None
        self._free = threading.BoundedSemaphore(CHECKS_AT_ONCE)
        self._nobodys_hash = _nobodys_hash()

    def check(self, username: str, password: str, newcomer: Newcomer) -> Admission:
        """Return whose name and password these are, by the first backend that knows them."""
        name = username.strip()
        if not name or not name.isprintable() or len(name) > 255 or len(password) > LONGEST_PASSWORD:
            raise _wrong()
        known = self._known(name)
        if self._is_local and self._is_local_password(password, known.password_hash) and not known.is_in_erp:
            return Admission(self._welcome(known.id))
        # A local user's password is not shown to others, whatever name he has there.
        if self._is_local and known.password_hash and not known.is_in_erp:
            raise _wrong()
        if self._erp is None:
            return Admission(self._by_others(name, password, known, newcomer)[0])
        return self._by_erp(self._erp, name, password, known, newcomer)

    def _known(self, name: str) -> _Known:
        with self._database.read() as session:
            user = erp_people.user_of(session, name) or users.by_username(session, name)
            return _Known(user.id, user.password_hash, bool(user.erp_name)) if user else _Known()

    def _by_erp(
        self, backend: ErpLogin, name: str, password: str, known: _Known, newcomer: Newcomer
    ) -> Admission:
        """Ask the ERP. Its refusal is final; only where it says nothing the others are asked."""
        opinion = backend.ask(name, password, is_linked=known.is_in_erp)
        if opinion.checked is not None:
            return Admission(self._admit_from_erp(opinion.checked, known, newcomer), warning(opinion.checked))
        try:
            who, by = self._by_others(name, password, known, newcomer)
        except Problem as problem:
            is_nobody_asked = problem.code == "nobody_asked"
            if not opinion.is_away:
                raise (_wrong() if is_nobody_asked else problem) from None
            raise nobody_else(None if is_nobody_asked else problem) from problem
        return Admission(who, let_in_by(by) if opinion.is_away else "")

    def _admit_from_erp(self, checked: Checked, known: _Known, newcomer: Newcomer) -> Person:
        if known.is_in_erp and checked.user is None:
            return self._welcome(known.id)
        return self._welcome(user_id_of(self._database, self._redmine_of_erp, erp_person(checked), newcomer))

    def _by_others(self, name: str, password: str, known: _Known, newcomer: Newcomer) -> tuple[Person, str]:
        """Ask the other backends in their order; return who it is, and which knew."""
        problem: Problem | None = None
        for backend in self._backends:
            if backend == "local" and known.password_hash:
                if self._is_local_password(password, known.password_hash):
                    return self._welcome(known.id), backend
                problem = problem or _wrong()
            if backend == "redmine" and self._redmine is not None:
                try:
                    return self._admit(_account(self._redmine, name, password), newcomer), backend
                except Problem as e:
                    problem = e
        raise problem or (_wrong() if self._erp is None else _nobody_asked())

    def change(self, who: Person, current: str, new: str) -> Person:
        """Replace a local password; every log-in from before ends by the new epoch."""
        with self._database.read() as session:
            user = users.find(session, who.id)
            known = user.password_hash if user else None
            is_in_erp = bool(user and user.erp_name)
        if is_in_erp and not known:
            raise Problem(409, "no_password", gettext("Your password is kept by the ERP: change it there."))
        if not known or not self._is_local:
            raise Problem(409, "no_password", gettext("Your password is kept by Redmine: change it there."))
        if not self._is_local_password(current, known):
            errors = {"current_password": [gettext("is wrong")]}
            raise Problem(422, "invalid", gettext("Some values are not valid."), errors=errors)
        return self.set(who.id, new)

    def set(self, user_id: int, new: str, by: Actor | None = None) -> Person:
        """Give somebody a local password; every log-in from before ends by the new epoch.

        `by` is an administrator who does it in their place.
        """
        with self._slot():
            hashed = generate_password_hash(new)
        with self._database.write() as session:
            user = users.find(session, user_id)
            if user is None:
                raise Problem(
                    404, "not_found", gettext("There is nothing at this address, or it is not yours.")
                )
            user.password_hash, user.session_epoch = hashed, secrets.token_hex(8)
            if by is not None:
                audit.add(session, by, "user.password", f"user:{user.username}", {}, {})
            return person_of(user)

    def _is_local_password(self, password: str, hashed: str | None) -> bool:
        with self._slot():
            is_right = check_password_hash(hashed or self._nobodys_hash, password)
        return is_right and bool(hashed)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._free.acquire(timeout=PATIENCE_S):
            text = gettext("Too many people log in at this moment. Try again in a few seconds.")
            raise Problem(503, "busy", text, retry_after_s=RETRY_S)
        try:
            yield
        finally:
            self._free.release()

    def _welcome(self, user_id: int) -> Person:
        with self._database.write() as session:
            user = users.find(session, user_id)
            if user is None or not user.is_active:
                raise _inactive()
            users.signed_in(session, user.id, utc_now())
            return person_of(user)

    def _admit(self, account: Account, newcomer: Newcomer) -> Person:
        """Find or make the user of a Redmine account whose password was right."""
        try:
            user_id = self._linked(account, newcomer)
        except IntegrityError:  # somebody else's first log-in was quicker: his row is there now
            user_id = self._linked(account, newcomer)
        return self._welcome(user_id)

    def _linked(self, account: Account, newcomer: Newcomer) -> int:
        with self._database.write() as session:
            user = users.by_redmine_id(session, account.id)
            if user is None:
                user = _unlinked(users.by_username(session, account.login), account)
            if user is None:
                return users.add(session, _new_user(account, newcomer)).id
            user.id_redmine_user = account.id
            user.redmine_login = account.login
            return user.id


@cache
def _nobodys_hash() -> str:
    """Return what is checked where there is no such user: the time taken must not tell who exists.

    Made once in a process, before anybody logs in: it takes as long as a check.
    """
    return generate_password_hash(secrets.token_hex())


def _unlinked(namesake: User | None, account: Account) -> User | None:
    """Return the user of this name where it may be linked to the account.

    Redmine gives a name anew after an account was deleted, and a local user may have any: neither's inbox
    is this person's.
    """
    if namesake is not None and (namesake.id_redmine_user is not None or namesake.password_hash):
        log.warning("login_name_taken", username=namesake.username, redmine_user=account.id)
        text = gettext("Another account here has your user name. Tell your administrator.")
        raise Problem(403, "name_taken", text)
    return namesake


def _new_user(account: Account, newcomer: Newcomer) -> User:
    return User(
        username=account.login,
        full_name=f"{account.firstname} {account.lastname}".strip(),
        email=account.mail or "",
        id_redmine_user=account.id,
        redmine_login=account.login,
        language=newcomer.language,
        time_zone=newcomer.time_zone,
    )


def _account(redmine: RedmineClient, name: str, password: str) -> Account:
    try:
        return redmine.check_password(name, password)
    except LoginRefused as e:
        raise _refused(e.reason) from e
    except SourceUnavailable as e:
        log.warning("login_without_redmine", error=str(e))
        text = gettext("Redmine does not answer, so your password cannot be checked. Try again in a minute.")
        raise Problem(503, "redmine_unavailable", text, retry_after_s=RETRY_S) from e
    except SourceError as e:
        log.error("login_refused_by_redmine", error=str(e))  # noqa: TRY400 - the text says all
        text = gettext("Redmine gave no usable answer. Tell your administrator.")
        raise Problem(503, "redmine_unavailable", text, retry_after_s=RETRY_S) from e


def _refused(reason: LoginRefusal) -> Problem:
    if reason is LoginRefusal.SECOND_FACTOR:
        text = gettext("Your Redmine account asks for a second factor, which cannot be asked for here.")
        return Problem(403, reason.value, text)
    if reason is LoginRefusal.MUST_CHANGE_PASSWORD:
        text = gettext("Redmine wants you to change your password first. Log in there, then come back.")
        return Problem(403, reason.value, text)
    if reason is LoginRefusal.REST_OFF:
        text = gettext("Redmine's REST API is switched off. Tell your administrator.")
        return Problem(503, reason.value, text)
    return _wrong()


def _nobody_asked() -> Problem:
    """Return the refusal of somebody whom no backend but the ERP could know."""
    return Problem(401, "nobody_asked", gettext("Wrong user name or password."))


def _wrong() -> Problem:
    return Problem(401, "wrong_password", gettext("Wrong user name or password."))


def _inactive() -> Problem:
    return Problem(403, "inactive", gettext("Your account here is switched off. Tell your administrator."))
