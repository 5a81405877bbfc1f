"""Names for the ids that journals hold, with as few requests as there can be."""

import pytest

from daemon.clients.errors import NotFound, SourceRefused, SourceUnavailable
from daemon.clients.values import CustomField, Group, Issue, JournalDetail, Ref, User
from daemon.redmine.names import NameBook
from tests.daemon.samples import ANN, BOB, CARL, SUPPORT, attr, field, file, issue, journal, relation
from tests.fakes import FakeRedmine

PEOPLE = tuple(User(ref.id, ref.name.lower(), ref.name, "Last", None, False) for ref in (ANN, BOB, CARL))
TEAM = Group(SUPPORT.id, "Support team", frozenset({ANN.id, BOB.id}))


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def book(redmine: FakeRedmine, clock: Clock | None = None) -> NameBook:
    return NameBook(redmine, clock or Clock())


def test_what_issues_carry_is_known_without_asking() -> None:
    redmine = FakeRedmine()
    names = book(redmine)
    seen = issue(
        assigned_to=SUPPORT,
        category=Ref(1, "Printers"),
        fixed_version=Ref(4, "1.0"),
        watchers=(CARL,),
        journals=(journal(1, user=BOB),),
    )
    names.learn([seen])
    names.complete(
        seen,
        [
            attr("status_id", "1", "1"),
            attr("assigned_to_id", "5", "20"),
            attr("category_id", None, "1"),
            attr("fixed_version_id", "4", None),
            attr("project_id", "1", "1"),
            attr("tracker_id", "1", "1"),
            attr("priority_id", "2", "2"),
        ],
    )
    assert redmine.asked.total() == 0
    assert names.names["principal", BOB.id] == "Боб"
    assert names.names["principal", CARL.id] == "Carl"
    assert names.names["version", 4] == "1.0"


def test_a_renamed_thing_has_the_name_of_the_latest_issue() -> None:
    names = book(FakeRedmine())
    names.learn([issue(status=Ref(1, "New")), issue(status=Ref(1, "Fresh"))])
    assert names.names["status", 1] == "Fresh"


@pytest.mark.parametrize(
    ("detail", "call", "key", "name"),
    [
        (attr("status_id", "1", "2"), "statuses", ("status", 2), "In Progress"),
        (attr("priority_id", "2", None), "priorities", ("priority", 2), "Normal"),
        (attr("tracker_id", "1", None), "trackers", ("tracker", 1), "Bug"),
        (attr("project_id", None, "1"), "projects", ("project", 1), "Open project"),
        (attr("assigned_to_id", None, "5"), "users", ("principal", 5), "Ann Last"),
        (attr("category_id", None, "11"), "categories 1", ("category", 11), "Category of 1"),
        (attr("fixed_version_id", None, "11"), "versions 1", ("version", 11), "Version of 1"),
    ],
    ids=lambda value: value.name if isinstance(value, JournalDetail) else "",
)
def test_a_missing_name_is_asked_for_once(
    detail: JournalDetail, call: str, key: tuple[str, int], name: str
) -> None:
    redmine = FakeRedmine(people=PEOPLE)
    names = book(redmine)
    for _ in range(3):
        names.complete(issue(), [detail, detail])
    assert redmine.asked == {call: 1}
    assert names.names[key] == name


@pytest.mark.parametrize(
    "detail",
    [
        attr("subject", "1", "2"),
        attr("parent_id", "1", "2"),
        attr("status_id", None, ""),
        attr("status_id", "x", "-1"),
        file(1, None, "a"),
        relation("relates", None, "5"),
        field("x", "1", "2"),
    ],
    ids=lambda detail: f"{detail.property}-{detail.name}",
)
def test_what_holds_no_id_is_not_asked_for(detail: JournalDetail) -> None:
    redmine = FakeRedmine()
    book(redmine).complete(issue(), [detail])
    assert redmine.asked.total() == 0


def test_a_name_that_the_list_does_not_have_is_not_asked_for_again_within_a_minute() -> None:
    redmine, clock = FakeRedmine(), Clock()
    names = book(redmine, clock)
    for second in (0, 1, 59, 60, 61):
        clock.now = 1000.0 + second
        names.complete(issue(), [attr("status_id", None, "99")])
    assert redmine.asked == {"statuses": 2}


