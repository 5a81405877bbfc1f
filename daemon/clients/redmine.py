"""The Redmine client: one method for each thing we ask of Redmine, each a known number of requests."""

import copy
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Self

from pydantic import SecretStr

from daemon.clients import login as redmine_login
from daemon.clients import parse
from daemon.clients.connection import Connection
from daemon.clients.errors import WrongAnswer
from daemon.clients.files import Files
from daemon.clients.query import ISSUE_INCLUDES, MAX_LIMIT, IssueQuery, include_params
from daemon.clients.reference import ReferenceLists
from daemon.clients.settings import RedmineSettings, usable_key
from daemon.clients.shapes import one
from daemon.clients.values import Account, Issue, IssuePage, Standing
from daemon.clients.wire import Timing, Wire


class RedmineClient(ReferenceLists, Files):
    """Talks to one Redmine as the owner of one key, or as a user whom that owner, an admin, acts for.

    Thread-safe: `settings.connections` threads send at once, the others wait. Every method may raise any
    SourceError; a wrong argument is a ValueError and sends nothing.

    A dead key, or one whose owner is no admin (any more), does **not** show in lists: Redmine answers
    as to an anonymous visitor, or as to the key's owner whomever we act as. Only `account()` tells.
    """

    def __init__(
        self,
        settings: RedmineSettings,
        *,
        api_key: SecretStr | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: Callable[[], float] = random.random,
    ) -> None:
        # Redmine answers to an empty key as to an anonymous visitor.
        self._key = (
            settings.api_key() if api_key is None else usable_key(api_key.get_secret_value(), "api_key")
        )
        self._url = settings.url
        self._wire = Wire(settings, Timing(clock, sleep, rng))
        self._connection = self._connection_as(None)

    def acting_as(self, login: str) -> Self:
        """A client that does everything as this user, over the same connections; no request is made.

        The only way to act as somebody. An unknown or locked login shows with the first request, as
        ImpersonationRefused. Keep the clone to use it often: each has a session of its own.
        """
        # Redmine takes an empty header for no header, and then the admin himself acts.
        if not login or not login.isascii() or not login.isprintable() or login != login.strip():
            raise ValueError(f"{login!r} is not a login to act as")
        clone = copy.copy(self)
        clone._connection = self._connection_as(login)  # noqa: SLF001  the clone is ours
        return clone

    def _connection_as(self, login: str | None) -> Connection:
        return Connection(self._url, self._wire, key=self._key.get_secret_value(), impersonate=login)

    @property
    def requests_made(self) -> int:
        """HTTP requests sent by this client and all acting clones, each retry counted."""
        return self._wire.requests_made

    def close(self) -> None:
        """Close the idle connections, which the acting clones share."""
        self._wire.close()

    # Who we are

    def account(self) -> Account:
        """Whom Redmine takes us for. SourceRefused when the key is dead (401) or REST is off (403)."""
        return self._connection.get(redmine_login.ACCOUNT_PATH, parse.account_of)

    def standing(self) -> Standing:
        """The same, with the roles that this account has as a member of projects."""
        return self._connection.get(redmine_login.ACCOUNT_PATH, parse.standing_of, {"include": "memberships"})

    def ask_as_admin(self) -> None:
        """Ask the cheapest question that Redmine answers to administrators only; SourceRefused for others.

        Half the work of `account`, and what is known afterwards is the same.
        """
        self._connection.get("/users.json", lambda _: None, {"limit": 1})

    def check_password(self, login: str, password: str) -> Account:
        """Whose account this login and password open; our own key is not sent.

        LoginRefused says why not. Redmine has no brake on guessing: that is the caller's part.
        """
        return redmine_login.check_password(self._wire, self._url, login, password)

    # Issues

    def list_issues(  # noqa: PLR0913  each is a filter of Redmine's
        self,
        *,
        updated_since: datetime | None = None,
        ids: Sequence[int] | None = None,
        id_range: tuple[int, int] | None = None,
        watcher_id: int | None = None,
        include: Sequence[str] = (),
        sort: str = "updated_on:asc,id",
        offset: int = 0,
        limit: int = MAX_LIMIT,
    ) -> IssuePage:
        """One page of open and closed issues that the acting user may see; never with journals.

        `updated_since` is inclusive, in whole seconds, and brings up to 1 s more than asked. `ids` at
        most 100; `id_range` includes both ends; `include` knows attachments and relations.
        """
        query = IssueQuery(
            updated_since=updated_since,
            ids=ids,
            id_range=id_range,
            watcher_id=watcher_id,
            include=include,
            sort=sort,
            offset=offset,
            limit=limit,
        )
        return self._page(query)

    def issue(
        self, issue_id: int, include: Sequence[str] = ("journals", "watchers", "attachments", "relations")
    ) -> Issue:
        """One issue. NotFound when it does not exist, SourceRefused (403) when it is hidden from this user.

        `include` knows allowed_statuses too. Journals are those this user may see, sorted by id.
        """
        found = self._connection.get(
            f"/issues/{int(issue_id)}.json",
            lambda answer: one(answer, "issue", lambda obj: parse.issue(obj, include)),
            include_params(include, ISSUE_INCLUDES),
        )
        if found.id != issue_id:
            raise WrongAnswer(f"GET /issues/{issue_id}.json: brought issue {found.id}. Check the proxies.")
        return found

    def visible_ids(self, ids: Sequence[int]) -> frozenset[int]:
        """Those of the given issues that exist and that the acting user may see.

        One request for each 100 ids of which all or none can be seen, two for others.
        """
        wanted = sorted(set(ids))
        chunks = (wanted[start : start + MAX_LIMIT] for start in range(0, len(wanted), MAX_LIMIT))
        return frozenset(seen for chunk in chunks for seen in self._visible_of(chunk))

    def _visible_of(self, ids: Sequence[int]) -> Sequence[int]:
        # A list of 100 costs Redmine half a second, its total_count a tenth of that.
        count = self._page(IssueQuery(ids=ids, sort="id", limit=1)).total_count
        if count > len(ids):
            raise WrongAnswer(
                f"GET /issues.json: {count} issues for {len(ids)} ids. Do proxies drop queries?"
            )
        if count in {0, len(ids)}:
            return ids if count else ()
        return [issue.id for issue in self._page(IssueQuery(ids=ids, sort="id")).issues]

    def count_issues(self, id_range: tuple[int, int]) -> int:
        """How many issues between these ids, both included, exist and are visible. One request."""
        return self._page(IssueQuery(id_range=id_range, sort="id", limit=1)).total_count

    def update_issue(self, issue_id: int, fields: Mapping[str, object]) -> None:
        """Change an issue; returning means only that Redmine did not object.

        Redmine answers the same where it silently drops a field this user may not change, and **saves a
        private note publicly** for one who may not write such: check the right before, read and compare
        after. Rejected carries Redmine's messages in this user's language.
        """
        if not fields:
            raise ValueError("nothing to change; Redmine 5.0 would still move updated_on")
        # Not python-redmine's update(): it keeps the fields in one object for the whole process, where
        # another thread may replace them before they are sent.
        self._connection.put(f"/issues/{int(issue_id)}.json", {"issue": dict(fields)})

    def _page(self, query: IssueQuery) -> IssuePage:
        return self._connection.get(
            "/issues.json", lambda answer: parse.issue_page(answer, query.include), query.params()
        )
