"""What Redmine's `updated_on` never tells of, where nothing else happens that would make us look."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.hand_driven import HandDriven
from tests.redmines import RealRedmine

pytestmark = pytest.mark.long


@pytest.fixture
def daemon(real_redmine: RealRedmine, tmp_path: Path) -> Iterator[HandDriven]:
    made = HandDriven(real_redmine, tmp_path)
    yield made
    made.close()


def relate(redmine: RealRedmine, one: int, other: int) -> int:
    with redmine.session("ann") as session:
        body = {"relation": {"issue_to_id": other, "relation_type": "relates"}}
        answer = session.post(f"{redmine.url}/issues/{one}/relations.json", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["relation"]["id"])


def journal_keys(redmine: RealRedmine, issue: int) -> list[str]:
    rows = redmine.sql("select id from journals where journalized_id = %s order by id", issue)
    return [f"redmine:journal:{number}" for (number,) in rows]


def test_a_relation_of_the_newest_issue_is_told_although_nothing_else_happens(
    real_redmine: RealRedmine, daemon: HandDriven
) -> None:
    bob = real_redmine.id_of("user", "bob")
    other = real_redmine.create_issue("ann")
    newest = real_redmine.create_issue("ann", assigned_to_id=bob)
    daemon.settle()
    relate(real_redmine, newest, other)
    daemon.poll()
    daemon.reconcile()
    (key,) = journal_keys(real_redmine, newest)
    assert (key, "bob") in daemon.told()


def test_a_relation_made_and_removed_between_two_looks_is_told(
    real_redmine: RealRedmine, daemon: HandDriven
) -> None:
    bob = real_redmine.id_of("user", "bob")
    other = real_redmine.create_issue("ann")
    issue = real_redmine.create_issue("ann", assigned_to_id=bob)
    daemon.settle()
    relation = relate(real_redmine, issue, other)
    with real_redmine.session("ann") as session:
        assert session.delete(f"{real_redmine.url}/relations/{relation}.json").status_code == 204
    daemon.reconcile()
    made, removed = journal_keys(real_redmine, issue)
    assert {(made, "bob"), (removed, "bob")} <= set(daemon.told())


def test_relations_of_long_ago_are_no_news_when_their_issue_is_read_for_the_first_time(
    real_redmine: RealRedmine, daemon: HandDriven
) -> None:
    bob = real_redmine.id_of("user", "bob")
    other = real_redmine.create_issue("ann")
    issue = real_redmine.create_issue("ann", assigned_to_id=bob)
    for _ in range(2):
        relation = relate(real_redmine, issue, other)
        with real_redmine.session("ann") as session:
            session.delete(f"{real_redmine.url}/relations/{relation}.json")
    real_redmine.sql(
        "update issues set updated_on = localtimestamp - interval '9 days' where id = any(%s)", [issue, other]
    )
    real_redmine.sql("update journals set created_on = localtimestamp - interval '5 days'")
    real_redmine.create_issue("ann")
    daemon.settle()
    daemon.reconcile()
    assert daemon.told() == []
    real_redmine.update_issue(issue, "ann", notes="Now this is news")
    daemon.poll()
    *_, news = journal_keys(real_redmine, issue)
    assert daemon.told() == [(news, "bob")]
