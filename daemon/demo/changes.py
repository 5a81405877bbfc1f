"""The kinds of change that the demo's people make. Each does one and says whether it could."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from daemon.demo import stories
from daemon.demo.access import Viewer
from daemon.demo.defaults import CLOSED, RESOLVED
from daemon.demo.desk import Desk
from daemon.demo.model import Group, Issue
from daemon.demo.workflow import allowed_statuses
from daemon.demo.world import DEMO_LOGIN, SHIFT

Change = Callable[[Desk], bool]

MAX_FILES: Final = 4
MAX_RELATIONS: Final = 3


def _words(desk: Desk, issue: Issue) -> str:
    """A note; every third calls the demo user by name where he may see the issue."""
    if desk.rng.random() < 0.3 and Viewer(desk.store, desk.demo).sees(issue):
        return desk.rng.choice(stories.MENTIONS).format(login=DEMO_LOGIN)
    return desk.rng.choice(stories.NOTES)


def _perhaps_words(desk: Desk, issue: Issue) -> str:
    return _words(desk, issue) if desk.rng.random() < 0.35 else ""


def note(desk: Desk) -> bool:
    """A note, perhaps with a mention."""
    issue = desk.issue()
    return desk.change(desk.actor(issue.project_id or 0, "add_issue_notes"), issue, notes=_words(desk, issue))


def private_note(desk: Desk) -> bool:
    """A note that not everybody may read."""
    issue = desk.issue()
    actor = desk.actor(issue.project_id or 0, "set_notes_private")
    return desk.change(actor, issue, notes=desk.rng.choice(stories.PRIVATE_NOTES), private_notes=True)


def status(desk: Desk) -> bool:
    """A step on in the workflow, seldom straight to closed."""
    issue = desk.issue()
    actor = desk.actor(issue.project_id or 0, "edit_issues")
    allowed = allowed_statuses(Viewer(desk.store, actor), issue, issue)
    steps = [s.id for s in allowed if s.id != issue.status_id]
    if not steps:
        return False
    target = desk.rng.choices(steps, [1 if s >= CLOSED else 4 for s in steps])[0]
    fields = {"status_id": target, "notes": _perhaps_words(desk, issue)}
    if target == RESOLVED and not desk.store.children_of.of(issue.id):
        fields["done_ratio"] = 100
    return desk.change(actor, issue, **fields)


def assign(desk: Desk) -> bool:
    """Another assignee: often the demo user or his group, sometimes nobody."""
    issue = desk.issue()
    project_id = issue.project_id or 0
    actor = desk.actor(project_id, "edit_issues")
    workers = desk.members(project_id, "edit_issues")
    candidates: list[int | str] = [u.id for u in workers if u.login != DEMO_LOGIN]
    if any(u.login == DEMO_LOGIN for u in workers):
        candidates += [desk.demo.id] * 4 + [_shift(desk).id, ""]
    target = desk.rng.choice([c for c in candidates if c != (issue.assigned_to_id or "")] or [""])
    if target == (issue.assigned_to_id or ""):
        return False
    return desk.change(actor, issue, assigned_to_id=target, notes=_perhaps_words(desk, issue))


def _shift(desk: Desk) -> Group:
    return next(g for g in desk.store.groups.values() if g.name == SHIFT)


def priority(desk: Desk) -> bool:
    """Another priority."""
    issue = desk.issue(leaf=True)
    others = [p for p in desk.store.priorities if p != issue.priority_id]
    actor = desk.actor(issue.project_id or 0, "edit_issues")
    return desk.change(actor, issue, priority_id=desk.rng.choice(others), notes=_perhaps_words(desk, issue))


def due_date(desk: Desk) -> bool:
    """Another due date, in the next three weeks."""
    issue = desk.issue(leaf=True)
    first = max(desk.store.today(), issue.start_date or desk.store.today())
    target = first + timedelta(days=desk.rng.randint(1, 21))
    if target == issue.due_date:
        return False
    actor = desk.actor(issue.project_id or 0, "edit_issues")
    return desk.change(actor, issue, due_date=target.isoformat(), notes=_perhaps_words(desk, issue))


def progress(desk: Desk) -> bool:
    """More done, or all from the beginning."""
    issue = desk.issue(leaf=True)
    done = (issue.done_ratio or 0) + 10 * desk.rng.randint(1, 4)
    actor = desk.actor(issue.project_id or 0, "edit_issues")
    return desk.change(actor, issue, done_ratio=done if done <= 100 else 10)


def file(desk: Desk) -> bool:
    """A file with a note; where there are enough, the oldest is deleted instead."""
    issue = desk.issue()
    kept = desk.store.issue_files(issue.id)
    if len(kept) >= MAX_FILES:
        actor = desk.actor(issue.project_id or 0, "edit_issues")
        return desk.act(actor.login, "DELETE", f"/attachments/{kept[0].id}.json")
    actor = desk.actor(issue.project_id or 0, "add_issue_notes")
    name, content_type, text = desk.rng.choice(stories.FILES)
    upload = {"token": desk.upload(actor, name, text.encode()), "content_type": content_type}
    return desk.change(actor, issue, notes=_words(desk, issue), uploads=[upload])


def relation(desk: Desk) -> bool:
    """Two issues of a project related, or an old relation removed."""
    issue = desk.issue()
    actor = desk.actor(issue.project_id or 0, "manage_issue_relations")
    kept = desk.store.issue_relations(issue.id)
    if len(kept) >= MAX_RELATIONS:
        return desk.act(actor.login, "DELETE", f"/relations/{kept[0].id}.json")
    others = [i.id for i in desk.store.issues.values() if i.project_id == issue.project_id]
    fields = {"issue_to_id": desk.rng.choice(others), "relation_type": "relates"}
    return desk.act(actor.login, "POST", f"/issues/{issue.id}/relations.json", {"relation": fields})


def new_issue(desk: Desk) -> bool:
    """A new issue, often for the demo user or his group."""
    visible = [p for p in desk.store.projects.values() if Viewer(desk.store, desk.demo).sees_project(p)]
    project = desk.rng.choice(visible)
    author = desk.actor(project.id, "add_issues")
    fields = {
        "project_id": project.id,
        "tracker_id": desk.rng.choice(list(desk.store.trackers)),
        "subject": desk.rng.choice(stories.NEW_SUBJECTS),
        "description": desk.rng.choice(stories.NOTES),
        "priority_id": desk.rng.choice(list(desk.store.priorities)),
        "assigned_to_id": desk.rng.choice([desk.demo.id, desk.demo.id, _shift(desk).id, ""]),
        "watcher_user_ids": [desk.demo.id],
    }
    return desk.act(author.login, "POST", "/issues.json", {"issue": fields})


def watcher(desk: Desk) -> bool:
    """A colleague starts or ends watching."""
    issue = desk.issue()
    project_id = issue.project_id or 0
    actor = desk.actor(project_id, "add_issue_watchers")
    person = desk.rng.choice(desk.members(project_id, "view_issues"))
    if person.id in desk.store.watchers.of(issue.id):
        return desk.act(actor.login, "DELETE", f"/issues/{issue.id}/watchers/{person.id}.json")
    fields = {"user_id": person.id}
    return desk.act(actor.login, "POST", f"/issues/{issue.id}/watchers.json", fields)


def rewrite(desk: Desk) -> bool:
    """A manager changes the words of the last note."""
    issue = desk.issue()
    actor = desk.actor(issue.project_id or 0, "edit_issue_notes")
    written = [j for j in desk.store.issue_journals(issue.id) if (j.notes or "").strip()]
    if not written:
        return False
    words = {"notes": f"{written[-1].notes or ''} (исправлено)"[-500:]}
    return desk.act(actor.login, "PUT", f"/journals/{written[-1].id}.json", {"journal": words})
