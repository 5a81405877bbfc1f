"""Whose account here a person of the ERP has: found, linked to Redmine, or made.

Addresses that people write into their own profile here say nothing. Those of Redmine do, where no other
account speaks against it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from daemon.clients.erp_values import ErpUser
from daemon.clients.errors import SourceError
from daemon.clients.redmine import RedmineClient
from storage import erp, users
from storage.models import User
from storage.session import Database
from web.answers import Problem
from web.language import gettext

if TYPE_CHECKING:
    from web.passwords import Newcomer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """An account of Redmine, and whether it has the person's own log-in name."""

    id: int
    login: str
    has_name: bool


def user_id_of(
    database: Database, redmine: RedmineClient | None, person: ErpUser, newcomer: "Newcomer"
) -> int:
    """Return whose log-in this is. Raises Problem where the name is somebody else's here."""
    with database.read() as session:
        user = erp.user_of(session, person.name)
        if user is not None:
            return user.id
    account = None if redmine is None else _account(redmine, person)
    try:
        return _linked(database, person, account, newcomer)
    except IntegrityError:  # the first log-in in another window was quicker: the row is there now
        return _linked(database, person, account, newcomer)


def _linked(database: Database, person: ErpUser, account: Found | None, newcomer: "Newcomer") -> int:
    with database.write() as session:
        user = erp.user_of(session, person.name)
        if user is not None:
            return user.id
        holder = users.by_redmine_id(session, account.id) if account else None
        if holder is not None and account is not None and not _may_take(holder, account):
            log.warning("redmine_account_taken", redmine_user=account.id, erp_name=person.name)
            holder = account = None
        user = holder or _namesake(session, person, account)
        if user is None:
            user = users.add(session, _new_user(person, newcomer))
        user.erp_name = person.name
        if account is not None and user.id_redmine_user is None:
            users.link(session, user, account.id, account.login)
        session.flush()
        return user.id


def _may_take(holder: User, account: Found) -> bool:
    """Say whether the user of a Redmine account may become the ERP's: by an address alone only one whom
    nobody has used, as people choose their address in Redmine."""
    if holder.erp_name or holder.password_hash:
        return False
    return account.has_name or holder.last_login_at is None


def _namesake(session: Session, person: ErpUser, account: Found | None) -> User | None:
    """Return the user of this name where it is the person's. Raises Problem where it is not."""
    user = users.by_username(session, person.name)
    if user is None:
        return None
    is_same_redmine = user.id_redmine_user is None or user.id_redmine_user == (account and account.id)
    if user.erp_name or user.password_hash or not is_same_redmine:
        log.warning("login_name_taken", username=user.username, erp_name=person.name)
        text = gettext("Another account here has your user name. Tell your administrator.")
        raise Problem(403, "name_taken", text)
    return user


def _new_user(person: ErpUser, newcomer: "Newcomer") -> User:
    return User(
        username=person.name,
        full_name=person.full_name or person.name,
        email=person.email,
        department=person.department,
        position=person.position,
        phone=person.phone,
        vpn_end_date=person.vpn_end_date,
        from_erp=person.filled,
        language=newcomer.language,
        time_zone=newcomer.time_zone,
    )


def _account(redmine: RedmineClient, person: ErpUser) -> Found | None:
    """Find the person's account in Redmine: by log-in name, else by address. None, too, while it is away."""
    try:
        return _by_name(redmine, person) or _by_address(redmine, person)
    except SourceError as e:
        log.warning("redmine_not_asked_for_account", error=str(e))
        return None


def _by_name(redmine: RedmineClient, person: ErpUser) -> Found | None:
    """Look among all that an administrator sees: to others Redmine hides addresses."""
    found = [user for user in redmine.users_like(person.name) if user.login.casefold() == person.name]
    if len(found) != 1:
        return None
    mail = found[0].mail
    if mail and person.email and mail.casefold() != person.email.casefold():
        return None  # a namesake
    return Found(found[0].id, found[0].login, has_name=True)


def _by_address(redmine: RedmineClient, person: ErpUser) -> Found | None:
    if not person.email:
        return None
    address = person.email.casefold()
    found = [user for user in redmine.users_like(person.email) if (user.mail or "").casefold() == address]
    return Found(found[0].id, found[0].login, has_name=False) if len(found) == 1 else None
