"""The `[erp]` table: where the ERP's database is, and what is asked of it."""

from typing import Literal

from pydantic import Field

from daemon.clients.secrets import WithPassword
from daemon.clients.settings import Seconds


class ErpSettings(WithPassword):
    """Checked settings of one ERP; `url` is an SQLAlchemy address without a password."""

    url: str
    mode: Literal["connect", "query"] = "query"
    deadline_s: Seconds = 10
    poll_deadline_s: Seconds = 120
    people_sql: str = Field(default="", description="Empty asks the typical view.")
    person_sql: str = ""
    check_sql: str = ""
