"""People of the ERP."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base


class ErpPerson(Base):
    """What the last poll saw of a person. The name is in lower case: the ERP's accounts have no case."""

    __tablename__ = "erp_people"

    name: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    full_name: Mapped[str] = mapped_column(sa.String(255), default="")
    email: Mapped[str] = mapped_column(sa.String(255), default="")
    office: Mapped[str] = mapped_column(sa.String(255), default="")
    department: Mapped[str] = mapped_column(sa.String(255), default="")
    position: Mapped[str] = mapped_column(sa.String(255), default="")
    phone: Mapped[str] = mapped_column(sa.String(64), default="", index=True)
    vpn_end_date: Mapped[date | None] = mapped_column(default=None)  # None, too, where VPN is off
    is_blocked: Mapped[bool] = mapped_column(default=False)
    # Counts the changes that were told: the last part of their keys.
    version: Mapped[int] = mapped_column(default=0)
    # Key of the last reminder, so that it is not made anew at every poll.
    vpn_told: Mapped[str] = mapped_column(sa.String(128), default="")
    gone_at: Mapped[datetime | None] = mapped_column(default=None)
