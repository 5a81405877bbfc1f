"""The categories and versions of a project.

Source: Redmine 5.0.4, the controllers and api views of issue_categories and versions.
"""

from datetime import date

from daemon.demo import casts
from daemon.demo.exchange import Answer, Call, StopError
from daemon.demo.guards import authorize, find_project
from daemon.demo.model import Category, Json, Version
from daemon.demo.pages import blank_fields, created
from daemon.demo.render import day, moment, ref


def categories(call: Call, name: str) -> Answer:
    """GET /projects/ID/issue_categories.json: only for who may manage them."""
    found = find_project(call, name)
    authorize(call, "issue_categories", found)
    mine = (c for c in call.store.categories.values() if c.project_id == found.id)
    rows = [category_row(call, c) for c in sorted(mine, key=lambda c: c.name)]
    return Answer.json({"issue_categories": rows, "total_count": len(rows)})


def category_row(call: Call, row: Category) -> Json:
    body: Json = {"id": row.id, "project": ref(call.store.projects[row.project_id]), "name": row.name}
    assignee = call.store.principal(row.assigned_to_id)
    return body if assignee is None else {**body, "assigned_to": ref(assignee)}


def versions(call: Call, name: str) -> Answer:
    """GET /projects/ID/versions.json."""
    found = find_project(call, name)
    authorize(call, "versions/index", found)
    rows = [version_row(call, v) for v in call.store.versions.values() if v.project_id == found.id]
    return Answer.json({"versions": rows, "total_count": len(rows)})


def version_row(call: Call, row: Version) -> Json:
    return {
        "id": row.id,
        "project": ref(call.store.projects[row.project_id]),
        "name": row.name,
        "description": row.description,
        "status": row.status,
        "due_date": day(row.due_date),
        "sharing": "none",
        "wiki_page_title": None,
        "created_on": moment(row.created_on),
        "updated_on": moment(row.created_on),
    }


def create_category(call: Call, project_name: str) -> Answer:
    """POST /projects/ID/issue_categories.json."""
    project = find_project(call, project_name)
    authorize(call, "issue_categories", project)
    given = call.section("issue_category")
    problems = blank_fields(call, given, "name")
    if problems:
        return Answer.errors(problems)
    assignee = casts.whole(given.get("assigned_to_id"))
    row = Category(call.store.ids.next("categories"), project.id, str(given["name"]), assignee)
    call.store.categories[row.id] = row
    return created(call, "issue_category", "issue_categories", category_row(call, row))


def delete_category(call: Call, category_id: str) -> Answer:
    """DELETE /issue_categories/ID.json: its issues lose it, without a journal or a bump."""
    row = call.store.categories.get(int(category_id))
    if row is None:
        raise StopError(404)
    authorize(call, "issue_categories", call.store.projects[row.project_id])
    for issue in call.store.issues.values():
        if issue.category_id == row.id:
            issue.category_id = None
    del call.store.categories[row.id]
    return Answer(204)


def create_version(call: Call, project_name: str) -> Answer:
    """POST /projects/ID/versions.json."""
    project = find_project(call, project_name)
    authorize(call, "versions/create", project)
    given = call.section("version")
    problems = blank_fields(call, given, "name")
    if problems:
        return Answer.errors(problems)
    row = Version(call.store.ids.next("versions"), project.id, str(given["name"]), call.store.now())
    row.description = casts.text(given.get("description")) or ""
    row.status = casts.text(given.get("status")) or "open"
    row.due_date = date.fromisoformat(given["due_date"]) if given.get("due_date") else None
    call.store.versions[row.id] = row
    hours = {"estimated_hours": 0.0, "spent_hours": 0.0}
    return created(call, "version", "versions", version_row(call, row) | hours)


def delete_version(call: Call, version_id: str) -> Answer:
    """DELETE /versions/ID.json; 422 without a word while an issue has it."""
    row = call.store.versions.get(int(version_id))
    if row is None:
        raise StopError(404)
    authorize(call, "versions/create", call.store.projects[row.project_id])
    if any(i.fixed_version_id == row.id for i in call.store.issues.values()):
        raise StopError(422)
    del call.store.versions[row.id]
    return Answer(204)
