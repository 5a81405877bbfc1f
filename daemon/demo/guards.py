"""Find what a path names and make sure that the viewer may have it: Redmine's before_actions."""

from daemon.demo.exchange import Call, StopError
from daemon.demo.model import PROJECT_ACTIVE, Issue, Project


def authorize(call: Call, action: str, project: Project) -> None:
    """Raise 403 (or 401 for the anonymous) unless the action is open to the viewer in the project."""
    if call.viewer.may(action, project):
        return
    raise StopError(403) if project.status != PROJECT_ACTIVE else call.denied()


def authorize_somewhere(call: Call, action: str) -> None:
    """The same without a project: any of the viewer's roles will do."""
    if not call.viewer.may_somewhere(action):
        raise call.denied()


def require_admin(call: Call) -> None:
    """401 for the anonymous, 403 for all other people who are no admins."""
    if not call.viewer.user.logged:
        raise call.login_required()
    if not call.viewer.user.admin:
        raise StopError(403)


def find_project(call: Call, name: str) -> Project:
    """By id or identifier; 404 when there is none, whatever the viewer may see."""
    for project in call.store.projects.values():
        if (str(project.id) if name.isdigit() else project.identifier) == name:
            return project
    raise StopError(404)


def find_issue(call: Call, issue_id: str) -> Issue:
    """404 for no such issue, 403 (401) for one that the viewer may not see."""
    issue = call.store.issues.get(int(issue_id))
    if issue is None:
        raise StopError(404)
    if not call.viewer.sees(issue):
        raise call.denied()
    return issue


def project_of(call: Call, issue: Issue) -> Project:
    return call.store.projects[issue.project_id or 0]
