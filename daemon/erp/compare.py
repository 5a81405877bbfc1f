"""Pure: what changed about a person of the ERP, and what of it goes into their profile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daemon.clients.erp_values import PROFILE, ErpUser
from daemon.values import FieldChange

Row = Mapping[str, Any]
# Columns of the table, by which a person is compared.
KEPT = (
    "full_name",
    "email",
    "office",
    "department",
    "position",
    "phone",
    "vpn_end_date",
    "is_blocked",
)
_TOLD = ("department", "position")


@dataclass(frozen=True, slots=True)
class News:
    """Something that is told: its type, and what changed."""

    type: str
    details: tuple[FieldChange, ...] = ()


def row_of(person: ErpUser) -> dict[str, Any]:
    """Return the row that is kept of a person, all but what we count ourselves."""
    return {"name": person.name} | {name: getattr(person, name) for name in KEPT} | {"gone_at": None}


def is_changed(before: Row | None, person: ErpUser) -> bool:
    """Say whether the row that is kept must be written."""
    return before is None or any(before[key] != value for key, value in row_of(person).items())


def news_of(before: Row | None, person: ErpUser) -> tuple[News, ...]:
    """Return what is told of a person; nothing of whoever is seen for the first time."""
    if before is None:
        return ()
    found: list[News] = []
    if before["is_blocked"] != person.is_blocked:
        found.append(News("account_blocked" if person.is_blocked else "account_back"))
    details = tuple(
        FieldChange(name, before[name] or None, getattr(person, name) or None)
        for name in _TOLD
        if name in person.given and before[name] != getattr(person, name)
    )
    return (*found, News("account_changed", details)) if details else tuple(found)


def profile_of(person: ErpUser, user: Row) -> dict[str, Any] | None:
    """Return the columns of the user that the ERP changes, None where they are as it says."""
    filled = person.filled
    wanted = {name: getattr(person, name) if name in filled else user[name] for name in PROFILE}
    wanted["from_erp"] = filled
    return None if all(user[name] == value for name, value in wanted.items()) else {"id": user["id"]} | wanted
