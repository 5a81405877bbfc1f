"""What is kept of the ERP's people."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import ErpPerson, User


def is_known(session: Session, name: str) -> bool:
    """Say whether the ERP has, or had, a person of this name."""
    return session.get(ErpPerson, name.lower()) is not None


def user_of(session: Session, name: str) -> User | None:
    """Return the user who signed in by this account of the ERP before."""
    return session.scalars(sa.select(User).where(User.erp_name == name.lower())).one_or_none()
