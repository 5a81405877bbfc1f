"""The poll, end to end: a change in Redmine to rows in the inboxes it concerns."""

from tests.daemon.conftest import Engine


def test_first_run_is_a_baseline_that_tells_nobody(engine: Engine) -> None:
    assert [engine.inbox(login) for login in ("ann", "bob")] == [[], []]


def test_a_new_issue_tells_its_assignee_and_not_its_author(engine: Engine) -> None:
    bob = engine.server.id_of("user", "bob")
    issue = engine.server.create_issue("ann", subject="Printer on fire", assigned_to_id=bob)
    engine.poll()
    [told] = engine.inbox("bob")
    assert (told.type, told.issue_id, told.reasons) == ("new_issue", issue, ["assignee"])
    assert told.message == f"Issue #{issue} was created: Printer on fire"
    assert engine.inbox("ann") == []


def test_one_journal_is_one_notification_with_all_its_details(engine: Engine) -> None:
    bob = engine.server.id_of("user", "bob")
    issue = engine.server.create_issue("ann", subject="Printer", assigned_to_id=bob)
    engine.poll()
    status = engine.server.id_of("status", "In Progress")
    priority = engine.server.id_of("priority", "High")
    engine.server.update_issue(issue, "bob", status_id=status, priority_id=priority, notes="On it")
    engine.poll()
    [told] = engine.inbox("ann")
    assert (told.type, told.old_status, told.new_status) == ("status_change", "New", "In Progress")
    assert {d["field"]: (d["old"], d["new"]) for d in told.details} == {
        "status": ("New", "In Progress"),
        "priority": ("Normal", "High"),
    }
    assert told.notes == "On it"
    assert len(engine.inbox("bob")) == 1


def test_polling_again_tells_nothing_twice(engine: Engine) -> None:
    bob = engine.server.id_of("user", "bob")
    engine.server.create_issue("ann", assigned_to_id=bob)
    for _ in range(3):
        engine.poll()
    assert len(engine.inbox("bob")) == 1


def test_group_assignee_is_expanded_and_says_so(engine: Engine) -> None:
    group = engine.server.id_of("group", "Support team")
    engine.server.create_issue("ann", assigned_to_id=group)
    engine.poll()
    assert [told.reasons for told in engine.inbox("fred")] == [["group_assignee"]]
    assert [told.reasons for told in engine.inbox("gina")] == [["group_assignee"]]


def test_private_note_reaches_only_those_who_may_read_it(engine: Engine) -> None:
    carl = engine.server.id_of("user", "carl")  # a Reporter: sees the issue, not its private notes
    issue = engine.server.create_issue("hugo", assigned_to_id=carl)
    engine.poll()
    engine.server.update_issue(issue, "ann", notes="Between us", private_notes=True)
    engine.poll()
    assert [told.notes for told in engine.inbox("hugo")] == ["Between us"]
    assert [told.type for told in engine.inbox("carl")] == ["new_issue"]


def test_idle_cycle_is_one_request(engine: Engine) -> None:
    for _ in range(3):
        engine.poll(after_s=100)
    before = engine.poll_job.source.requests_made
    for _ in range(5):
        engine.poll(after_s=1)
    assert engine.poll_job.source.requests_made - before == 5


def test_two_changes_within_one_second_are_both_told(engine: Engine) -> None:
    bob = engine.server.id_of("user", "bob")
    issue = engine.server.create_issue("ann", assigned_to_id=bob)
    told: list[str] = []
    for number in range(6):  # several tries, so that some pair shares a second
        engine.server.update_issue(issue, "ann", notes=f"first {number}")
        engine.poll(after_s=0)
        engine.server.update_issue(issue, "ann", notes=f"second {number}")
        engine.poll(after_s=0)
        told += [f"first {number}", f"second {number}"]
    engine.poll()
    engine.poll(after_s=100)
    assert [row.notes for row in engine.inbox("bob") if row.notes] == told
