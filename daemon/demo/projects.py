"""Projects.

Source: Redmine 5.0.4, app/controllers/projects_controller.rb and its api views. Nothing here bumps an issue.
"""

from daemon.demo import casts
from daemon.demo.exchange import Answer, Call, StopError, crash
from daemon.demo.guards import authorize, find_project, require_admin
from daemon.demo.model import PROJECT_ACTIVE, PROJECT_ARCHIVED, PROJECT_CLOSED, Json, Project
from daemon.demo.pages import blank_fields, created, paged
from daemon.demo.render import moment, ref


def projects(call: Call) -> Answer:
    """GET /projects.json: the active ones the viewer sees, parents before children, else by name."""
    wanted = call.request.query.get("status", str(PROJECT_ACTIVE)).split("|")
    if not all(status.isdigit() for status in wanted):
        raise crash()
    found = [p for p in call.store.projects.values() if call.viewer.sees_project(p)]
    rows = sorted((p for p in found if str(p.status) in wanted), key=lambda p: _tree_key(call, p))
    return paged(call, "projects", rows, lambda p: project_row(call, p))


def _tree_key(call: Call, project: Project) -> list[str]:
    parent = call.store.projects.get(project.parent_id or 0)
    return [*(_tree_key(call, parent) if parent else []), project.name.lower()]


def project_row(call: Call, shown: Project, *, alone: bool = False) -> Json:
    body: Json = {**ref(shown), "identifier": shown.identifier, "description": shown.description}
    if alone:
        body["homepage"] = ""
    parent = call.store.projects.get(shown.parent_id or 0)
    if parent is not None and call.viewer.sees_project(parent):
        body["parent"] = ref(parent)
    body |= {"status": shown.status, "is_public": shown.is_public, "inherit_members": False}
    if call.includes("trackers"):
        body["trackers"] = [ref(t) for t in call.store.trackers.values()]
    if call.includes("issue_categories"):
        rows = call.store.categories.values()
        body["issue_categories"] = [ref(c) for c in rows if c.project_id == shown.id]
    body["created_on"] = moment(shown.created_on)
    body["updated_on"] = moment(shown.updated_on or shown.created_on)
    return body


def project(call: Call, name: str) -> Answer:
    """GET /projects/ID.json: 403 for an archived one, even to an admin."""
    found = find_project(call, name)
    if found.status == PROJECT_ARCHIVED:
        raise StopError(403)
    authorize(call, "projects/show", found)
    return Answer.json({"project": project_row(call, found, alone=True)})


def create_project(call: Call) -> Answer:
    """POST /projects.json by an admin; all trackers, no members."""
    require_admin(call)
    given = call.section("project")
    problems = blank_fields(call, given, "name", "identifier")
    if problems:
        return Answer.errors(problems)
    names = str(given["identifier"]), str(given["name"])
    is_public = casts.truth(given.get("is_public", True))
    project = Project(call.store.ids.next("projects"), *names, is_public, call.store.now())
    project.description = casts.text(given.get("description"))
    project.parent_id = casts.whole(given.get("parent_id"))
    call.store.projects[project.id] = project
    return created(call, "project", "projects", project_row(call, project, alone=True))


def delete_project(call: Call, name: str) -> Answer:
    """DELETE /projects/ID.json by an admin: its issues go with it."""
    require_admin(call)
    project, store = find_project(call, name), call.store
    for issue in [i for i in store.issues.values() if i.project_id == project.id]:
        for child in [d for d in store.descendants(issue.id) if d.project_id != project.id]:
            store.children_of.remove(child.parent_id or 0, child.id)
            child.parent_id = None
        store.drop_issue(issue.id)
    for table in (store.members, store.categories, store.versions):
        for row_id in [r.id for r in table.values() if r.project_id == project.id]:
            del table[row_id]
    del store.projects[project.id]
    return Answer(204)


def _set_status(call: Call, project: Project, status: int) -> Answer:
    project.status = status
    for other in call.store.projects.values():
        if other.parent_id == project.id:
            _set_status(call, other, status)
    return Answer(204)


def close(call: Call, name: str) -> Answer:
    """PUT /projects/ID/close.json: read-only from now on."""
    project = find_project(call, name)
    authorize(call, "projects/close", project)
    return _set_status(call, project, PROJECT_CLOSED)


def reopen(call: Call, name: str) -> Answer:
    """PUT /projects/ID/reopen.json."""
    project = find_project(call, name)
    authorize(call, "projects/close", project)
    return _set_status(call, project, PROJECT_ACTIVE)


def archive(call: Call, name: str) -> Answer:
    """PUT /projects/ID/archive.json by an admin: gone for everybody."""
    require_admin(call)
    return _set_status(call, find_project(call, name), PROJECT_ARCHIVED)


def unarchive(call: Call, name: str) -> Answer:
    """PUT /projects/ID/unarchive.json by an admin."""
    require_admin(call)
    return _set_status(call, find_project(call, name), PROJECT_ACTIVE)
