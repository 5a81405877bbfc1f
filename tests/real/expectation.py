"""Who must have been told of what, from Redmine's own tables and Redmine's own answers to each person.

Nothing of the product is used here. Whom a change concerns comes by SQL from the rows that Redmine wrote;
whether that person may read it is what Redmine answers to that very person's own API key.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.redmines import RealRedmine

# Redmine's words for itself are tables; a mention is only in the text. The tests write no odd ones.
MENTION = re.compile(r"(?<!\w)@([a-z]+)")
QUOTED = re.compile(r"^>.*$", re.MULTILINE)
READERS_AT_ONCE = 4

ISSUES = "select id, author_id, assigned_to_id, description from issues where id > %s or id = any(%s)"
JOURNALS = """
select id, journalized_id, user_id, coalesce(notes, '') from journals
where journalized_type = 'Issue' and journalized_id = any(%s) order by id
"""
DETAILS = """
select d.journal_id, d.property, d.prop_key, d.old_value, d.value
from journal_details d join journals j on j.id = d.journal_id
where j.journalized_type = 'Issue' and j.journalized_id = any(%s) order by d.id
"""
WATCHERS = (
    "select watchable_id, user_id from watchers where watchable_type = 'Issue' and watchable_id = any(%s)"
)
MEMBERS = "select group_id, user_id from groups_users"
USERS = "select id, login from users where type = 'User'"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """An issue's creation (`journal_id` 0) or one of its journals, with all who have to do with it."""

    issue_id: int
    journal_id: int
    actor: int
    concerned: frozenset[int]
    mentioned: frozenset[str]

    @property
    def key(self) -> str:
        """The key under which the product must store it."""
        return f"redmine:journal:{self.journal_id}" if self.journal_id else f"redmine:issue:{self.issue_id}"


@dataclass(slots=True)
class Tables:
    """What Redmine's tables say of some issues."""

    issues: dict[int, tuple[int, int | None, str]]
    journals: dict[int, list[tuple[int, int, str]]]
    details: dict[int, list[tuple[str, str, str | None, str | None]]]
    watchers: dict[int, set[int]]
    members: dict[int, set[int]]
    logins: dict[int, str]


def read_tables(redmine: RealRedmine, after_issue: int, old: Iterable[int]) -> Tables:
    """Read the issues with a higher id than `after_issue`, and these older ones."""
    rows = redmine.sql(ISSUES, after_issue, list(old))
    ids = [row[0] for row in rows]
    tables = Tables({r[0]: tuple(r[1:]) for r in rows}, *(defaultdict(list) for _ in "12"), {}, {}, {})
    for journal_id, issue_id, user_id, notes in redmine.sql(JOURNALS, ids):
        tables.journals[issue_id].append((journal_id, user_id, notes))
    for journal_id, *detail in redmine.sql(DETAILS, ids):
        tables.details[journal_id].append(tuple(detail))
    tables.watchers = _sets(redmine.sql(WATCHERS, ids))
    tables.members = _sets(redmine.sql(MEMBERS))
    tables.logins = dict(redmine.sql(USERS))
    return tables


