"""Who is told of a change, and why."""

import pytest

from daemon.recipients import address, principals, type_for, why
from daemon.values import Addressed, Concerned, Directory, Person
from tests.daemon.samples import ANN, BOB, CARL, DORA, EVE, SUPPORT, change, member

GROUPS = {SUPPORT.id: frozenset({DORA.id, EVE.id})}
EVERYBODY = tuple(member(ref) for ref in (ANN, BOB, CARL, DORA, EVE))


def reasons(concerned: Concerned, login: str, source_id: int) -> tuple[str, ...]:
    who = member(ANN, login)
    return why(concerned, type(who)(1, source_id, login, "en"), Directory((), GROUPS))


@pytest.mark.parametrize(
    ("concerned", "expected"),
    [
        (Concerned(), ()),
        (Concerned(assignee=CARL.id), ()),
        (Concerned(assignee=DORA.id), ("assignee",)),
        (Concerned(assignee=SUPPORT.id), ("group_assignee",)),
        (Concerned(previous_assignee=DORA.id), ("previous_assignee",)),
        (Concerned(previous_assignee=SUPPORT.id), ("previous_assignee",)),
        (Concerned(author=DORA.id), ("author",)),
        (Concerned(author=SUPPORT.id), ()),
        (Concerned(watchers=frozenset({DORA.id, CARL.id})), ("watcher",)),
        (Concerned(watchers=frozenset({SUPPORT.id})), ("watcher",)),
        (Concerned(mentioned=frozenset({"dora"})), ("mentioned",)),
        (Concerned(mentioned=frozenset({"support team", "carl"})), ()),
        (Concerned(assignee=99, previous_assignee=98, watchers=frozenset({97})), ()),
        (
            Concerned(DORA.id, SUPPORT.id, DORA.id, frozenset({DORA.id}), frozenset({"dora"})),
            ("mentioned", "assignee", "previous_assignee", "author", "watcher"),
        ),
        (
            Concerned(SUPPORT.id, DORA.id, None, frozenset({SUPPORT.id})),
            ("group_assignee", "previous_assignee", "watcher"),
        ),
    ],
    ids=[
        "nobody",
        "somebody-else",
        "assignee",
        "through-a-group",
        "previous-assignee",
        "previous-assignee-through-a-group",
        "author",
        "a-group-writes-nothing",
        "watcher",
        "watcher-through-a-group",
        "mentioned",
        "others-mentioned",
        "unknown-ids",
        "every-reason-heaviest-first",
        "group-and-self",
    ],
)
def test_the_reasons_why_a_change_concerns_a_member(concerned: Concerned, expected: tuple[str, ...]) -> None:
    assert reasons(concerned, "dora", DORA.id) == expected


@pytest.mark.parametrize("login", ["dora", "Dora", "DORA"])
def test_a_mention_finds_its_login_whatever_the_case(login: str) -> None:
    assert reasons(Concerned(mentioned=frozenset({"dora"})), login, DORA.id) == ("mentioned",)


def test_a_member_of_two_groups_is_told_once() -> None:
    groups = {20: frozenset({DORA.id}), 21: frozenset({DORA.id})}
    concerned = Concerned(assignee=20, watchers=frozenset({21}))
    told = address([change(concerned=concerned)], Directory(EVERYBODY, groups))
    assert [(a.member.login, a.reasons) for a in told] == [("dora", ("group_assignee", "watcher"))]


def test_the_actor_is_never_told_whatever_the_reason() -> None:
    everything = Concerned(BOB.id, BOB.id, BOB.id, frozenset({BOB.id}), frozenset({"боб"}))
    assert address([change(concerned=everything)], Directory(EVERYBODY, GROUPS)) == ()


def test_the_actors_group_is_told_without_the_actor() -> None:
    made = change(concerned=Concerned(assignee=SUPPORT.id), actor=Person(DORA.id, "Dora"))
    assert [a.member.login for a in address([made], Directory(EVERYBODY, GROUPS))] == ["eve"]


def test_of_what_nobody_did_everybody_concerned_is_told() -> None:
    made = change(concerned=Concerned(ANN.id, None, BOB.id), actor=Person(0, ""))
    assert [a.member.login for a in address([made], Directory(EVERYBODY))] == ["ann", "боб"]


def test_two_of_our_users_with_one_account_are_both_told_and_neither_as_the_actor() -> None:
    twins = (member(ANN, user_id=1), member(ANN, user_id=2))
    told = address([change(concerned=Concerned(author=ANN.id))], Directory(twins))
    assert [a.member.user_id for a in told] == [1, 2]
    own = change(concerned=Concerned(author=ANN.id), actor=Person(ANN.id, "Ann"))
    assert address([own], Directory(twins)) == ()


def test_changes_keep_their_order_and_each_is_told_to_all_it_concerns() -> None:
    first = change(key="a", concerned=Concerned(ANN.id, None, CARL.id))
    second = change(key="b", concerned=Concerned(CARL.id))
    told = address([first, second], Directory(EVERYBODY))
    assert [(a.change.key, a.member.login) for a in told] == [("a", "ann"), ("a", "carl"), ("b", "carl")]


def test_without_changes_or_without_members_nobody_is_told() -> None:
    assert address([], Directory(EVERYBODY)) == ()
    assert address([change(concerned=Concerned(ANN.id))], Directory(())) == ()


def test_ids_that_may_be_groups_are_assignees_and_watchers() -> None:
    made = [
        change(concerned=Concerned(1, 2, 3, frozenset({4, 5}), frozenset({"x"}))),
        change(concerned=Concerned(None, None, 6)),
        change(concerned=Concerned(1)),
    ]
    assert principals(made) == {1, 2, 4, 5}
    assert principals([]) == frozenset()


@pytest.mark.parametrize(
    ("kind", "why_told", "expected"),
    [
        ("status_change", ("author",), "status_change"),
        ("status_change", ("mentioned", "author"), "mention"),
        ("updated", ("mentioned",), "mention"),
        ("new_issue", ("mentioned",), "new_issue"),
        ("issue_deleted", ("mentioned",), "issue_deleted"),
    ],
)
def test_being_mentioned_outweighs_what_else_changed(
    kind: str, why_told: tuple[str, ...], expected: str
) -> None:
    assert type_for(Addressed(change(type=kind), member(ANN), why_told)) == expected
