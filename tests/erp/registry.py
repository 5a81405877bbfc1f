"""A small ERP of the tests: people and passwords in a database that a test can write to."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData()
PEOPLE = sa.Table(
    "users_view",
    METADATA,
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("full_name", sa.String(255)),
    sa.Column("email", sa.String(255)),
    sa.Column("office", sa.String(255)),
    sa.Column("department_name", sa.String(255)),
    sa.Column("post_name", sa.String(255)),
    sa.Column("phone_ext", sa.String(64)),
    sa.Column("vpn", sa.Integer),
    sa.Column("vpn_end_date", sa.String(64)),
    sa.Column("auth_period_type", sa.String(64)),
)
PASSWORDS = sa.Table(
    "passwords",
    METADATA,
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("password", sa.String(255)),
    sa.Column("status", sa.String(32)),
)
CHECK_SQL = (
    "select status from passwords where upper(name) = upper(:username) "
    "and (password = :password or status in ('locked', 'expired'))"
)
PASSWORD = "Секрет-erp-17"


class Registry:
    """The database of an ERP."""

    def __init__(self, url: str, folder: Path) -> None:
        parts = sa.make_url(url)
        self.url = parts._replace(password=None).render_as_string()
        self._password_file = folder / "erp-password"
        self._password_file.write_text(parts.password or "")
        self._has_password = bool(parts.password)
        self.engine = sa.create_engine(url)
        METADATA.create_all(self.engine)

    def add(self, name: str, status: str = "ok", password: str = PASSWORD, **columns: Any) -> None:
        """Hire somebody."""
        row: dict[str, Any] = {
            "name": name,
            "full_name": f"{name} ПЕТРОВ",
            "email": f"{name.lower()}@example.test",
            "office": "301",
            "department_name": "IT",
            "post_name": "Инженер",
            "phone_ext": "1234",
            "vpn": 0,
            "vpn_end_date": None,
            "auth_period_type": None,
        }
        with self.engine.begin() as connection:
            connection.execute(PEOPLE.insert(), row | columns)
            connection.execute(PASSWORDS.insert(), {"name": name, "password": password, "status": status})

    def change(self, name: str, **columns: Any) -> None:
        """Change what the ERP says of somebody."""
        with self.engine.begin() as connection:
            connection.execute(PEOPLE.update().where(PEOPLE.c.name == name).values(columns))

    def set_status(self, name: str, status: str) -> None:
        """Change what the check of a password says."""
        with self.engine.begin() as connection:
            connection.execute(PASSWORDS.update().where(PASSWORDS.c.name == name).values(status=status))

    def remove(self, name: str) -> None:
        """Have the ERP forget somebody."""
        with self.engine.begin() as connection:
            connection.execute(PEOPLE.delete().where(PEOPLE.c.name == name))

    def settings(self, **keys: Any) -> dict[str, Any]:
        """Return the `[erp]` table of this ERP."""
        secret = {"password_file": self._password_file} if self._has_password else {}
        return {"url": self.url, "check_sql": CHECK_SQL, "deadline_s": 10.0} | secret | keys

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()
