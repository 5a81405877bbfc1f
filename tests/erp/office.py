"""The ERP's job on a database, run when a test says so and at the time it says."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from daemon.clients.erp_settings import ErpSettings
from daemon.pipeline import Job, run_job
from daemon.sources.erp import Options, Source
from daemon.values import JobResult
from storage import jobs, states, users
from storage.columns import utc_now
from storage.models import Notification, User
from storage.session import Database

OWNER = "test"
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


class Configured(Protocol):
    """Whatever knows how an ERP is reached."""

    def settings(self) -> dict[str, Any]:
        """Return the table [erp]."""


class Office:
    """One daemon whose only job is the ERP's."""

    def __init__(self, database: Database, registry: Configured, **options: Any) -> None:
        self.database = database
        self.now = NOON
        settings = ErpSettings.model_validate(registry.settings())
        self.source = Source(settings, Options(**options), now=lambda: self.now)
        self.job = Job("erp", self.source, 300.0, 120.0)
        with database.write() as session:
            jobs.acquire_lease(session, OWNER, utc_now(), 3600)

    def poll(self, **later: float) -> JobResult:
        """Read the ERP once, so much later than the last time; a failure fails the test."""
        self.now += timedelta(**later)
        result = run_job(self.job, self.database, OWNER)
        assert result.status == "ok", result.error
        return result

    def add_user(self, username: str, **columns: Any) -> int:
        """Add somebody who can be told."""
        with self.database.write() as session:
            return users.add(session, User(username=username, **{"language": "en"} | columns)).id

    def user(self, user_id: int) -> User:
        """Read a user."""
        with self.database.read() as session:
            found = users.find(session, user_id)
        assert found is not None
        return found

    def told(self, user_id: int | None = None) -> Sequence[Notification]:
        """Return what was told, oldest first."""
        with self.database.read() as session:
            rows = session.query(Notification).order_by(Notification.id)
            return [row for row in rows if user_id in {None, row.user_id}]

    def types(self) -> list[str]:
        """Return the types of what was told, oldest first."""
        return [row.type for row in self.told()]

    def person(self, name: str) -> dict[str, Any]:
        """Return what is kept of somebody of the ERP."""
        with self.database.read() as session:
            return states.load(session, "erp_people", [name])[name]
