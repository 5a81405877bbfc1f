"""Whose telephone number it is, however it is written: of the ERP's people, of our users, of Redmine's."""

import re
from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage.models import ErpPerson, RedminePhone, User

# Of a long number only these count: it may begin with 8, +7, 007 or nothing.
_NATIONAL = 10
_SHORTEST = 3
_MOST_NAMES = 3
_LONGEST_EXTENSION = 5
_LONGEST_NAME = 300  # Redmine's own are shorter
# Several numbers in one field, and words such as an extension's.
_APART = re.compile(r"[,;/\n]|[^\W\d_]+")


def digits(number: str) -> str:
    """Return what a number is compared by, "" for what is none."""
    plain = number.removeprefix("sip:").partition("@")[0]
    found = "".join(c for c in plain if c in "0123456789")[-_NATIONAL:]
    return found if len(found) >= _SHORTEST else ""


def numbers(text: str) -> frozenset[str]:
    """Return what each of the numbers in a field is compared by."""
    return frozenset(map(digits, _APART.split(text))) - {""}


def owners(session: Session, numbers: Iterable[str]) -> dict[str, str]:
    """Return the names of those numbers that are known; of a number that many share, none."""
    named = ((number, _names(session, digits(number))) for number in set(numbers))
    return {number: ", ".join(names) for number, names in named if 0 < len(names) <= _MOST_NAMES}


def save_redmine(session: Session, people: Mapping[int, tuple[str, str]]) -> None:
    """Store the telephones of Redmine's accounts, all there are: {account: (name, what its field says)}.

    Only what differs is written.
    """
    columns = (RedminePhone.account_id, RedminePhone.number, RedminePhone.name)
    kept = {(account, number, name) for account, number, name in session.execute(sa.select(*columns))}
    found = {
        (account, number, name[:_LONGEST_NAME])
        for account, (name, text) in people.items()
        for number in numbers(text)
    }
    if gone := [{"account": account, "said": number} for account, number, _ in sorted(kept - found)]:
        of_one = (
            RedminePhone.account_id == sa.bindparam("account"),
            RedminePhone.number == sa.bindparam("said"),
        )
        session.connection().execute(sa.delete(RedminePhone).where(*of_one), gone)
    if new := [{"account_id": a, "number": n, "name": name} for a, n, name in sorted(found - kept)]:
        session.execute(sa.insert(RedminePhone), new)


def _names(session: Session, wanted: str) -> list[str]:
    if not wanted:
        return []
    erp = sa.select(ErpPerson.phone, ErpPerson.full_name).where(
        _holds(ErpPerson.phone, wanted), ErpPerson.gone_at.is_(None), ErpPerson.full_name != ""
    )
    ours = sa.select(User.phone, User.full_name).where(
        _holds(User.phone, wanted), User.is_active, User.full_name != ""
    )
    redmine = sa.select(RedminePhone.name).where(RedminePhone.number == wanted)
    return (
        _matching(session, erp, wanted)
        or _matching(session, ours, wanted)
        or sorted(set(session.scalars(redmine)))
    )


def _holds(column: InstrumentedAttribute[str], wanted: str) -> sa.ColumnElement[bool]:
    """Narrow the search: these digits in this order, those of a long number with anything between them."""
    between = "" if len(wanted) <= _LONGEST_EXTENSION else "%"
    return column.like(f"%{between.join(wanted)}%")


def _matching(session: Session, query: sa.Select[str, str], wanted: str) -> list[str]:
    rows = session.execute(query)
    return sorted({name for phone, name in rows if wanted in numbers(phone)})
