"""The `[erp]` table: where the ERP's database is, and what is asked of it."""

import re
from typing import Annotated, Literal, Self

import sqlalchemy as sa
from pydantic import Field, StringConstraints, field_validator, model_validator
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from daemon.clients.secrets import WithPassword
from daemon.clients.settings import Seconds, SettingsError

Word = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]
_VIEW = re.compile(r"[^\W\d][\w$#]*(\.[^\W\d][\w$#]*)?")


class ErpSettings(WithPassword):
    """Checked settings of one ERP. `url` is an SQLAlchemy address without a password; its user reads people.

    In mode `connect` a person's password is right when it opens their own account of the Oracle database;
    in mode `query` when `check_sql` says so. Empty `people_sql` and `person_sql` ask `view`, whose columns
    are those of `daemon.clients.erp_sql.COLUMNS`.
    """

    url: str
    mode: Literal["connect", "query"] = "query"
    deadline_s: Seconds = 10  # of one question in all: connecting, logging in, asking
    poll_deadline_s: Seconds = 120  # of reading everybody, without what we do in between
    connections: int = Field(default=4, ge=1, le=32)
    view: str = "users_view"
    people_sql: str = Field(default="", description="Empty asks the view.")
    person_sql: str = Field(default="", description="Has :username. Empty asks the view.")
    check_sql: str = Field(default="", description="Has :username and :password; one row when right.")
    blocked_values: tuple[Word, ...] = ("blocked", "locked", "заблокирован", "заблокировано", "блокирован")

    @field_validator("url")
    @classmethod
    def _usable_address(cls, url: str) -> str:
        try:
            parts = sa.make_url(url)
            dialect = parts.get_dialect()
        except (ArgumentError, NoSuchModuleError, ImportError) as e:
            raise ValueError(
                "must be an SQLAlchemy address such as oracle+oracledb://reader@host:1521/?service_name=ERP"
            ) from e
        if parts.password is not None:
            raise ValueError("must not carry a password: name where it is in password_env or password_file")
        if dialect.is_async or (dialect.name == "oracle" and dialect.driver != "oracledb"):
            raise ValueError(f"{parts.drivername} cannot be used; for Oracle write oracle+oracledb://")
        if dialect.name == "oracle" and not parts.host:
            raise ValueError("must name the host of the Oracle database")
        return url

    @field_validator("view")
    @classmethod
    def _name_of_a_view(cls, view: str) -> str:
        if not _VIEW.fullmatch(view):
            raise ValueError("must be the name of a view or table such as USERS_VIEW or ERP.USERS_VIEW")
        return view

    @model_validator(mode="after")
    def _fitting_statements(self) -> Self:
        for name, allowed in (
            ("people_sql", ()),
            ("person_sql", ("username",)),
            ("check_sql", ("username", "password")),
        ):
            if sql := getattr(self, name):
                _check_binds(name, sql, allowed)
        if self.mode == "connect" and sa.make_url(self.url).get_backend_name() != "oracle":
            raise ValueError('mode = "connect" is for Oracle; elsewhere set mode = "query" and check_sql')
        return self

    @property
    def has_reader(self) -> bool:
        """Whether the address names an account of our own, which may read people."""
        parts = sa.make_url(self.url)
        return parts.username is not None or parts.get_backend_name() == "sqlite"

    def reader_url(self) -> sa.URL:
        """Return the address with the password of our own account. Raises SettingsError."""
        password = self.password()
        parts = sa.make_url(self.url)
        if parts.get_backend_name() == "oracle" and self.has_reader and password is None:
            raise SettingsError(f"password_env or password_file must name the password of {parts.username}")
        return parts if password is None else parts.set(password=password.get_secret_value())


def _check_binds(name: str, sql: str, allowed: tuple[str, ...]) -> None:
    found = set(sa.text(sql).compile().params)
    if found != set(allowed):
        wanted = " and ".join(f":{bind}" for bind in allowed) or "no binds"
        raise ValueError(f"{name} must have {wanted}, and has {', '.join(sorted(found)) or 'none'}")
