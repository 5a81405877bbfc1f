"""What hangs on an issue: edits of notes, relations, watchers.

Source: Redmine 5.0.4, app/controllers/journals_controller.rb, issue_relations_controller.rb,
watchers_controller.rb and app/models/issue_relation.rb.
"""

import re
from typing import Final

from daemon.demo import casts, history, render, schedule, texts
from daemon.demo.exchange import Answer, Call, StopError
from daemon.demo.guards import authorize, find_issue, project_of
from daemon.demo.history import Entry
from daemon.demo.model import Detail, Issue, Journal, Json, Relation
from daemon.demo.saving import Saving
from daemon.demo.urls import base_url

_REVERSED: Final = {
    "duplicated": "duplicates",
    "blocked": "blocks",
    "follows": "precedes",
    "copied_from": "copied_to",
}
_OTHER_SIDE: Final = {kind: other for other, kind in _REVERSED.items()}
_TYPES: Final = render.RELATION_ORDER


def update_journal(call: Call, journal_id: str) -> Answer:
    """PUT /journals/ID.json: change, hide or blank a note in place; a journal left empty is deleted."""
    journal = call.store.journals.get(int(journal_id))
    issue = call.store.issues[journal.issue_id] if journal else None
    if journal is None or issue is None or not call.viewer.sees(issue):
        raise StopError(404)
    project = project_of(call, issue)
    if not call.viewer.sees_notes_of(journal, project):
        raise StopError(404)
    authorize(call, "journals/update", project)
    own = journal.user_id == call.viewer.user.id and call.viewer.has("edit_own_issue_notes", project)
    if not own and not call.viewer.has("edit_issue_notes", project):
        raise StopError(403)
    _rewrite(call, journal, issue)
    return Answer(204)


def _rewrite(call: Call, journal: Journal, issue: Issue) -> None:
    given = call.section("journal")
    if "notes" in given:
        journal.notes = casts.text(given["notes"])
    if "private_notes" in given and call.viewer.has("set_notes_private", project_of(call, issue)):
        journal.private_notes = given["private_notes"] not in (None, "") and casts.truth(
            given["private_notes"]
        )
    if not journal.details and not (journal.notes or "").strip():
        call.store.drop_journal(journal)


def relations(call: Call, issue_id: str) -> Answer:
    """GET /issues/ID/relations.json: all of them, but only for who may manage them."""
    issue = _any_issue(call, issue_id)
    rows = sorted(call.store.issue_relations(issue.id), key=lambda r: (_TYPES.index(r.type), r.id))
    return Answer.json({"relations": [render.relation(r) for r in rows]})


def _any_issue(call: Call, issue_id: str) -> Issue:
    """Redmine asks for the right alone here, not whether the viewer sees the issue."""
    issue = call.store.issues.get(int(issue_id))
    if issue is None:
        raise StopError(404)
    authorize(call, "issue_relations", project_of(call, issue))
    return issue


def add_relation(call: Call, issue_id: str) -> Answer:
    """POST /issues/ID/relations.json: a journal on both sides, no bump unless the follower's dates move."""
    issue = _any_issue(call, issue_id)
    given = call.section("relation")
    wanted = str(given.get("issue_to_id") or "").split(",")
    named = [one.strip() for one in wanted if one.strip() or len(wanted) == 1]
    entry = history.open_entry(issue)
    answers = [_add_one(call, entry, one, given) for one in named]
    return answers[-1] if answers else Answer.errors([])


def _add_one(call: Call, entry: Entry, wanted: str, given: Json) -> Answer:
    """Several may be named with commas between; they share this side's journal, the last gives the answer."""
    issue = entry.before
    number = re.fullmatch(r"#?(\d+)", wanted)
    other = call.store.issues.get(int(number[1])) if number else None
    if other is not None and not call.viewer.sees(other):
        other = None
    kind = str(given.get("relation_type") or "relates")
    problems = _relation_problems(call, issue, other, kind)
    if problems or other is None:
        return Answer.errors(problems)
    row = _relation(call, issue, other, kind, casts.whole(given.get("delay")))
    _save_relation(call, row, {issue.id: entry, other.id: history.open_entry(other)})
    location = f"{base_url(call.request)}/relations/{row.id}"
    return Answer.json({"relation": render.relation(row)}, 201, ("Location", location))