def _sets(pairs: Iterable[tuple[Any, ...]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for key, value in pairs:
        found[key].add(value)
    return found


def events(tables: Tables, after_issue: int, after_journal: int) -> list[Event]:
    """Return creations and journals later than these ids, each with whom it concerned at its time."""
    found = []
    for issue_id, (author, assignee, _) in tables.issues.items():
        history = _assignees(tables, issue_id, assignee)
        around = {author} | tables.watchers.get(issue_id, set())
        if issue_id > after_issue:
            found.append(_event(tables, issue_id, (0, author), around | {history[0]}))
        for journal_id, actor, notes in tables.journals[issue_id]:
            if journal_id > after_journal:
                people = around | {history[journal_id], _previous(tables, journal_id)}
                found.append(_event(tables, issue_id, (journal_id, actor), people, notes))
    return found


def _event(
    tables: Tables, issue_id: int, what: tuple[int, int], people: Iterable[int | None], notes: str = ""
) -> Event:
    journal_id, actor = what
    text = notes if journal_id else _first_description(tables, issue_id)
    mentioned = mentions(text) | (_added_by_description(tables, journal_id) if journal_id else set())
    alone = {p for p in people if p is not None}
    members = {m for p in alone for m in tables.members.get(p, set())}
    return Event(issue_id, journal_id, actor, frozenset(alone | members), frozenset(mentioned))


def mentions(text: str) -> set[str]:
    """Return the log-in names that a text of the tests mentions outside quotes."""
    return set(MENTION.findall(QUOTED.sub("", text)))


def _changes(tables: Tables, journal_id: int, name: str) -> list[tuple[str | None, str | None]]:
    rows = tables.details.get(journal_id, [])
    return [(old, new) for kind, key, old, new in rows if (kind, key) == ("attr", name)]


def _assignees(tables: Tables, issue_id: int, now: int | None) -> dict[int, int | None]:
    """Return who was assigned after each journal; 0 is the creation. Walked forward in time."""
    moves = [m for j, *_ in tables.journals[issue_id] for m in _changes(tables, j, "assigned_to_id")]
    current = _number(moves[0][0]) if moves else now
    history = {0: current}
    for journal_id, *_ in tables.journals[issue_id]:
        for _, new in _changes(tables, journal_id, "assigned_to_id"):
            current = _number(new)
        history[journal_id] = current
    return history


def _previous(tables: Tables, journal_id: int) -> int | None:
    moves = _changes(tables, journal_id, "assigned_to_id")
    return _number(moves[0][0]) if moves else None


def _first_description(tables: Tables, issue_id: int) -> str:
    edits = [e for j, *_ in tables.journals[issue_id] for e in _changes(tables, j, "description")]
    return (edits[0][0] if edits else tables.issues[issue_id][2]) or ""


def _added_by_description(tables: Tables, journal_id: int) -> set[str]:
    edits = _changes(tables, journal_id, "description")
    return {login for old, new in edits for login in mentions(new or "") - mentions(old or "")}


def _number(text: str | None) -> int | None:
    return int(text) if text else None


# --- what Redmine answers to each person -------------------------------------------------------


@dataclass(slots=True)
class Readings:
    """Issues as Redmine shows them to each person by that person's own key, each asked for once."""

    redmine: RealRedmine
    answers: dict[tuple[str, int], Json | None] = field(default_factory=dict)

    def load(self, pairs: Iterable[tuple[str, int]]) -> None:
        """Read issues as somebody: {(log-in, issue): the answer, None where Redmine refuses}."""
        by_login: dict[str, list[int]] = defaultdict(list)
        for login, issue_id in sorted(set(pairs) - set(self.answers)):
            by_login[login].append(issue_id)
        with ThreadPoolExecutor(READERS_AT_ONCE) as pool:
            list(pool.map(lambda login: self._read_all(login, by_login[login]), by_login))

    def _read_all(self, login: str, issue_ids: list[int]) -> None:
        with self.redmine.session(login) as session:
            for issue_id in issue_ids:
                url = f"{self.redmine.url}/issues/{issue_id}.json"
                answer = session.get(url, params={"include": "journals"})
                assert answer.status_code in {200, 401, 403}, f"{answer.status_code} {url} as {login}"
                self.answers[login, issue_id] = answer.json()["issue"] if answer.status_code == 200 else None

    def event(self, login: str, event: Event) -> Json | None:
        """Return what somebody reads of an event: the issue, or the journal; None where nothing."""
        issue = self.answers[login, event.issue_id]
        if issue is None or not event.journal_id:
            return issue
        return next((j for j in issue["journals"] if j["id"] == event.journal_id), None)


Expected = dict[tuple[str, str], Json]


def expected(
    redmine: RealRedmine,
    logins: Iterable[str],
    *,
    after_issue: int = 0,
    after_journal: int = 0,
    old: Iterable[int] = (),
    readings: Readings | None = None,
) -> Expected:
    """Return {(change key, log-in): what they read of it} for all who have to be told of anything."""
    tables = read_tables(redmine, after_issue, old)
    readings = readings or Readings(redmine)
    wanted = [
        (event, login)
        for event in events(tables, after_issue, after_journal)
        for login in logins
        if concerns(tables, event, login)
    ]
    readings.load((login, event.issue_id) for event, login in wanted)
    shown = {(event.key, login): readings.event(login, event) for event, login in wanted}
    return {pair: reading for pair, reading in shown.items() if reading is not None}


def concerns(tables: Tables, event: Event, login: str) -> bool:
    """Whether somebody has to do with an event that is not their own doing."""
    number = next(i for i, name in tables.logins.items() if name == login)
    return event.actor != number and (number in event.concerned or login in event.mentioned)


def compare(expected: Iterable[tuple[str, str]], told: Iterable[tuple[str, str]]) -> Mapping[str, list[Any]]:
    """Return what differs: missed, not to be told, told twice; all empty where both agree."""
    rows = list(told)
    wanted = set(expected)
    twice: Callable[[tuple[str, str]], bool] = lambda row: rows.count(row) > 1  # noqa: E731
    return {
        "missed": sorted(wanted - set(rows)),
        "not theirs": sorted(set(rows) - wanted),
        "twice": sorted(set(filter(twice, rows))),
    }


def require_none(redmine: RealRedmine, difference: Mapping[str, list[Any]]) -> None:
    """Fail the test where anything differs, and show what Redmine's tables hold of it."""
    keys = {key for rows in difference.values() for key, _ in rows}
    assert not keys, f"{dict(difference)}\n{_describe(redmine, keys)}"


def _describe(redmine: RealRedmine, keys: Iterable[str]) -> str:
    ids = [int(key.rpartition(":")[2]) for key in keys if key.startswith("redmine:journal:")]
    rows = redmine.sql(
        "select j.id, journalized_id, u.login, j.created_on, i.updated_on, notes, property, prop_key,"
        " old_value, value"
        " from journals j join issues i on i.id = j.journalized_id join users u on u.id = j.user_id"
        " left join journal_details d on d.journal_id = j.id where j.id = any(%s) order by j.id",
        sorted(set(ids)),
    )
    return "\n".join(" | ".join(map(str, row)) for row in rows)