def test_lists_of_a_project_are_asked_for_each_project() -> None:
    redmine = FakeRedmine()
    names = book(redmine)
    for number in (1, 2):
        names.complete(issue(project=Ref(number, "P")), [attr("fixed_version_id", None, f"{number}1")])
    assert redmine.asked == {"versions 1": 1, "versions 2": 1}


def test_custom_fields_have_their_name_and_the_names_of_what_they_hold() -> None:
    fields = (CustomField(1, "Room", True, "string"), CustomField(2, "Owner", True, "user"))
    redmine = FakeRedmine(people=PEOPLE, fields=fields)
    names = book(redmine)
    names.complete(issue(), [field(1, "12", "14"), field(2, "", "6")])
    assert redmine.asked == {"custom_fields": 1, "users": 1}
    assert names.names["custom_field", 1] == "Room"
    assert names.names["principal", 6] == "Боб Last"


def test_a_list_that_cannot_be_had_is_an_error_and_is_asked_for_again() -> None:
    redmine = FakeRedmine(fails={"statuses": SourceUnavailable("away")})
    names = book(redmine)
    for _ in range(2):
        with pytest.raises(SourceUnavailable):
            names.complete(issue(), [attr("status_id", None, "2")])
    redmine.fails.clear()
    names.complete(issue(), [attr("status_id", None, "2")])
    assert names.names["status", 2] == "In Progress"


# --- groups -----------------------------------------------------------------------------------------


def test_a_group_is_expanded_as_it_is_now() -> None:
    redmine = FakeRedmine(people=PEOPLE, teams={SUPPORT.id: TEAM})
    names = book(redmine)
    assert names.members({SUPPORT.id, ANN.id}) == {SUPPORT.id: frozenset({ANN.id, BOB.id})}
    redmine.teams[SUPPORT.id] = Group(SUPPORT.id, "Support team", frozenset({CARL.id}))
    assert names.members({SUPPORT.id}) == {SUPPORT.id: frozenset({CARL.id})}
    assert redmine.asked == {"users": 1, f"group {SUPPORT.id}": 2}
    assert names.names["principal", SUPPORT.id] == "Support team"


def test_people_are_known_to_be_no_groups_from_what_they_wrote() -> None:
    redmine = FakeRedmine()
    names = book(redmine)
    names.learn([issue(author=ANN, journals=(journal(1, user=BOB),))])
    assert names.members({ANN.id, BOB.id}) == {}
    assert names.members(frozenset()) == {}
    assert redmine.asked.total() == 0


def test_somebody_locked_or_gone_is_no_group_and_asked_for_once_a_minute() -> None:
    redmine, clock = FakeRedmine(people=PEOPLE), Clock()
    names = book(redmine, clock)
    for second in (0, 1, 59, 61):
        clock.now = 1000.0 + second
        assert names.members({77}) == {}
    assert redmine.asked["group 77"] == 2


@pytest.mark.parametrize(
    ("error", "is_raised"),
    [
        (NotFound("gone"), False),
        (SourceRefused("forbidden", status=403), False),
        (SourceRefused("dead key", status=401), True),
        (SourceUnavailable("away"), True),
    ],
    ids=["gone", "forbidden", "dead-key", "away"],
)
def test_only_a_plain_no_means_that_it_is_no_group(error: Exception, is_raised: bool) -> None:
    redmine = FakeRedmine(fails={"group": error})  # type: ignore[dict-item]
    names = book(redmine)
    if is_raised:
        with pytest.raises(type(error)):
            names.members({SUPPORT.id})
    else:
        assert names.members({SUPPORT.id}) == {}


def test_learning_from_several_threads_loses_nothing() -> None:
    import threading

    names = book(FakeRedmine())
    issues = [[issue(n, status=Ref(n, f"S{n}")) for n in range(k, 2000, 4)] for k in range(4)]
    threads = [threading.Thread(target=names.learn, args=(part,)) for part in issues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(names.names["status", n] == f"S{n}" for n in range(2000))


def test_an_issue_without_journals_or_watchers_is_learnt_from_too() -> None:
    names = book(FakeRedmine())
    bare: Issue = issue(journals=None, watchers=None)
    names.learn([bare])
    assert names.names["status", 1] == "New"