def _relation_problems(call: Call, issue: Issue, other: Issue | None, kind: str) -> list[str]:
    language, store = call.viewer.user.language, call.store
    found = []
    if other is None:
        found.append(texts.problem(language, "issue_to_id", "blank"))
    if kind not in (*_TYPES, *_REVERSED):
        found.append(texts.problem(language, "relation_type", "inclusion"))
    if other is None:
        return found
    pairs = {(r.from_id, r.to_id) for r in store.issue_relations(issue.id)}
    if (issue.id, other.id) in pairs:
        found.append(texts.problem(language, "issue_to_id", "taken"))
    if other.id == issue.id:
        found.append(texts.problem(language, "issue_to_id", "invalid"))
    if other.project_id != issue.project_id:
        found.append(texts.problem(language, "issue_to_id", "not_same_project"))
    if _is_circular(call, issue, other, kind):
        found.append(texts.sentence(language, "circular_dependency"))
    if other in store.ancestors(issue) or issue in store.ancestors(other):
        found.append(texts.sentence(language, "cant_link_an_issue_with_a_descendant"))
    return found


def _is_circular(call: Call, issue: Issue, other: Issue, kind: str) -> bool:
    store = call.store
    if kind == "relates":
        return any((r.from_id, r.to_id) == (other.id, issue.id) for r in store.issue_relations(issue.id))
    first, then = (other, issue) if kind in ("precedes", "blocks") else (issue, other)
    if kind in ("precedes", "follows"):
        return schedule.would_reschedule(store, first.id, then.id)
    return kind in ("blocks", "blocked") and schedule.blocks(store, first.id, then.id)


def _relation(call: Call, issue: Issue, other: Issue, kind: str, delay: int | None) -> Relation:
    """Stored one way round: the reverse types are turned, `relates` goes from the lower id."""
    low, high = issue.id, other.id
    if kind in _REVERSED or (kind == "relates" and low > high):
        low, high = high, low
    kind = _REVERSED.get(kind, kind)
    return Relation(
        call.store.ids.next("relations"), low, high, kind, (delay or 0) if kind == "precedes" else None
    )


def _save_relation(call: Call, row: Relation, entries: dict[int, Entry]) -> None:
    call.store.add_relation(row)
    Saving(call.viewer).push_follower(row, entries[row.to_id])
    for issue_id in (row.from_id, row.to_id):
        entry = entries[issue_id]
        entry.details.append(_seen_from(row, issue_id, added=True))
        history.write(call.viewer, entry, call.store.issues[issue_id])


def _seen_from(row: Relation, issue_id: int, *, added: bool) -> Detail:
    kind = row.type if row.from_id == issue_id else _OTHER_SIDE.get(row.type, row.type)
    other = str(row.to_id if row.from_id == issue_id else row.from_id)
    return Detail("relation", kind, None if added else other, other if added else None)


def _find_relation(call: Call, relation_id: str) -> Relation:
    row = call.store.relations.get(int(relation_id))
    if row is None:
        raise StopError(404)
    if not all(call.viewer.sees(call.store.issues[i]) for i in (row.from_id, row.to_id)):
        raise call.denied()
    return row


def show_relation(call: Call, relation_id: str) -> Answer:
    """GET /relations/ID.json."""
    return Answer.json({"relation": render.relation(_find_relation(call, relation_id))})


def remove_relation(call: Call, relation_id: str) -> Answer:
    """DELETE /relations/ID.json: a journal on both sides, no bump."""
    row = _find_relation(call, relation_id)
    ends = [call.store.issues[i] for i in (row.from_id, row.to_id)]
    if not any(call.viewer.has("manage_issue_relations", project_of(call, i)) for i in ends):
        raise call.denied()
    call.store.drop_relation(row)
    for issue in ends:
        entry = history.open_entry(issue)
        entry.details.append(_seen_from(row, issue.id, added=False))
        history.write(call.viewer, entry, issue)
    return Answer(204)


def add_watchers(call: Call, issue_id: str) -> Answer:
    """POST /issues/ID/watchers.json: people who cannot watch are skipped without a word."""
    issue = _watchable(call, issue_id, "watchers/create")
    given = call.section("watcher") or {"user_id": call.fields.get("user_id")}
    ids = given.get("user_ids") or given.get("user_id")
    for each in ids if isinstance(ids, list) else [ids]:
        principal_id = casts.whole(each) or 0
        user = call.store.users.get(principal_id)
        if (user is not None and user.logged and user.active) or principal_id in call.store.groups:
            call.store.watchers.add(issue.id, principal_id)
    return Answer(204)


def remove_watcher(call: Call, issue_id: str, principal_id: str) -> Answer:
    """DELETE /issues/ID/watchers/USER.json."""
    issue = _watchable(call, issue_id, "watchers/destroy")
    if call.store.principal(int(principal_id)) is None:
        raise StopError(404)
    call.store.watchers.remove(issue.id, int(principal_id))
    return Answer(204)


def _watchable(call: Call, issue_id: str, action: str) -> Issue:
    """403 also for an issue that does not exist, even to an admin: Redmine looks for its project first."""
    if int(issue_id) not in call.store.issues:
        raise call.denied()
    issue = find_issue(call, issue_id)
    authorize(call, action, project_of(call, issue))
    return issue
