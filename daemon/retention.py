"""The daemon's tidying: what is old enough goes by the rules of `storage.retention`, room is given back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from storage import host_history, jobs, retention, sizes
from storage.columns import utc_now
from storage.retention import RetentionSettings, Rule
from storage.session import Database, StorageError

log = structlog.get_logger()

# What is unused is kept for what comes, up to so much; beyond that it is given back.
UNUSED_KEPT, UNUSED_KEPT_SHARE = 16 * 1024 * 1024, 0.1


@dataclass(frozen=True, slots=True)
class Retention:
    """The tidying of one database. `stop` waits for so many seconds and says whether to end."""

    database: Database
    kept: RetentionSettings = field(default_factory=RetentionSettings)
    keep_read_days: float = 0

    def run(self, stop: Callable[[float], bool] = lambda _: False) -> dict[str, int]:
        """Remove what is old; return how many rows went, by rule. What fails is tried again in an hour."""
        gone: dict[str, int] = {}
        began = utc_now()
        try:
            for rule in retention.rules(self.kept, self.keep_read_days):
                self._note(began=began, rule=rule.name, removed=gone, given_back=0)
                gone[rule.name] = self._remove(rule, stop)
            gone["host_checks"] = host_history.tidy(self.database, utc_now())
            given_back = sizes.give_back(self.database, self._unused_kept())
            self._note(began=began, rule="", removed=gone, given_back=given_back)
        except StorageError as e:
            log.warning("tidy_failed", error=str(e))
            return gone
        if any(gone.values()):
            log.info(
                "tidied", given_back=given_back, **{name: count for name, count in gone.items() if count}
            )
        return gone

    def _remove(self, rule: Rule, stop: Callable[[float], bool]) -> int:
        return sum(retention.remove(self.database, rule, utc_now(), stop))

    def _unused_kept(self) -> int:
        return max(UNUSED_KEPT, int(sizes.size(self.database).total * UNUSED_KEPT_SHARE))

    def _note(self, **facts: Any) -> None:
        """Say on the page how far it is."""
        with self.database.write() as session:
            state = jobs.state(session, jobs.TIDY)
            state.configured = {**facts, "began": facts["began"].isoformat(), "at": utc_now().isoformat()}
