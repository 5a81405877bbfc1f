"""Put a world's issues straight into the tables, with their past: a demo born this minute shows nothing.

An issue of a world: `project` (identifier), `by`, `subject`, and optionally `description`, `tracker`,
`status`, `priority` (numbers of the default data), `assigned_to`, `category`, `days_ago`, `due_in_days`,
`done`, `private`, `parent` and `relates` (places in the list, from 0), `watchers`, `notes` (`by`, `text`,
`private`, `days_ago`).
"""

from datetime import timedelta

from daemon.demo.defaults import DEFAULT_PRIORITY_ID
from daemon.demo.model import Issue, Journal, Json, Relation, World
from daemon.demo.store import Store


def seed_issues(store: Store, world: World) -> None:
    """Insert all issues, then what ties them together."""
    rows = world.get("issues", ())
    issues = [_insert(store, row) for row in rows]
    for issue, row in zip(issues, rows, strict=True):
        if "parent" in row:
            issue.parent_id = issues[row["parent"]].id
            store.children_of.add(issue.parent_id, issue.id)
        for place in row.get("relates", ()):
            low, high = sorted((issue.id, issues[place].id))
            store.add_relation(Relation(store.ids.next("relations"), low, high, "relates"))


def _insert(store: Store, row: Json) -> Issue:
    ids = {u.login: u.id for u in store.users.values()} | {g.name: g.id for g in store.groups.values()}
    created = store.now() - timedelta(days=row.get("days_ago", 0))
    issue = Issue(
        store.ids.next("issues"),
        row.get("tracker", 1),
        {p.identifier: p.id for p in store.projects.values()}[row["project"]],
        ids[row["by"]],
        created,
        created,
        subject=row["subject"],
        description=row.get("description", "").replace("\n", "\r\n"),
        status_id=row.get("status", 1),
        assigned_to_id=ids[row["assigned_to"]] if row.get("assigned_to") else None,
        priority_id=row.get("priority", DEFAULT_PRIORITY_ID),
        start_date=created.date(),
        done_ratio=row.get("done", 0),
        is_private=row.get("private", False),
    )
    if row.get("due_in_days") is not None:
        issue.due_date = max(store.today() + timedelta(days=row["due_in_days"]), created.date())
    if row.get("category"):
        issue.category_id = next(
            c.id
            for c in store.categories.values()
            if c.project_id == issue.project_id and c.name == row["category"]
        )
    issue.custom_values = dict.fromkeys(store.custom_fields)
    store.put_issue(issue)
    for who in row.get("watchers", ()):
        store.watchers.add(issue.id, ids[who])
    _write_notes(store, issue, row, ids)
    if store.is_closed(issue):
        issue.closed_on = issue.updated_on
    return issue


def _write_notes(store: Store, issue: Issue, row: Json, ids: dict[str, int]) -> None:
    for note in row.get("notes", ()):
        written = store.now() - timedelta(days=note.get("days_ago", 0))
        journal = Journal(
            store.ids.next("journals"),
            issue.id,
            ids[note["by"]],
            note["text"],
            note.get("private", False),
            written,
        )
        store.add_journal(journal)
        issue.updated_on = max(issue.updated_on, written)
