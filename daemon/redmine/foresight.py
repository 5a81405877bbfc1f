"""Asks early what will most likely be asked: may those close to a changed issue see what changed?

While an issue is read, the few people who will probably be told read it too, each as themselves. A lone
change then reaches them one answer of Redmine's sooner. With many changes at once it would only cost: the
list answers for a hundred issues.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
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
    """Issues as accounts have read them, and whether our key was an administrator's after all of that."""

    issues: Mapping[tuple[int, int], Issue] = field(default_factory=dict)
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

    def finish(self) -> Glimpses:
        """Return the issue as each of these accounts read it; who may not, or got no answer, is left out."""
        found = {}
        for key, read in self._reads.items():
            try:
                seen = read.result()
            except SourceError:
                continue  # asked again by the usual way, which says what is wrong
            if seen is not None:
                found[key] = seen
        return Glimpses(found, self._confirmation is not None and self._confirmation.result())


def look_ahead(client: Client, pool: ThreadPoolExecutor, rows: Sequence[Issue], memory: Memory) -> Foresight:
    """Begin to read these issues as the people close to them; nothing where there are more than a few."""
    if not rows or len(rows) > FEW_ISSUES:
        return Foresight()
    members = {member.source_id: member for member in memory.members()}
    stored = memory.rows(row.id for row in rows)
    wanted = [(member, row.id) for row in rows for member in _close_to(row, stored.get(row.id), members)]
    reads = {
        (m.source_id, issue): pool.submit(read_as, client, m, issue, ("journals",)) for m, issue in wanted
    }
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
