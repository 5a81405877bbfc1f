"""What people and administrators do to a Redmine beyond issues: to the demo and to the real one alike."""

from datetime import timedelta
from typing import Any

from daemon.demo import members
from tests.redmines import RealRedmine, RedmineUnderTest

ACTIVE, ARCHIVED = 1, 9


def call(redmine: RedmineUnderTest, by: str, method: str, path: str, body: object = None) -> Any:
    """Send a request of the REST API; return the decoded answer, None where it is empty."""
    with redmine.session(by) as session:
        answer = session.request(method, redmine.url + path, json=body)
    assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content.strip() else None


def attach(redmine: RedmineUnderTest, by: str, issue_id: int, name: str, **fields: Any) -> int:
    """Add a file to an issue; return its id."""
    with redmine.session(by) as session:
        headers = {"Content-Type": "application/octet-stream"}
        answer = session.post(f"{redmine.url}/uploads.json?filename={name}", data=b"hello", headers=headers)
    token = answer.json()["upload"]["token"]
    upload = {"token": token, "filename": name, "content_type": "text/plain"}
    redmine.update_issue(issue_id, by, uploads=[upload], **fields)
    return max(file["id"] for file in redmine.issue(issue_id, include="attachments")["attachments"])


def detach(redmine: RedmineUnderTest, by: str, file_id: int) -> None:
    """Delete a file."""
    call(redmine, by, "DELETE", f"/attachments/{file_id}.json")


def relate(redmine: RedmineUnderTest, by: str, issue_id: int, other_id: int) -> int:
    """Relate two issues; return the relation's id."""
    body = {"relation": {"issue_to_id": other_id, "relation_type": "relates"}}
    return int(call(redmine, by, "POST", f"/issues/{issue_id}/relations.json", body)["relation"]["id"])


def unrelate(redmine: RedmineUnderTest, by: str, relation_id: int) -> None:
    """Remove a relation."""
    call(redmine, by, "DELETE", f"/relations/{relation_id}.json")


def watch(redmine: RedmineUnderTest, by: str, issue_id: int, login: str) -> None:
    """Let somebody watch an issue."""
    body = {"user_id": redmine.id_of("user", login)}
    call(redmine, by, "POST", f"/issues/{issue_id}/watchers.json", body)


def unwatch(redmine: RedmineUnderTest, by: str, issue_id: int, login: str) -> None:
    """Let somebody watch an issue no longer."""
    call(redmine, by, "DELETE", f"/issues/{issue_id}/watchers/{redmine.id_of('user', login)}.json")


def note(redmine: RedmineUnderTest, by: str, issue_id: int, text: str, **fields: Any) -> int:
    """Write a note; return its journal's id."""
    redmine.update_issue(issue_id, by, notes=text, **fields)
    return max(j["id"] for j in redmine.issue(issue_id)["journals"] if j["notes"] == text)


def edit_note(redmine: RedmineUnderTest, journal_id: int, **fields: Any) -> None:
    """Change a note in place, as an administrator."""
    call(redmine, "admin", "PUT", f"/journals/{journal_id}.json", {"journal": fields})


def backdate(redmine: RedmineUnderTest, issue_id: int, *, hours: int) -> None:
    """Make an issue look created and updated some hours earlier."""
    if isinstance(redmine, RealRedmine):
        times = ", ".join(
            f"{name} = {name} - interval '{hours} hours'" for name in ("created_on", "updated_on")
        )
        redmine.sql(f"UPDATE issues SET {times} WHERE id = %s", issue_id)
        return
    issue = redmine.demo.store.issues[issue_id]
    issue.created_on -= timedelta(hours=hours)
    issue.updated_on -= timedelta(hours=hours)


def end_membership(redmine: RedmineUnderTest, project: str, login: str) -> None:
    """Take somebody out of a project."""
    project_id, user_id = redmine.id_of("project", project), redmine.id_of("user", login)
    if isinstance(redmine, RealRedmine):
        found = "(SELECT id FROM members WHERE project_id = %s AND user_id = %s)"
        redmine.sql(f"DELETE FROM member_roles WHERE member_id IN {found}", project_id, user_id)
        redmine.sql("DELETE FROM members WHERE project_id = %s AND user_id = %s", project_id, user_id)
        return
    store = redmine.demo.store
    mine = [m for m in store.members.values() if (m.project_id, m.principal_id) == (project_id, user_id)]
    members.remove_member(store, mine[0])


def set_project(redmine: RedmineUnderTest, project: str, **columns: object) -> None:
    """Rename (`name`), archive or bring back (`status`) a project."""
    project_id = redmine.id_of("project", project)
    for name, value in columns.items():
        if isinstance(redmine, RealRedmine):
            redmine.sql(f"UPDATE projects SET {name} = %s WHERE id = %s", value, project_id)
        else:
            setattr(redmine.demo.store.projects[project_id], name, value)


def set_user(redmine: RedmineUnderTest, who: str, **columns: object) -> None:
    """Rename (`login`), lock (`status` 3) somebody, or give or take their administrator's right (`admin`)."""
    user_id = redmine.id_of("user", who)
    for name, value in columns.items():
        if isinstance(redmine, RealRedmine):
            redmine.sql(f"UPDATE users SET {name} = %s WHERE id = %s", value, user_id)
        else:
            setattr(redmine.demo.store.users[user_id], name, value)


def revoke_key(redmine: RedmineUnderTest, login: str) -> None:
    """Replace somebody's API key by one that nobody knows."""
    if isinstance(redmine, RealRedmine):
        user_id = redmine.id_of("user", login)
        redmine.sql("UPDATE tokens SET value = reverse(value) WHERE action = 'api' AND user_id = %s", user_id)
    else:
        redmine.demo.revoke_key(login, redmine.key(login)[::-1])


def restore_key(redmine: RedmineUnderTest, login: str) -> None:
    """Give somebody their known API key back."""
    if isinstance(redmine, RealRedmine):
        revoke_key(redmine, login)
    else:
        redmine.demo.revoke_key(login, redmine.key(login))


def set_rest(redmine: RedmineUnderTest, *, is_on: bool) -> None:
    """Switch the REST API off or on again."""
    if not isinstance(redmine, RealRedmine):
        redmine.demo.disable_rest(disabled=not is_on)
        return
    # Each worker keeps the settings until `updated_on` passes the moment when it read them.
    redmine.sql(
        "UPDATE settings SET value = %s, updated_on = localtimestamp + interval '2 seconds' "
        "WHERE name = 'rest_api_enabled'",
        "1" if is_on else "0",
    )
