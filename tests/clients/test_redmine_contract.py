"""Issues as the client reads them, on the real Redmine and on the demo alike."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from daemon.clients.errors import NotFound, SourceRefused
from daemon.clients.redmine import RedmineClient
from daemon.clients.values import CustomValue, Issue, Journal, JournalDetail, Ref, Relation
from daemon.demo.server import DemoRedmine
from tests.clients.conftest import client_of
from tests.redmines import RealRedmine, RedmineUnderTest

SOON = timedelta(minutes=2)


def ids_of(issues: tuple[Issue, ...]) -> list[int]:
    return [issue.id for issue in issues]


def journals_of(issue: Issue) -> tuple[Journal, ...]:
    assert issue.journals is not None
    return issue.journals


def relate(redmine: RedmineUnderTest, issue_id: int, other_id: int, by: str = "admin") -> None:
    with redmine.session(by) as session:
        relation = {"issue_to_id": other_id, "relation_type": "relates"}
        answer = session.post(f"{redmine.url}/issues/{issue_id}/relations.json", json={"relation": relation})
    assert answer.status_code == 201, answer.text


def attach(redmine: RedmineUnderTest, issue_id: int, name: str, content: bytes, by: str = "ann") -> None:
    with redmine.session(by) as session:
        uploaded = session.post(
            f"{redmine.url}/uploads.json",
            params={"filename": name},
            data=content,
            headers={"Content-Type": "application/octet-stream"},
        )
        assert uploaded.status_code == 201, uploaded.text
        upload = {
            "token": uploaded.json()["upload"]["token"],
            "filename": name,
            "content_type": "text/plain",
            "description": "see inside",
        }
    assert redmine.update_issue(issue_id, by, uploads=[upload]) == 204


def test_an_issue_comes_with_everything_it_has(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    redmine = any_redmine
    parent = redmine.create_issue("ann", subject="The whole floor")
    other = redmine.create_issue("ann")
    issue_id = redmine.create_issue(
        "ann",
        subject="Принтер горит",
        description="It burns.\nBring water.",
        tracker_id=redmine.id_of("tracker", "Support"),
        priority_id=redmine.id_of("priority", "Urgent"),
        assigned_to_id=redmine.id_of("group", "Support team"),
        parent_issue_id=parent,
        start_date="2026-01-02",
        due_date="2026-02-03",
        estimated_hours=5.5,
        custom_fields=[{"id": redmine.id_of("custom_field", "Room"), "value": "2024-05-05"}],
        watcher_user_ids=[redmine.id_of("user", "carl")],
    )
    relate(redmine, issue_id, other)
    attach(redmine, issue_id, "отчёт.txt", b"12345")
    issue = admin.issue(issue_id)

    ann = Ref(redmine.id_of("user", "ann"), "Ann Manager")
    assert issue.id == issue_id
    assert issue.subject == "Принтер горит"
    assert issue.description.split() == ["It", "burns.", "Bring", "water."]
    assert issue.project == Ref(redmine.id_of("project", "open"), "Open project")
    assert issue.tracker == Ref(redmine.id_of("tracker", "Support"), "Support")
    assert issue.status == Ref(redmine.id_of("status", "New"), "New")
    assert issue.priority == Ref(redmine.id_of("priority", "Urgent"), "Urgent")
    assert issue.author == ann
    assert issue.assigned_to == Ref(redmine.id_of("group", "Support team"), "Support team")
    assert (issue.category, issue.fixed_version, issue.parent_id) == (None, None, parent)
    assert issue.is_private is False
    assert (issue.start_date, issue.due_date) == (date(2026, 1, 2), date(2026, 2, 3))
    assert (issue.done_ratio, issue.estimated_hours) == (0, 5.5)
    assert abs(issue.created_on - datetime.now(UTC)) < SOON
    assert issue.created_on <= issue.updated_on
    assert issue.closed_on is None
    room, band = (redmine.id_of("custom_field", name) for name in ("Room", "Salary band"))
    assert issue.custom_fields == (
        CustomValue(room, "Room", "2024-05-05"), CustomValue(band, "Salary band", "")
    )  # fmt: skip
    # Redmine makes everybody who writes to an issue watch it, unless he prefers otherwise.
    assert issue.watchers is not None
    assert {watcher.name for watcher in issue.watchers} == {"Ann Manager", "Carl Reporter", "Redmine Admin"}
    assert issue.relations is not None
    # Redmine stores a relation without direction from the lower id.
    assert [(r.issue_id, r.issue_to_id, r.relation_type) for r in issue.relations] == [
        (other, issue_id, "relates")
    ]
    assert issue.attachments is not None
    (file,) = issue.attachments
    assert (file.filename, file.filesize, file.content_type) == ("отчёт.txt", 5, "text/plain")
    assert (file.author, file.description) == (ann, "see inside")
    related, attached = journals_of(issue)
    assert related.details == (JournalDetail("relation", "relates", None, str(other)),)
    assert attached.details == (JournalDetail("attachment", str(file.id), None, "отчёт.txt"),)
    assert attached.user == ann
    assert (attached.notes, attached.private_notes) == ("", False)
    assert issue.allowed_statuses is None


def test_what_was_not_asked_for_is_not_there(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    issue = admin.issue(any_redmine.create_issue("ann"), include=())
    assert (issue.journals, issue.watchers, issue.attachments, issue.relations) == (None,) * 4
    bare = admin.issue(issue.id)
    assert (bare.journals, bare.attachments, bare.relations) == ((),) * 3
    assert bare.assigned_to is None
    assert bare.description == ""


def test_a_journal_keeps_all_details_as_redmine_writes_them(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    redmine = any_redmine
    issue_id = redmine.create_issue("ann", start_date="2026-01-02", due_date="2026-02-03")
    bob, progress = redmine.id_of("user", "bob"), redmine.id_of("status", "In Progress")
    room = redmine.id_of("custom_field", "Room")
    redmine.update_issue(
        issue_id,
        "ann",
        notes="Ready?\nGo.",
        status_id=progress,
        assigned_to_id=bob,
        due_date="",
        done_ratio=30,
        is_private=True,
        custom_fields=[{"id": room, "value": "205"}],
    )
    redmine.update_issue(issue_id, "ann", custom_fields=[{"id": room, "value": ""}])
    first, second = journals_of(admin.issue(issue_id))
    assert first.notes.split() == ["Ready?", "Go."]
    assert set(first.details) == {
        JournalDetail("attr", "status_id", str(redmine.id_of("status", "New")), str(progress)),
        JournalDetail("attr", "assigned_to_id", None, str(bob)),
        JournalDetail("attr", "due_date", "2026-02-03", None),
        JournalDetail("attr", "done_ratio", "0", "30"),
        JournalDetail("attr", "is_private", "0", "1"),
        JournalDetail("cf", str(room), first_of(first, "cf").old_value, "205"),
    }
    assert second.details == (JournalDetail("cf", str(room), "205", second.details[0].new_value),)
    assert not second.details[0].new_value
    assert first.id < second.id
    assert first.created_on <= second.created_on


def first_of(journal: Journal, kind: str) -> JournalDetail:
    return next(detail for detail in journal.details if detail.property == kind)


def test_a_private_note_with_a_change_makes_two_journals(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    redmine = any_redmine
    issue_id = redmine.create_issue("ann")
    redmine.update_issue(issue_id, "hugo", notes="Secret.", private_notes=True, done_ratio=50)
    changed, noted = journals_of(admin.issue(issue_id))
    assert (changed.notes, changed.private_notes) == ("", False)
    assert changed.details == (JournalDetail("attr", "done_ratio", "0", "50"),)
    assert (noted.notes, noted.private_notes, noted.details) == ("Secret.", True, ())


def test_a_file_and_a_relation_of_many_are_in_the_list_too(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    issue_id, other = any_redmine.create_issue("ann"), any_redmine.create_issue("ann")
    relate(any_redmine, issue_id, other)
    attach(any_redmine, issue_id, "a.txt", b"1")
    page = admin.list_issues(include=("attachments", "relations"), sort="id")
    first, second = page.issues
    assert first.attachments is not None
    assert [file.filename for file in first.attachments] == ["a.txt"]
    assert second.attachments == ()
    assert first.relations == second.relations
    assert first.relations is not None
    assert [isinstance(relation, Relation) for relation in first.relations] == [True]
    assert (first.journals, first.watchers) == (None, None)
    plain = admin.list_issues(sort="id").issues[0]
    assert (plain.attachments, plain.relations) == (None, None)


def test_closed_issues_are_listed_and_deleted_ones_are_gone(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    redmine = any_redmine
    first, second, third = (redmine.create_issue("ann") for _ in range(3))
    redmine.update_issue(second, "ann", status_id=redmine.id_of("status", "Closed"))
    redmine.delete_issue(third)
    assert ids_of(admin.list_issues(sort="id").issues) == [first, second]
    assert admin.issue(second).closed_on is not None
    with pytest.raises(NotFound, match=f"/issues/{third}.json"):
        admin.issue(third)
    assert admin.visible_ids([first, second, third, 99_999]) == {first, second}
    assert admin.count_issues((1, 99_999)) == 2
    assert admin.count_issues((second, second)) == 1
    assert admin.count_issues((third, 99_999)) == 0


def test_ids_and_ranges_filter(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    ids = [any_redmine.create_issue("ann") for _ in range(4)]
    assert ids_of(admin.list_issues(ids=[ids[3], ids[1]], sort="id").issues) == [ids[1], ids[3]]
    assert ids_of(admin.list_issues(id_range=(ids[1], ids[2]), sort="id:desc").issues) == [ids[2], ids[1]]
    a_hundred = [*ids, *range(50_000, 50_096)]
    assert admin.list_issues(ids=a_hundred).total_count == 4


def test_pages_are_cut_by_offset_and_limit(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    ids = [any_redmine.create_issue("ann") for _ in range(5)]
    page = admin.list_issues(sort="id", offset=2, limit=2)
    assert ids_of(page.issues) == ids[2:4]
    assert (page.total_count, page.offset, page.limit) == (5, 2, 2)
    beyond = admin.list_issues(sort="id", offset=50)
    assert (beyond.issues, beyond.total_count) == ((), 5)


def test_what_a_user_watches_is_listed(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    carl = any_redmine.id_of("user", "carl")
    watched = any_redmine.create_issue("ann", watcher_user_ids=[carl])
    any_redmine.create_issue("ann")
    assert ids_of(admin.list_issues(watcher_id=carl).issues) == [watched]


def test_updated_since_is_inclusive_and_up_to_a_second_generous(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    issue = admin.issue(any_redmine.create_issue("ann"))

    def since(seconds: float) -> int:
        return admin.list_issues(updated_since=issue.updated_on + timedelta(seconds=seconds)).total_count

    assert (since(-3600), since(-1), since(0), since(0.9), since(2), since(3600)) == (1, 1, 1, 1, 0, 0)


FRACTIONS = pytest.mark.parametrize(("fraction", "within"), [("00.000001", 1), ("00.400000", 1), ("00", 0)])


@FRACTIONS
def test_the_demo_has_the_same_generous_second(fraction: str, within: int, world: dict[str, Any]) -> None:
    now = datetime.fromisoformat(f"2026-05-05T10:00:{fraction}+00:00")
    with DemoRedmine(world, now=lambda: now) as demo:
        redmine = RedmineUnderTest("demo", demo.url, demo=demo)
        client = client_of(redmine)
        shown = client.issue(redmine.create_issue("ann")).updated_on
        assert shown == datetime(2026, 5, 5, 10, tzinfo=UTC)
        assert client.list_issues(updated_since=shown).total_count == 1
        assert client.list_issues(updated_since=shown + timedelta(seconds=1)).total_count == within
        client.close()


@pytest.mark.real
@FRACTIONS
def test_the_generous_second_is_open_at_its_lower_end(
    fraction: str, within: int, real_redmine: RealRedmine, real_admin: RedmineClient
) -> None:
    issue_id = real_redmine.create_issue("ann")
    # The server keeps local time: the zone of the test server is applied to a time given in UTC.
    _store_updated_on(real_redmine, issue_id, f"2026-05-05 10:00:{fraction}+00")
    shown = real_admin.issue(issue_id).updated_on
    assert shown == datetime(2026, 5, 5, 10, tzinfo=UTC)
    assert real_admin.list_issues(updated_since=shown).total_count == 1
    assert real_admin.list_issues(updated_since=shown + timedelta(seconds=1)).total_count == within


def _store_updated_on(redmine: RealRedmine, issue_id: int, moment: str) -> None:
    zone = redmine.sql("select current_setting('TimeZone')")[0][0]
    redmine.sql(
        "update issues set updated_on = %s::timestamptz at time zone %s where id = %s",
        moment,
        zone,
        issue_id,
    )


def test_ties_of_updated_on_are_sorted_by_id_on_the_demo_too(world: dict[str, Any]) -> None:
    now = datetime(2026, 5, 5, 10, tzinfo=UTC)
    with DemoRedmine(world, now=lambda: now) as demo:
        redmine = RedmineUnderTest("demo", demo.url, demo=demo)
        ids = [redmine.create_issue("ann") for _ in range(5)]
        now -= timedelta(milliseconds=100)
        redmine.update_issue(ids[4], "ann", notes="earlier, by the clock")
        client = client_of(redmine)
        assert ids_of(client.list_issues().issues) == [ids[4], *ids[:4]]
        assert ids_of(client.list_issues(offset=2, limit=2).issues) == ids[1:3]
        client.close()


@pytest.mark.real
def test_ties_of_updated_on_are_sorted_by_id(real_redmine: RealRedmine, real_admin: RedmineClient) -> None:
    ids = [real_redmine.create_issue("ann") for _ in range(5)]
    for issue_id in ids:
        _store_updated_on(real_redmine, issue_id, "2026-05-05 10:00:00+00")
    _store_updated_on(real_redmine, ids[4], "2026-05-05 09:59:59.9+00")
    assert ids_of(real_admin.list_issues().issues) == [ids[4], *ids[:4]]
    assert ids_of(real_admin.list_issues(offset=2, limit=2).issues) == ids[1:3]


def test_the_list_comes_oldest_change_first(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    ids = [any_redmine.create_issue("ann") for _ in range(3)]
    any_redmine.update_issue(ids[0], "ann", notes="again")
    assert ids_of(admin.list_issues().issues) == [ids[1], ids[2], ids[0]]


@pytest.mark.real
def test_journals_are_sorted_for_one_who_prefers_the_newest_first(
    real_redmine: RealRedmine, real_admin: RedmineClient
) -> None:
    issue_id = real_redmine.create_issue("ann")
    for note in ("one", "two", "three"):
        real_redmine.update_issue(issue_id, "ann", notes=note)
    bob = real_redmine.id_of("user", "bob")
    real_redmine.sql(
        "update user_preferences set others = %s where user_id = %s", "---\n:comments_sorting: desc\n", bob
    )
    raw = real_redmine.issue(issue_id, by="bob")["journals"]
    assert [journal["notes"] for journal in raw] == ["three", "two", "one"]
    journals = journals_of(real_admin.acting_as("bob").issue(issue_id))
    assert [journal.notes for journal in journals] == ["one", "two", "three"]


READS: dict[str, Callable[[RedmineClient, int], object]] = {
    "issue": lambda client, issue_id: client.issue(issue_id),
    "with nothing": lambda client, issue_id: client.issue(issue_id, include=()),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_hidden_issue_is_refused_and_a_missing_one_not_found(
    read: Callable[[RedmineClient, int], object], any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    hidden = any_redmine.create_issue("ann", project="closed-circle")
    with pytest.raises(SourceRefused) as caught:
        read(admin.acting_as("eve"), hidden)
    assert caught.value.status == 403
    with pytest.raises(NotFound):
        read(admin.acting_as("eve"), hidden + 1000)
