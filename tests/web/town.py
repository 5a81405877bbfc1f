"""A viewer whose people have accounts in a Redmine, and what they do there."""

import io
from typing import Any

from pydantic import SecretStr

from daemon.clients.redmine import RedmineClient
from daemon.clients.settings import RedmineSettings
from storage import reference
from tests.redmines import RedmineUnderTest
from tests.web.house import House

LINKED = ("ann", "bob", "carl", "dora", "eve", "gina", "hugo", "iris")
STATUSES = ("New", "In Progress", "Resolved", "Feedback", "Closed", "Rejected")
PRIORITIES = ("Low", "Normal", "High", "Urgent", "Immediate")
CLOSED = frozenset({"Closed", "Rejected"})


def inhabited(house: House, redmine: RedmineUnderTest) -> House:
    """Let people of tests/world.json in, and tell the viewer what the daemon would have stored."""
    for login in LINKED:
        number = redmine.id_of("user", login)
        house.add_user(login, redmine_login=login, id_redmine_user=number, language="en")
    house.add_user("nobody", language="en")
    with house.database.write() as session:
        reference.save_statuses(
            session,
            [
                {
                    "id": redmine.id_of("status", name),
                    "name": name,
                    "is_closed": name in {"Closed", "Rejected"},
                }
                for name in ("New", "In Progress", "Resolved", "Feedback", "Closed", "Rejected")
            ],
        )
        reference.save_priorities(
            session,
            [
                {"id": redmine.id_of("priority", name), "name": name, "is_default": False, "is_active": True}
                for name in PRIORITIES
            ],
        )
        reference.save_groups(session, {redmine.id_of("group", "Support team"): "Support team"}, {})
    return house


def task(house: House, login: str, issue_id: int) -> Any:
    """Return a task as the API tells it to somebody."""
    answer = house.browser(login).api(f"/tasks/api/task/{issue_id}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def client(redmine: RedmineUnderTest, login: str) -> RedmineClient:
    return RedmineClient(RedmineSettings(url=redmine.url), api_key=SecretStr(redmine.key(login)))


def attach(redmine: RedmineUnderTest, login: str, issue_id: int, name: str, content: bytes, kind: str) -> int:
    """Attach a file as somebody; return its id."""
    me = client(redmine, login)
    token = me.upload(name, io.BytesIO(content), len(content))
    upload = {"token": token, "filename": name, "content_type": kind}
    me.update_issue(issue_id, {"uploads": [upload]})
    found = me.issue(issue_id).attachments or ()
    me.close()
    return found[-1].id
