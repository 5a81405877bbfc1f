"""Asks early what will most likely be asked: may those close to a changed issue see it?

While an issue is read, the few people who will probably be told ask for it too, each as themselves. A lone
change then reaches them one answer of Redmine's sooner. With many changes at once it would only cost: the
list answers for a hundred issues.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from daemon.clients.errors import SourceError
from daemon.clients.values import Issue
from daemon.redmine.rights import Client, read_as
from daemon.source import Memory
from daemon.values import Member

FEW_ISSUES = 2
FEW_PEOPLE = 3


@dataclass(frozen=True, slots=True)
class Glimpses:
    """Which accounts see which issues, and whether our key was an administrator's after all of that."""

    seen: frozenset[tuple[int, int]] = frozenset()
    is_key_confirmed: bool = False


class Foresight:
    """Reads under way, by account and issue, and the check of our key that follows them."""

    def __init__(
        self,
        reads: "dict[tuple[int, int], Future[Issue | None]] | None" = None,
        confirmation: "Future[bool] | None" = None,
    ) -> None:
        self._reads = reads or {}
        self._confirmation = confirmation

    def finish(self, issues: Iterable[Issue]) -> Glimpses:
        """Return who sees these issues as we have read them; who got no answer is left out.

        An account that was shown another state of it is left out too: what came in between may have
        hidden the issue.
        """
        states = {issue.id: _state(issue) for issue in issues}
        seen = set()
        for key, read in self._reads.items():
            try:
                issue = read.result()
            except SourceError:
                continue  # asked again by the usual way, which says what is wrong
            if issue is not None and _state(issue) == states.get(issue.id):
                seen.add(key)
        return Glimpses(frozenset(seen), self._confirmation is not None and self._confirmation.result())


def _state(issue: Issue) -> tuple[object, ...]:
    """Return what Redmine decides by who may see an issue, and when it was changed last."""
    concerned = (issue.project, issue.tracker, issue.author, issue.assigned_to)
    return (issue.is_private, issue.updated_on, *(ref.id if ref else None for ref in concerned))


def look_ahead(client: Client, pool: ThreadPoolExecutor, rows: Sequence[Issue], memory: Memory) -> Foresight:
    """Begin to ask for these issues as the people close to them; nothing where there are more than a few.

    Without their journals: that answers in two thirds of the time, and most journals are shown to whoever
    sees the issue.
    """
    if not rows or len(rows) > FEW_ISSUES:
        return Foresight()
    members = {member.source_id: member for member in memory.members()}
    stored = memory.rows(row.id for row in rows)
    wanted = [(member, row.id) for row in rows for member in _close_to(row, stored.get(row.id), members)]
    reads = {(m.source_id, issue): pool.submit(read_as, client, m, issue, ()) for m, issue in wanted}
    # Queued behind the reads it waits for, so it can hold none of them up.
    return Foresight(reads, pool.submit(_confirm_after, reads.values(), client) if reads else None)


def _confirm_after(reads: "Iterable[Future[Issue | None]]", client: Client) -> bool:
    """Whether our key is an administrator's once all have read: only then they read as themselves."""
    wait(reads)
    try:
        client.ask_as_admin()
    except SourceError:
        return False  # asked again by the usual way, which says what is wrong
    return True


def _close_to(
    row: Issue, stored: Mapping[str, Any] | None, members: Mapping[int, Member]
) -> Iterable[Member]:
    accounts = [row.assigned_to.id if row.assigned_to else None, row.author.id]
    if stored is not None:
        accounts += [stored["assigned_to_id"], *stored["watcher_ids"]]
    known = dict.fromkeys(account for account in accounts if account in members)
    return [members[account] for account in known if account is not None][:FEW_PEOPLE]
