"""Pages of a list that moves while it is read.

By value: the next page begins at the last row's `updated_on`. By offset only inside that one second,
which many issues can share, and then with an anchor: the next page must show the last row again.
Where it does not, a row has left the second meanwhile, and the second is read from its start. (Plain
offset paging over a moving set drops rows that nobody touched.)
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from daemon.clients.values import Issue, IssuePage

PAGE = 100


class Lister(Protocol):
    """The part of the client that lists."""

    def list_issues(self, *, updated_since: datetime | None, offset: int, limit: int) -> IssuePage:
        """Return one page, oldest `updated_on` first."""


def pages(client: Lister, since: datetime | None) -> Iterator[tuple[Issue, ...]]:
    """Yield every issue updated since then (None: all), in pages without rows given before.

    An issue that is updated while we page may come twice, with its new `updated_on`.
    """
    given: dict[int, datetime] = {}
    anchor: Issue | None = None
    offset = 0
    while True:
        page = client.list_issues(updated_since=since, offset=offset, limit=PAGE)
        if anchor is not None and offset and not _shows(page, anchor):
            anchor, offset = None, 0
            continue
        fresh = tuple(issue for issue in page.issues if given.get(issue.id) != issue.updated_on)
        given.update((issue.id, issue.updated_on) for issue in fresh)
        if fresh:
            yield fresh
        if len(page.issues) < PAGE:
            return
        anchor = page.issues[-1]
        since, offset = _next(since, offset, page.issues)


def _shows(page: IssuePage, anchor: Issue) -> bool:
    """Whether the anchor is where it was. Updated, it stands further on, behind rows that were not read."""
    return any(row.id == anchor.id and row.updated_on == anchor.updated_on for row in page.issues)


def _next(since: datetime | None, offset: int, rows: tuple[Issue, ...]) -> tuple[datetime, int]:
    """Where the next page begins: at the last row itself, which is the anchor."""
    second = rows[-1].updated_on
    if since is not None and second <= since:
        return since, offset + len(rows) - 1
    # Rows of this second stand at the end of the page; those before them belong to the past. The list
    # for `>= second` may begin with some rows of the second before, so the anchor comes later, not earlier.
    within = sum(1 for row in rows if row.updated_on == second)
    return second, within - 1
