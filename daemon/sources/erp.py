"""The ERP as a source: reads everybody in one query, tells users what changed of their own account.

Whoever is seen for the first time is a baseline: of them nobody is told anything. Only rows that changed are
written, and no more than a chunk of people is held at once.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

from pydantic import Field

from daemon.clients.erp import ErpClient
from daemon.clients.erp_settings import ErpSettings
from daemon.clients.erp_values import ErpUser
from daemon.clients.errors import WrongAnswer
from daemon.erp import compare, reminders
from daemon.erp.linking import Links
from daemon.options import JobOptions
from daemon.source import Memory, StateSource
from daemon.values import Addressed, Change, Colleague, Concerned, FieldChange, Observation, Person
from storage.columns import utc_now

NEEDS = "erp"
TABLE = "erp_people"
PAGE = 5000
NOBODY = Person(0, "")
Row = Mapping[str, Any]


class Options(JobOptions):
    """How many days before its end VPN access is told of."""

    vpn_days: tuple[int, ...] = Field(default=reminders.THRESHOLDS, max_length=20)


class Source(StateSource):
    """People of the ERP."""

    def __init__(
        self, settings: ErpSettings, options: Options, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._client = ErpClient(settings)
        self._options = options
        self._now = now

    @property
    def requests_made(self) -> int:  # type: ignore[override]
        """How many queries were sent so far."""
        return self._client.requests_made

    def observations(
        self, cursor: Mapping[str, Any] | None, memory: Memory, stop: Callable[[], bool]
    ) -> Iterator[Observation]:
        """Read everybody; one step for each chunk with something new, one at the end."""
        seen: set[int] = set()
        links = Links(memory.colleagues())
        with closing(self._client.people()) as chunks:
            for chunk in chunks:
                if stop():
                    return
                # Of two rows with one name the first counts: both would take turns for ever.
                people = {p.name: p for p in reversed(chunk) if hash(p.name) not in seen}
                seen.update(map(hash, people))
                step = _Step(self._now(), self._options.vpn_days)
                step.take(people, memory, links)
                if step.is_new:
                    yield step.observation(cursor or {})
        yield from self._gone(seen, links, memory, cursor or {})

    def close(self) -> None:
        """End the process that asks."""
        self._client.close()

    def _gone(
        self, seen: set[int], links: Links, memory: Memory, cursor: Mapping[str, Any]
    ) -> Iterator[Observation]:
        """Note who is not there any more. Their users may fill their profiles themselves again."""
        now, after = self._now(), ""
        while keys := memory.kept_keys(TABLE, after, PAGE):
            if not seen:
                raise WrongAnswer("ERP: the query for people gave nobody, though some were known.")
            gone = [key for key in keys if hash(key) not in seen]
            rows: list[Row] = [
                {"name": name, "gone_at": now}
                for name, row in memory.kept(TABLE, gone).items()
                if row["gone_at"] is None
            ]
            if rows:
                yield Observation(cursor=cursor, read_at=now, stored={TABLE: tuple(rows)})
            after = keys[-1]
        left: list[Row] = [{"id": user_id, "from_erp": []} for user_id in links.left()]
        done = {"polled_at": now.isoformat(), "people": len(seen)}
        yield Observation(cursor=done, read_at=now, stored={"users": tuple(left)})


class _Step:
    """What a chunk of people brings."""

    def __init__(self, now: datetime, thresholds: tuple[int, ...]) -> None:
        self._now = now
        self._thresholds = thresholds
        self._rows: list[dict[str, Any]] = []
        self._users: list[dict[str, Any]] = []
        self._told: list[Addressed] = []

    @property
    def is_new(self) -> bool:
        """Whether there is anything to save."""
        return bool(self._rows or self._users or self._told)

    def observation(self, cursor: Mapping[str, Any]) -> Observation:
        """Return it as a step of the pipeline."""
        stored = {TABLE: tuple(self._rows), "users": tuple(self._users)}
        return Observation(cursor=cursor, read_at=self._now, told=tuple(self._told), stored=stored)

    def take(self, people: Mapping[str, ErpUser], memory: Memory, links: Links) -> None:
        """Compare people with what is kept of them and of their users."""
        known = memory.kept(TABLE, people)
        linked = {name: user for name, person in people.items() if (user := links.of(person))}
        users = memory.kept("users", [user.user_id for user in linked.values()]) if linked else {}
        for name, person in people.items():
            colleague = linked.get(name)
            self._compare(known.get(name), person, colleague)
            row = users.get(colleague.user_id) if colleague else None
            if row is not None and (profile := compare.profile_of(person, row)):
                self._users.append(profile)

    def _compare(self, before: Row | None, person: ErpUser, colleague: Colleague | None) -> None:
        version, told = (before["version"], before["vpn_told"]) if before else (0, "")
        is_changed = compare.is_changed(before, person)
        if before is not None and colleague is not None:
            for news in compare.news_of(before, person):
                version += 1
                key = f"erp:{colleague.user_id}:{version}:{person.name}"[:128]
                self._tell(colleague, key, news.type, news.details)
            told = self._remind(person, colleague, told)
            is_changed = is_changed or told != before["vpn_told"]
        if is_changed:
            self._rows.append(compare.row_of(person) | {"version": version, "vpn_told": told})

    def _remind(self, person: ErpUser, colleague: Colleague, told: str) -> str:
        """Tell of the end of VPN access where it is time, and return the key of what was told last."""
        today = reminders.today_of(self._now, colleague.time_zone)
        reminder = reminders.due(person.vpn_end_date, today, self._thresholds)
        if reminder is None or person.is_blocked:
            return told
        key = reminders.key_of(colleague.user_id, reminder)
        if not reminders.is_new(key, told):
            return told
        details = (
            FieldChange("vpn_end_date", None, reminder.ends_on.isoformat()),
            FieldChange("days_left", None, str(reminder.days)),
        )
        self._tell(colleague, key, "vpn_expiry", details)
        return key

    def _tell(self, colleague: Colleague, key: str, kind: str, details: tuple[FieldChange, ...]) -> None:
        change = Change(
            key=key,
            type=kind,
            item_id=0,
            at=self._now,
            actor=NOBODY,
            concerned=Concerned(),
            details=details,
            thread="vpn" if kind == "vpn_expiry" else "erp",
        )
        self._told.append(Addressed(change, colleague.member(), ("account",)))
