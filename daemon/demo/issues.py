"""The issue endpoints: list, read, create, change, delete.

Source: Redmine 5.0.4, app/controllers/issues_controller.rb.
"""

import re
from collections.abc import Iterable
from typing import Any

from daemon.demo import checks, drafts, filters, matching, render, sorting
from daemon.demo.exchange import Answer, Call, StopError
from daemon.demo.guards import authorize, authorize_somewhere, find_issue, find_project, project_of
from daemon.demo.model import PROJECT_ARCHIVED, Attachment, Issue, Project
from daemon.demo.saving import Saving
from daemon.demo.urls import base_url
from daemon.demo.workflow import allowed_statuses


def index(call: Call, project_name: str = "") -> Answer:
    """GET /issues.json: filtered by what the viewer sees; 422 for filter values Redmine refuses."""
    project = _asked_project(call, project_name, "issues/index")
    asked = filters.read(call.request.query, call.viewer, project)
    problems = filters.problems(asked, call.viewer.user.language)
    if problems:
        return Answer.errors(problems)
    tests = [matching.test_of(each, call.viewer) for each in asked]
    if project is not None:
        tests.append(_in_tree(call, project))
    candidates = _candidates(call, asked)
    found = [i for i in candidates if all(t(i) for t in tests) and call.viewer.sees(i)]
    offset, limit = call.page()
    rows = sorting.ordered(call.store, found, call.request.query.get("sort", ""))[offset : offset + limit]
    return Answer.json({
        "issues": [render.index_row(call.viewer, i, call.includes, base_url(call.request)) for i in rows],
        "total_count": len(found),
        "offset": offset,
        "limit": limit,
    })  # fmt: skip


def _asked_project(call: Call, name: str, action: str) -> Project | None:
    name = name or call.request.query.get("project_id", "") or str(call.fields.get("project_id") or "")
    if not name.strip():
        authorize_somewhere(call, action)
        return None
    project = find_project(call, name)
    authorize(call, action, project)
    return project


def _in_tree(call: Call, project: Project) -> matching.Test:
    """The project with its subprojects, as Redmine's default setting lists them."""
    ids = {project.id}
    for other in call.store.projects.values():
        if other.parent_id in ids and other.status != PROJECT_ARCHIVED:
            ids.add(other.id)
    return lambda issue: issue.project_id in ids


def _candidates(call: Call, asked: list[filters.Filter]) -> Iterable[Issue]:
    """Only the issues named, where ids are named: a list of them must not cost a walk through all."""
    issues = call.store.issues
    for each in asked:
        if each.field == "issue_id" and each.operator == "=":
            ids = {int(n) for n in re.findall(r"\d+", each.first)}
            return [issues[i] for i in ids if i in issues]
    return list(issues.values())


def show(call: Call, issue_id: str) -> Answer:
    """GET /issues/ID.json with whatever `include` names."""
    issue = find_issue(call, issue_id)
    authorize(call, "issues/show", project_of(call, issue))
    return Answer.json({"issue": _page(call, issue)})


def _page(call: Call, issue: Issue) -> dict[str, Any]:
    body = render.issue_page(call.viewer, issue, call.includes, base_url(call.request))
    if call.includes("allowed_statuses"):
        allowed = allowed_statuses(call.viewer, issue, issue)
        body["allowed_statuses"] = [render.status_ref(s) for s in allowed]
    return body


def create(call: Call, project_name: str = "") -> Answer:
    """POST /issues.json: 201 with the issue, or 422."""
    project = _asked_project(call, project_name, "issues/create")
    draft = drafts.new(call.viewer, call.section("issue"), project)
    _require_adding(call, draft.issue)
    if any(call.store.principal(w) is None for w in draft.watcher_ids):
        raise StopError(404)
    files, failed = _uploads(call)
    problems = checks.messages(call.viewer, draft, failed)
    if problems:
        return Answer.errors(problems)
    issue = Saving(call.viewer).create(draft, files)
    body = _page(call, issue)
    if project is None:  # Redmine asks for the right in a project it does not have at hand here
        body = {k: v for k, v in body.items() if k not in ("spent_hours", "total_spent_hours")}
    location = f"{base_url(call.request)}/issues/{issue.id}"
    return Answer.json({"issue": body}, 201, ("Location", location))


def _require_adding(call: Call, issue: Issue) -> None:
    project = call.store.projects.get(issue.project_id or 0)
    viewer = call.viewer
    if not (viewer.has("add_issues", project) if project else viewer.has_somewhere("add_issues")):
        raise call.denied()


def update(call: Call, issue_id: str) -> Answer:
    """PUT /issues/ID.json: 204 also when all was silently dropped; 422 with messages, or [] on conflict."""
    issue = find_issue(call, issue_id)
    authorize(call, "issues/update", project_of(call, issue))
    draft = drafts.edit(call.viewer, issue, call.section("issue"))
    files, failed = _uploads(call)
    problems = checks.messages(call.viewer, draft, failed)
    if problems or draft.conflict:
        return Answer.errors(problems)
    Saving(call.viewer).update(draft, files)
    return Answer(204)


def _uploads(call: Call) -> tuple[list[Attachment], int]:
    """The uploaded files named by token, and how many tokens were no good. No right is asked for."""
    given: Any = call.section("issue").get("uploads")
    rows = list(given.values()) if isinstance(given, dict) else given
    files, failed = [], 0
    for row in rows if isinstance(rows, list) else []:
        token = row.get("token") if isinstance(row, dict) else None
        if not token:
            continue
        attachment = _loose_file(call, str(token))
        if attachment is None:
            failed += 1
            continue
        attachment.filename = str(row.get("filename") or attachment.filename)
        attachment.content_type = str(row.get("content_type") or attachment.content_type)
        attachment.description = str(row.get("description") or "").strip()
        files.append(attachment)
    return files, failed


def _loose_file(call: Call, token: str) -> Attachment | None:
    number = token.partition(".")[0]
    found = call.store.attachments.get(int(number)) if number.isdigit() else None
    return found if found is not None and found.token == token and found.issue_id is None else None


def destroy(call: Call, issue_id: str) -> Answer:
    """DELETE /issues/ID.json, subtasks included."""
    issue = find_issue(call, issue_id)
    authorize(call, "issues/destroy", project_of(call, issue))
    Saving(call.viewer).destroy(issue)
    return Answer(204)
