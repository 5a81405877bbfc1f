"""The demo's ERP: a database file with the company's people, in which the demo user's data keep changing."""

import random
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import sqlalchemy as sa

from daemon.demo.world import DEMO_LOGIN, people

VIEW: Final = sa.Table(
    "users_view",
    sa.MetaData(),
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
POSTS: Final = ("Инженер", "Ведущий инженер", "Руководитель группы", "Главный специалист")
DEPARTMENTS: Final = ("Отдел поддержки", "Отдел сетей", "Отдел информационных систем", "Дирекция по ИТ")
VPN_DAYS: Final = (14, 7, 3, 1)
"""Days until the end of VPN access, each of which is told of."""


class DemoOffice:
    """Writes people into an SQLite file of its own and changes the demo user now and then. A context manager.

    `interval_s` is the shortest and longest pause; the same seed makes the same story.
    """

    def __init__(self, path: Path, *, seed: int = 1, interval_s: tuple[float, float] = (25.0, 50.0)) -> None:
        address = sa.URL.create("sqlite", database=str(path.absolute()))
        self.url = address.render_as_string()
        self._engine = sa.create_engine(address)
        self._random = random.Random(seed)  # noqa: S311 - a story, not a secret
        self._interval_s = interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-office", daemon=True)
        VIEW.metadata.create_all(self._engine)
        with self._engine.begin() as connection:
            connection.execute(sa.insert(VIEW), [self._hired(*person) for person in people()])

    def _hired(self, login: str, firstname: str, lastname: str, number: int) -> dict[str, Any]:
        return {
            "name": login.upper(),
            "full_name": f"{firstname} {lastname}",
            "email": f"{login}@example.test",
            "office": str(200 + number),
            "department_name": self._random.choice(DEPARTMENTS),
            "post_name": self._random.choice(POSTS),
            "phone_ext": str(1000 + number),
            "vpn": 1,
            "vpn_end_date": _date_in(30 + 30 * number),
            "auth_period_type": None,
        }

    def step(self) -> dict[str, str]:
        """Change one thing about the demo user; return the columns that were written."""
        with self._engine.begin() as connection:
            of_demo = VIEW.c.name == DEMO_LOGIN.upper()
            now = connection.execute(sa.select(VIEW).where(of_demo)).one()
            column = self._random.choice(("post_name", "department_name", "vpn_end_date"))
            values = {
                "post_name": POSTS,
                "department_name": DEPARTMENTS,
                "vpn_end_date": tuple(_date_in(days) for days in VPN_DAYS),
            }[column]
            changed = {column: self._random.choice([v for v in values if v != getattr(now, column)])}
            connection.execute(sa.update(VIEW).where(of_demo).values(**changed))
        return changed

    def _run(self) -> None:
        while not self._stopping.wait(self._random.uniform(*self._interval_s)):
            self.step()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)
        self._engine.dispose()


def _date_in(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%d.%m.%Y")
