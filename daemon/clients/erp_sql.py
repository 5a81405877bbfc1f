"""What is asked of the ERP's database. Values go in as binds only."""

from typing import Any

import sqlalchemy as sa

from daemon.clients.erp_settings import ErpSettings

# Columns of the view, and the names that an SQL of one's own gives its columns; only the first is a must.
COLUMNS = (
    "name",
    "full_name",
    "email",
    "office",
    "department_name",
    "post_name",
    "phone_ext",
    "vpn",
    "vpn_end_date",
    "auth_period_type",
)


def people(settings: ErpSettings) -> sa.Executable:
    """Return the query that reads everybody."""
    return sa.text(settings.people_sql) if settings.people_sql else _from_view(settings)


def person(settings: ErpSettings, username: str) -> sa.Executable:
    """Return the query that reads one person, whatever case the name is written in."""
    if settings.person_sql:
        return sa.text(settings.person_sql).bindparams(username=username)
    name: sa.ColumnElement[Any] = sa.column("name")
    asked = sa.func.upper(sa.bindparam("username", username, sa.String()))
    return _from_view(settings).where(sa.func.upper(name) == asked)


def check(settings: ErpSettings, username: str, password: str) -> sa.Executable:
    """Return the query that says whether a password is right."""
    return sa.text(settings.check_sql).bindparams(username=username, password=password)


def _from_view(settings: ErpSettings) -> sa.Select[Any]:
    schema, _, view = settings.view.rpartition(".")
    # In lower case, which SQLAlchemy leaves unquoted: to the database they have no case.
    table = sa.table(view.lower(), schema=schema.lower() or None)
    columns: list[sa.ColumnElement[Any]] = [sa.column(name) for name in COLUMNS]
    return sa.select(*columns).select_from(table)
