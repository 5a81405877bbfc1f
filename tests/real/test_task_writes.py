"""What is changed in the viewer is told by the daemon: to the others, once, and never to who did it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import snapshots
from storage.models import Notification, User
from tests.real.hand_driven import HandDriven
from tests.redmines import RealRedmine
from tests.web.house import House
from web import create_app
from web.settings import AuthSettings, ViewerSettings, WebSettings


@pytest.fixture
def both(real_redmine: RealRedmine, tmp_path: Path) -> Iterator[tuple[HandDriven, House]]:
    """A daemon that runs when told, its first run done, and a viewer on the same database."""
    daemon = HandDriven(real_redmine, tmp_path)
    daemon.run(daemon.poll_job)
    settings = ViewerSettings(
        daemon.database.settings, WebSettings(), AuthSettings(backends=("redmine",)), daemon.settings
    )
    app = create_app(settings, daemon.database)
    app.testing = True
    house = House(app, daemon.database)
    yield daemon, house
    house.live.stop()
    daemon.close()


def told(daemon: HandDriven) -> list[tuple[str, str]]:
    """Return (who, what) of all notifications."""
    query = sa.select(User.username, Notification.type).join(User, User.id == Notification.user_id)
    with daemon.database.read() as session:
        return sorted((name, kind) for name, kind in session.execute(query))


def put(house: House, login: str, issue_id: int, what: str, **fields: Any) -> None:
    answer = house.browser(login).api(f"/tasks/api/task/{issue_id}/{what}", "PUT", json=fields)
    assert answer.status_code == 200, answer.text


def test_the_others_are_told_and_the_actor_is_not(
    both: tuple[HandDriven, House], real_redmine: RealRedmine
) -> None:
    daemon, house = both
    bob = real_redmine.id_of("user", "bob")
    issue_id = real_redmine.create_issue("ann", assigned_to_id=bob)
    daemon.poll()
    assert told(daemon) == [("bob", "new_issue")]
    put(house, "bob", issue_id, "status", status_id=real_redmine.id_of("status", "In Progress"))
    put(house, "bob", issue_id, "priority", priority_id=real_redmine.id_of("priority", "Urgent"))
    with daemon.database.read() as session:
        row = snapshots.load_issues(session, [issue_id])[issue_id]
    assert (row["status_name"], row["priority_name"]) == ("In Progress", "Urgent")
    for _ in range(3):
        daemon.poll()
    assert told(daemon) == [("ann", "priority_change"), ("ann", "status_change"), ("bob", "new_issue")]
    journal = real_redmine.issue(issue_id)["journals"][-1]
    assert journal["user"]["name"] == "Боб Разработчиков"


def test_a_task_that_was_changed_before_the_daemon_saw_it_is_still_news(
    both: tuple[HandDriven, House], real_redmine: RealRedmine
) -> None:
    daemon, house = both
    gina = real_redmine.id_of("user", "gina")
    issue_id = real_redmine.create_issue("ann", assigned_to_id=real_redmine.id_of("user", "bob"))
    put(house, "bob", issue_id, "assignee", assignee_id=gina, comment="Вам")
    for _ in range(2):
        daemon.poll()
    assert told(daemon) == [("ann", "assigned"), ("bob", "new_issue"), ("gina", "assigned")]
