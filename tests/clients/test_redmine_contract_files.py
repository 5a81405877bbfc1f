"""Files sent to Redmine and fetched, and what tells who may do what. Real Redmine and demo alike."""

import io

import pytest
from pydantic import SecretStr

from daemon.clients.errors import NotFound, Rejected, SourceRefused
from daemon.clients.redmine import RedmineClient
from daemon.clients.settings import RedmineSettings
from tests.redmines import RedmineUnderTest

NAME = "Снимок экрана №1.png"
CONTENT = bytes(range(256)) * 4096  # a megabyte, more than one piece


def attach(me: RedmineClient, issue_id: int, name: str = NAME, content: bytes = CONTENT) -> int:
    """Attach a file and return its id."""
    token = me.upload(name, io.BytesIO(content), len(content))
    me.update_issue(issue_id, {"uploads": [{"token": token, "filename": name}]})
    return (me.issue(issue_id).attachments or ())[-1].id


def fetched(me: RedmineClient, attachment_id: int) -> tuple[int | None, bytes]:
    with me.download(attachment_id) as download:
        return download.size, b"".join(download.pieces)


def test_a_file_comes_back_as_it_was_sent(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    issue_id = any_redmine.create_issue("ann")
    bob = admin.acting_as("bob")
    file_id = attach(bob, issue_id)
    (file,) = bob.issue(issue_id).attachments or ()
    assert (file.filename, file.filesize) == (NAME, len(CONTENT))
    assert file.author is not None
    assert file.author.id == any_redmine.id_of("user", "bob")
    assert fetched(admin.acting_as("carl"), file_id) == (len(CONTENT), CONTENT)


def test_a_hidden_issues_file_is_refused(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    issue_id = any_redmine.create_issue("ann", project="closed-circle")
    file_id = attach(admin.acting_as("ann"), issue_id)
    with pytest.raises(SourceRefused) as caught, admin.acting_as("carl").download(file_id):
        pass
    assert caught.value.status == 403
    with pytest.raises(NotFound), admin.acting_as("ann").download(99_999):
        pass


def test_a_redirect_to_the_login_page_is_no_file(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    issue_id = any_redmine.create_issue("ann", project="closed-circle")
    file_id = attach(admin.acting_as("ann"), issue_id)
    nobody = RedmineClient(RedmineSettings(url=any_redmine.url), api_key=SecretStr("0" * 40))
    with pytest.raises(SourceRefused) as caught, nobody.download(file_id):
        pass
    assert caught.value.status == 302
    nobody.close()


def test_a_file_that_is_too_large_is_turned_down_in_the_users_language(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    content = bytes(6 * 1024 * 1024)
    with pytest.raises(Rejected) as caught:
        admin.acting_as("bob").upload("big.bin", io.BytesIO(content), len(content))
    assert "файл" in caught.value.messages[0].lower()


def test_ones_standing_names_the_roles_in_each_project(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    standing = admin.acting_as("gina").standing()
    assert standing.account.login == "gina"
    developer = any_redmine.id_of("role", "Developer")
    assert standing.roles == {
        any_redmine.id_of("project", "open"): {developer},
        any_redmine.id_of("project", "closed-circle"): {developer},
    }
    assert admin.acting_as("eve").standing().roles == {}


def test_a_role_says_what_it_allows(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    eve = admin.acting_as("eve")
    given = {role.name: role.id for role in eve.roles()}
    assert "Non member" not in given
    confidant, reporter = eve.role(given["Confidant"]), eve.role(given["Reporter"])
    assert {"set_notes_private", "edit_issues", "add_issue_notes"} <= confidant.permissions
    assert "edit_issues" not in reporter.permissions
    assert reporter.assignable
    assert eve.role(1).name == "Non member"


def test_members_are_users_and_groups(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    found = admin.acting_as("bob").memberships(any_redmine.id_of("project", "open"))
    members = {membership.member.id: membership for membership in found}
    group = members[any_redmine.id_of("group", "Support team")]
    assert (group.is_group, group.member.name) == (True, "Support team")
    gina = members[any_redmine.id_of("user", "gina")]
    assert (gina.is_group, gina.role_ids) == (False, group.role_ids)
    assert any_redmine.id_of("user", "luke") in members, "locked members are listed too"


def test_a_profile_hides_what_redmine_hides(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    bob = any_redmine.id_of("user", "bob")
    profile = admin.acting_as("carl").profile(bob)
    assert (profile.name, profile.mail) == ("Боб Разработчиков", None)
    assert admin.profile(bob).mail == "bob@example.test"
    with pytest.raises(NotFound):
        admin.acting_as("carl").profile(any_redmine.id_of("group", "Support team"))
