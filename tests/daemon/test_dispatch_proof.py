"""What is about to be sent is shown to its reader by Redmine itself: the demo one and the real one."""

from collections.abc import Iterator

import pytest

from daemon.clients.errors import SourceError
from daemon.dispatch_loading import load
from daemon.dispatch_proof import RedmineProof
from daemon.dispatch_values import Due
from daemon.redmine.connection import RedmineConnection
from storage import deliveries
from tests.daemon import deeds
from tests.daemon.conftest import Engine
from tests.daemon.test_reconcile import make_issue


@pytest.fixture
def proof(engine: Engine) -> Iterator[RedmineProof]:
    proof = RedmineProof(RedmineConnection(engine.settings, 90.0))
    yield proof
    proof.close()


def waiting(engine: Engine, *logins: str) -> list[Due]:
    """Return what these people were told, oldest first, as the dispatcher loads it."""
    told = [row for login in logins for row in engine.inbox(login)]
    rows = [
        {"notification_id": row.id, "channel": "email", "lane": "email", "next_attempt_at": row.recorded_at}
        for row in told
    ]
    with engine.database.write() as session:
        assert deliveries.record(session, [{"device": "", **row} for row in rows]) == len(told)
        return load(session, range(1, 1 + len(told)), {})


def types(dues: list[Due], shown: frozenset[int]) -> list[tuple[str, str]]:
    """Return who may still see what."""
    return sorted(
        (due.member.login, due.parcel.news.type)
        for due in dues
        if due.member is not None and due.parcel.news.id in shown
    )


def test_only_what_each_may_still_see_is_confirmed(engine: Engine, proof: RedmineProof) -> None:
    issue = make_issue(engine, to="dora", project="closed-circle")
    other = make_issue(engine, to="dora")
    deeds.watch(engine.server, "ann", issue, "bob")
    engine.poll()
    public = deeds.note(engine.server, "ann", issue, "For all")
    engine.poll()
    deeds.note(engine.server, "ann", issue, "For some", private_notes=True)
    engine.poll()
    dues = waiting(engine, "bob", "dora")
    assert types(dues, proof.shown(dues)) == [
        ("bob", "new_issue"),
        ("bob", "note_added"),
        ("bob", "note_added"),
        ("dora", "new_issue"),
        ("dora", "new_issue"),
        ("dora", "note_added"),
    ]

    deeds.edit_note(engine.server, public, private_notes=True)
    shown = types(dues, proof.shown(dues))
    assert ("dora", "note_added") not in shown, "what was said to all has become private"
    assert shown.count(("bob", "note_added")) == 2

    deeds.end_membership(engine.server, "closed-circle", "dora")
    deeds.set_user(engine.server, "bob", status=3)
    shown_ids = proof.shown(dues)
    assert types(dues, shown_ids) == [("dora", "new_issue")]
    [left] = [due for due in dues if due.parcel.news.id in shown_ids]
    assert left.parcel.news.issue_id == other


def test_without_an_administrators_key_nothing_is_confirmed(engine: Engine, proof: RedmineProof) -> None:
    """It would be answered as its owner, whoever we act as."""
    make_issue(engine)
    engine.poll()
    dues = waiting(engine, "bob")
    assert proof.shown(dues)
    deeds.set_user(engine.server, "admin", admin=False)
    with pytest.raises(SourceError):
        proof.shown(dues)


def test_that_an_issue_was_deleted_is_told_whoever_asks(engine: Engine, proof: RedmineProof) -> None:
    issue = make_issue(engine)
    engine.poll()
    engine.settle()
    engine.server.delete_issue(issue)
    engine.reconcile()
    engine.reconcile()
    dues = waiting(engine, "bob")
    assert [(due.parcel.news.type, due.told) for due in dues] == [("issue_deleted", None)]
    assert proof.shown(dues) == frozenset()
