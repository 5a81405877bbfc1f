"""What each user is shown, and what happens to what he writes. Real Redmine and demo alike."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from daemon.clients.errors import NotFound, Rejected, SourceRefused
from daemon.clients.redmine import RedmineClient
from daemon.clients.values import Issue, JournalDetail
from tests.clients.conftest import client_of
from tests.clients.test_redmine_contract import journals_of, relate
from tests.redmines import RedmineUnderTest

LOGINS = ("ann", "bob", "carl", "dora", "eve", "fred", "gina", "hugo", "iris")


def who_sees(admin: RedmineClient, issue_id: int) -> set[str]:
    """By the check of many and by the issue itself, which must agree."""
    return {login for login in LOGINS if _sees(admin.acting_as(login), issue_id)}


def _sees(me: RedmineClient, issue_id: int) -> bool:
    if me.visible_ids([issue_id]):
        return me.issue(issue_id, include=()).id == issue_id
    with pytest.raises(SourceRefused) as caught:
        me.issue(issue_id)
    assert caught.value.status == 403
    return False


def test_a_public_issue_is_seen_by_all_but_one_who_sees_only_his_own(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    assert who_sees(admin, any_redmine.create_issue("ann")) == set(LOGINS) - {"dora"}


def test_an_issue_of_a_private_project_is_seen_by_its_members(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    issue_id = any_redmine.create_issue("ann", project="closed-circle")
    assert who_sees(admin, issue_id) == {"ann", "bob", "fred", "gina", "hugo"}


def test_a_private_issue_is_seen_by_author_assignee_and_those_who_see_all(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    carl = any_redmine.id_of("user", "carl")
    issue_id = any_redmine.create_issue("bob", is_private=True, watcher_user_ids=[carl])
    any_redmine.update_issue(issue_id, "admin", is_private=True)
    assert admin.issue(issue_id).is_private is True
    assert who_sees(admin, issue_id) == {"ann", "bob", "iris"}
    any_redmine.update_issue(issue_id, "admin", assigned_to_id=carl)
    assert who_sees(admin, issue_id) == {"ann", "bob", "carl", "iris"}


def test_a_groups_issue_is_its_members_own(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    issue_id = any_redmine.create_issue("ann")
    group = any_redmine.id_of("group", "Support team")
    any_redmine.update_issue(issue_id, "admin", is_private=True, assigned_to_id=group)
    assert who_sees(admin, issue_id) == {"ann", "fred", "gina", "iris"}


def test_one_who_sees_only_his_own_sees_what_is_his(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    mine = any_redmine.create_issue("dora")
    given = any_redmine.create_issue("ann", assigned_to_id=any_redmine.id_of("user", "dora"))
    other = any_redmine.create_issue("ann")
    dora = admin.acting_as("dora")
    assert dora.visible_ids([mine, given, other]) == {mine, given}
    assert dora.count_issues((1, 99_999)) == 2
    assert {issue.id for issue in dora.list_issues().issues} == {mine, given}


def notes_seen_by(admin: RedmineClient, login: str, issue_id: int) -> list[str]:
    return [journal.notes for journal in journals_of(admin.acting_as(login).issue(issue_id))]


def test_a_private_note_is_seen_by_those_with_the_right(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    issue_id = any_redmine.create_issue("ann")
    any_redmine.update_issue(issue_id, "hugo", notes="secret", private_notes=True)
    any_redmine.update_issue(issue_id, "hugo", notes="open")
    seeing = {login for login in ("ann", "bob", "carl", "eve", "fred", "hugo", "iris", "admin")
              if notes_seen_by(admin, login, issue_id) == ["secret", "open"]}  # fmt: skip
    assert seeing == {"ann", "bob", "fred", "hugo", "iris", "admin"}
    assert notes_seen_by(admin, "carl", issue_id) == ["open"]


def test_a_hidden_fields_change_is_left_out_and_an_empty_journal_too(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    issue_id = any_redmine.create_issue("ann")
    band = any_redmine.id_of("custom_field", "Salary band")
    new = [{"id": band, "value": "A"}]
    any_redmine.update_issue(issue_id, "ann", custom_fields=new, done_ratio=10)
    any_redmine.update_issue(issue_id, "ann", custom_fields=[{"id": band, "value": "B"}])

    def details_for(login: str) -> list[set[str]]:
        journals = journals_of(admin.acting_as(login).issue(issue_id))
        return [{detail.property for detail in journal.details} for journal in journals]

    assert details_for("hugo") == details_for("ann") == details_for("admin") == [{"attr", "cf"}, {"cf"}]
    assert details_for("carl") == details_for("bob") == [{"attr"}]
    fields = {login: [field.name for field in admin.acting_as(login).issue(issue_id).custom_fields]
              for login in ("carl", "hugo")}  # fmt: skip
    assert fields == {"carl": ["Room"], "hugo": ["Room", "Salary band"]}


def test_a_relation_to_a_hidden_issue_is_left_out(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    shown = any_redmine.create_issue("ann")
    hidden = any_redmine.create_issue("ann", is_private=True)
    relate(any_redmine, shown, hidden)
    iris, carl = (admin.acting_as(login).issue(shown) for login in ("iris", "carl"))
    assert (len(iris.relations or ()), carl.relations) == (1, ())
    assert [d.name for journal in journals_of(iris) for d in journal.details] == ["relates"]
    assert journals_of(carl) == ()


def test_watchers_are_shown_to_those_with_the_right(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    carl = any_redmine.id_of("user", "carl")
    issue_id = any_redmine.create_issue("ann", watcher_user_ids=[carl])
    assert carl in {watcher.id for watcher in admin.acting_as("ann").issue(issue_id).watchers or ()}
    assert admin.acting_as("carl").issue(issue_id).watchers is None


def test_statuses_allowed_to_each(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    issue_id = any_redmine.create_issue("ann", tracker_id=any_redmine.id_of("tracker", "Bug"))

    def allowed(login: str) -> set[str]:
        statuses = admin.acting_as(login).issue(issue_id, include=("allowed_statuses",)).allowed_statuses
        return {status.name for status in statuses or ()}

    everything = {"New", "In Progress", "Resolved", "Feedback", "Closed", "Rejected"}
    assert allowed("ann") == allowed("admin") == everything
    assert "Resolved" in allowed("bob")
    assert "Rejected" not in allowed("bob")
    assert allowed("carl") == {"New", "Closed"}


def test_what_a_user_may_change_is_changed_as_him(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    issue_id = any_redmine.create_issue("ann")
    progress = any_redmine.id_of("status", "In Progress")
    admin.acting_as("bob").update_issue(issue_id, {"status_id": progress, "notes": "Начал", "done_ratio": 10})
    issue = admin.issue(issue_id)
    assert (issue.status.name, issue.done_ratio) == ("In Progress", 10)
    (journal,) = journals_of(issue)
    assert (journal.user.id, journal.notes) == (any_redmine.id_of("user", "bob"), "Начал")


def state(issue: Issue) -> tuple[object, ...]:
    return (issue.subject, issue.status, issue.priority, issue.assigned_to, issue.is_private)


def test_what_a_user_may_not_change_is_dropped_without_a_word(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    """Why every write must be followed by a read."""
    issue_id = any_redmine.create_issue("ann")
    before = state(admin.issue(issue_id))
    wishes: dict[str, object] = {
        "status_id": any_redmine.id_of("status", "Closed"),
        "priority_id": any_redmine.id_of("priority", "Urgent"),
        "assigned_to_id": any_redmine.id_of("user", "bob"),
        "subject": "Mine now",
        "is_private": True,
        "no_such_field": 1,
    }
    for name, value in wishes.items():
        admin.acting_as("carl").update_issue(issue_id, {name: value})
    admin.update_issue(issue_id, {"status_id": 999})
    issue = admin.issue(issue_id)
    assert state(issue) == before
    assert journals_of(issue) == ()
    admin.acting_as("carl").update_issue(issue_id, {**wishes, "notes": "only this"})
    issue = admin.issue(issue_id)
    assert state(issue) == before
    assert [(journal.notes, journal.details) for journal in journals_of(issue)] == [("only this", ())]


def test_a_private_note_of_one_without_the_right_is_saved_for_all_to_see(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    """Why the right must be checked before."""
    issue_id = any_redmine.create_issue("ann")
    admin.acting_as("carl").update_issue(issue_id, {"notes": "between us", "private_notes": True})
    (journal,) = journals_of(admin.issue(issue_id))
    assert (journal.notes, journal.private_notes) == ("between us", False)


def test_an_assignee_is_set_and_taken_away(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    issue_id = any_redmine.create_issue("ann")
    bob = admin.acting_as("bob")
    bob.update_issue(issue_id, {"assigned_to_id": "me"})
    assert (admin.issue(issue_id).assigned_to or issue_id) == admin.issue(issue_id, ()).assigned_to
    me = any_redmine.id_of("user", "bob")
    bob.update_issue(issue_id, {"assigned_to_id": ""})
    issue = admin.issue(issue_id)
    assert issue.assigned_to is None
    assert [journal.details for journal in journals_of(issue)] == [
        (JournalDetail("attr", "assigned_to_id", None, str(me)),),
        (JournalDetail("attr", "assigned_to_id", str(me), None),),
    ]


@pytest.mark.parametrize(
    ("login", "message"), [("bob", "Тема не может быть пустым"), ("ann", "Subject cannot be blank")]
)
def test_a_rejection_is_in_the_acting_users_language(
    login: str, message: str, any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    issue_id = any_redmine.create_issue("ann")
    with pytest.raises(Rejected) as caught:
        admin.acting_as(login).update_issue(issue_id, {"subject": ""})
    assert caught.value.messages == (message,)
    assert message in str(caught.value)


def test_all_messages_of_a_rejection_are_kept(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    issue_id = any_redmine.create_issue("ann")
    eve = any_redmine.id_of("user", "eve")
    with pytest.raises(Rejected) as caught:
        admin.acting_as("ann").update_issue(issue_id, {"subject": "x" * 256, "assigned_to_id": eve})
    assert set(caught.value.messages) == {
        "Subject is too long (maximum is 255 characters)",
        "Assignee is invalid",
    }
    assert journals_of(admin.issue(issue_id)) == ()


def test_nobody_writes_to_what_he_cannot_see(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    issue_id = any_redmine.create_issue("ann", project="closed-circle")
    with pytest.raises(SourceRefused) as caught:
        admin.acting_as("eve").update_issue(issue_id, {"notes": "hello"})
    assert caught.value.status == 403
    with pytest.raises(NotFound):
        admin.acting_as("eve").update_issue(issue_id + 1000, {"notes": "hello"})
    assert journals_of(admin.issue(issue_id)) == ()


def test_notes_of_many_at_once_are_all_saved_exactly_once(any_redmine: RedmineUnderTest) -> None:
    """The real one answers most of these with a conflict at first, which the client must repeat."""
    issue_id = any_redmine.create_issue("ann")
    admin = client_of(any_redmine, retries=10)
    logins = ("ann", "bob", "hugo")

    def write(login: str) -> None:
        me = admin.acting_as(login)
        for n in range(4):
            me.update_issue(issue_id, {"notes": f"{login} {n}"})

    with ThreadPoolExecutor(len(logins)) as threads:
        for done in [threads.submit(write, login) for login in logins]:
            done.result()
    assert any_redmine.kind == "demo" or admin.requests_made > 12
    notes = [journal.notes for journal in journals_of(admin.issue(issue_id))]
    assert sorted(notes) == sorted(f"{login} {n}" for login in logins for n in range(4))
    admin.close()
