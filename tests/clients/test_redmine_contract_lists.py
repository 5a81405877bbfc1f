"""Reference data on the real Redmine and on the demo alike."""

from dataclasses import replace

import pytest

from daemon.clients.errors import NotFound, SourceRefused
from daemon.clients.redmine import RedmineClient
from daemon.clients.values import CustomField, CustomValue, Group, Priority, Ref, Status, User
from tests.redmines import RealRedmine, RedmineUnderTest

EVERYBODY = {"admin", "ann", "bob", "carl", "dora", "eve", "fred", "gina", "hugo", "iris"}


def test_statuses_priorities_and_trackers(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    statuses = admin.statuses()
    assert [(status.name, status.is_closed) for status in statuses] == [
        ("New", False),
        ("In Progress", False),
        ("Resolved", False),
        ("Feedback", False),
        ("Closed", True),
        ("Rejected", True),
    ]
    assert statuses[0] == Status(any_redmine.id_of("status", "New"), "New", is_closed=False)
    priorities = admin.priorities()
    assert [priority.name for priority in priorities] == ["Low", "Normal", "High", "Urgent", "Immediate"]
    normal = Priority(any_redmine.id_of("priority", "Normal"), "Normal", is_default=True, active=True)
    assert [priority for priority in priorities if priority.is_default] == [normal]
    trackers = admin.trackers()
    assert [tracker.name for tracker in trackers] == ["Bug", "Feature", "Support"]
    assert {tracker.default_status for tracker in trackers} == {Ref(statuses[0].id, "New")}
    assert admin.requests_made == 3


def test_everybody_may_read_the_common_lists(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    eve = admin.acting_as("eve")
    assert eve.statuses() == admin.statuses()
    assert eve.priorities() == admin.priorities()
    assert eve.trackers() == admin.trackers()


def test_projects_are_those_one_may_see(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    projects = {project.identifier: project for project in admin.projects()}
    assert set(projects) == {"open", "closed-circle"}
    circle = projects["closed-circle"]
    assert circle.id == any_redmine.id_of("project", "closed-circle")
    assert (circle.name, circle.is_public, circle.status) == ("Закрытый круг", False, 1)
    assert (circle.parent, circle.description) == (None, "")
    assert [project.identifier for project in admin.acting_as("eve").projects()] == ["open"]


@pytest.mark.real
def test_closed_projects_are_listed_and_archived_ones_are_not(
    real_redmine: RealRedmine, real_admin: RedmineClient
) -> None:
    real_redmine.sql("update projects set status = 5 where identifier = 'open'")
    real_redmine.sql("update projects set status = 9 where identifier = 'closed-circle'")
    assert [(project.identifier, project.status) for project in real_admin.projects()] == [("open", 5)]


def test_users_are_the_active_ones(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    users = {user.login: user for user in admin.users()}
    assert set(users) == EVERYBODY
    assert users["bob"] == User(
        any_redmine.id_of("user", "bob"), "bob", "Боб", "Разработчиков", "bob@example.test", is_admin=False
    )
    assert [login for login, user in users.items() if user.is_admin] == ["admin"]
    assert admin.requests_made == 1


def test_custom_fields_of_users_come_with_them(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    fields = [any_redmine.add_user_field(name) for name in ("Phone", "Desk")]
    value = "+7 495 123-45-67 ext 1001"
    any_redmine.update_user("bob", custom_fields=[{"id": fields[0], "value": value}])
    users = {user.login: user for user in admin.users()}
    phone, desk = (CustomValue(n, name, "") for n, name in zip(fields, ("Phone", "Desk"), strict=True))
    assert set(users["ann"].custom_fields) == {phone, desk}
    assert set(users["bob"].custom_fields) == {replace(phone, value=value), desk}
    assert {field.name for field in admin.custom_fields()} == {"Room", "Salary band"}


@pytest.mark.real
def test_more_than_a_page_of_users(real_redmine: RealRedmine, real_admin: RedmineClient) -> None:
    real_redmine.sql(
        "insert into users (login, firstname, lastname, status, type, created_on, updated_on)"
        " select 'many' || n, 'Many', 'N' || n, 1, 'User', localtimestamp, localtimestamp"
        " from generate_series(1, 240) n"
    )
    users = real_admin.users()
    assert len(users) == len({user.id for user in users}) == 250
    assert real_admin.requests_made == 3


def test_groups_and_their_members(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    group_id = any_redmine.id_of("group", "Support team")
    assert admin.groups() == (Ref(group_id, "Support team"),)
    members = frozenset(any_redmine.id_of("user", login) for login in ("fred", "gina"))
    assert admin.group(group_id) == Group(group_id, "Support team", members)
    with pytest.raises(NotFound):
        admin.group(any_redmine.id_of("user", "fred"))


def test_custom_fields(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    room, band = (any_redmine.id_of("custom_field", name) for name in ("Room", "Salary band"))
    assert set(admin.custom_fields()) == {
        CustomField(room, "Room", visible=True, field_format="string"),
        CustomField(band, "Salary band", visible=False, field_format="string"),
    }


def test_lists_for_admins_are_refused_to_others(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    ann = admin.acting_as("ann")
    for refused in (ann.users, ann.groups, ann.custom_fields):
        with pytest.raises(SourceRefused) as caught:
            refused()
        assert caught.value.status == 403


def test_categories_and_versions_of_a_project(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    open_id = any_redmine.id_of("project", "open")
    assert (admin.categories(open_id), admin.versions(open_id)) == ((), ())
    with pytest.raises(NotFound):
        admin.categories(99_999)
    circle = any_redmine.id_of("project", "closed-circle")
    with pytest.raises(SourceRefused):
        admin.acting_as("eve").versions(circle)


@pytest.mark.real
def test_categories_and_versions_come_with_their_names(
    real_redmine: RealRedmine, real_admin: RedmineClient
) -> None:
    open_id = real_redmine.id_of("project", "open")
    with real_redmine.session() as session:
        base = f"{real_redmine.url}/projects/{open_id}"
        category = session.post(
            f"{base}/issue_categories.json", json={"issue_category": {"name": "Принтеры"}}
        )
        version = session.post(f"{base}/versions.json", json={"version": {"name": "1.0"}})
    category_ref = Ref(category.json()["issue_category"]["id"], "Принтеры")
    version_ref = Ref(version.json()["version"]["id"], "1.0")
    assert real_admin.categories(open_id) == (category_ref,)
    assert real_admin.versions(open_id) == (version_ref,)
    issue_id = real_redmine.create_issue("ann", category_id=category_ref.id, fixed_version_id=version_ref.id)
    issue = real_admin.issue(issue_id)
    assert (issue.category, issue.fixed_version) == (category_ref, version_ref)
