"""No list holds a task that Redmine would not show its reader."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from daemon.clients.errors import ImpersonationRefused, SourceUnavailable, WrongAnswer
from storage import tasks
from storage.models import TaskRight
from storage.tasks import Filter
from tests.web.house import House
from tests.web.snapshot import ACCOUNT, GROUP, TODAY, SeeingRedmine, issue, lay_ground, save, use
from web.people import Person, person_of
from web.tasks.rights import REST_S, Checked

AWAY = SourceUnavailable("no answer")


@pytest.fixture
def ann(house: House) -> Person:
    lay_ground(house)
    user_id = house.add_user("ann", redmine_login="ann", id_redmine_user=ACCOUNT)
    return person_of(house.user(user_id))


def look(house: House, who: Person) -> tuple[list[int], Checked]:
    """Return the ids that a list would hold now."""
    with house.app.app_context():
        checked = house.viewer.task_rights.check(who)
    with house.database.read() as session:
        order = tasks.ordered("id", descending=False)
        rows = tasks.listed(session, checked.scope, Filter(TODAY), order, limit=100)
        return [row.id for row in rows], checked


def age(house: House, **change: Any) -> None:
    """Make all that Redmine said older."""
    with house.database.write() as session:
        for right in session.scalars(sa.select(TaskRight)):
            right.checked_at -= change["by"]


def test_one_task_of_each_kind_answers_for_all(house: House, ann: Person) -> None:
    rows = [issue(i) for i in range(1, 30)]
    save(house, *rows, issue(30, is_private=True), issue(31, assigned_to_id=GROUP), issue(32, tracker_id=2))
    redmine = use(house, SeeingRedmine(hidden={30}))
    ids, checked = look(house, ann)
    assert ids == [*range(1, 30), 31, 32]
    assert redmine.asked == [[29, 30, 31, 32]]
    assert redmine.logins == ["ann"]
    assert (checked.unconfirmed, checked.state) == (0, "ok")
    assert look(house, ann)[0] == ids
    assert len(redmine.asked) == 1, "what was said a moment ago is not asked again"


def test_a_single_hidden_task_does_not_hide_its_kind(house: House, ann: Person) -> None:
    save(house, *[issue(i) for i in range(1, 10)])
    redmine = use(house, SeeingRedmine(hidden={9, 7}))
    ids, checked = look(house, ann)
    assert ids == [1, 2, 3, 4, 5, 6, 8]
    assert checked.unconfirmed == 0
    assert redmine.asked == [[9], [5, 6, 7, 8, 9]]
    look(house, ann)
    assert len(redmine.asked) == 4, "as long as it is so, it is asked again"


def test_a_kind_of_which_none_is_seen_is_hidden(house: House, ann: Person) -> None:
    save(house, *[issue(i) for i in range(1, 20)], issue(20, project_id=2))
    use(house, SeeingRedmine(hidden=set(range(1, 20))))
    assert look(house, ann)[0] == [20]


def test_authors_see_more_so_anothers_task_is_asked_about(house: House, ann: Person) -> None:
    save(house, issue(1), issue(2, author_id=ACCOUNT))
    redmine = use(house, SeeingRedmine())
    look(house, ann)
    assert redmine.asked == [[1]]


@pytest.mark.parametrize("error", [AWAY, WrongAnswer("html")])
def test_what_redmine_never_spoke_of_is_not_shown(house: House, ann: Person, error: Any) -> None:
    save(house, issue(1), issue(2))
    use(house, SeeingRedmine(error=error))
    ids, checked = look(house, ann)
    assert (ids, checked.unconfirmed, checked.state) == ([], 2, "away")


def test_its_word_stands_for_a_while_where_it_is_away(house: House, ann: Person) -> None:
    save(house, issue(1), issue(2, project_id=2))
    redmine = use(house, SeeingRedmine(hidden={2}), rights_fresh_s=60, rights_valid_s=900)
    look(house, ann)
    save(house, issue(3, tracker_id=3))
    redmine.error = AWAY
    age(house, by=timedelta(minutes=14))
    ids, checked = look(house, ann)
    assert (ids, checked.unconfirmed) == ([1], 1)
    age(house, by=timedelta(minutes=2))
    ids, checked = look(house, ann)
    assert (ids, checked.unconfirmed) == ([], 3)


def test_a_right_that_was_lost_hides_what_was_shown(house: House, ann: Person) -> None:
    save(house, issue(1))
    redmine = use(house, SeeingRedmine(), rights_fresh_s=0)
    assert look(house, ann)[0] == [1]
    redmine.hidden = {1}
    assert look(house, ann)[0] == []


def test_while_it_is_away_nobody_waits_for_it_again(house: House, ann: Person) -> None:
    save(house, issue(1))
    redmine = use(house, SeeingRedmine(error=AWAY))
    look(house, ann)
    look(house, ann)
    assert len(redmine.logins) == 1
    redmine.error, redmine.now = None, redmine.now + REST_S
    assert look(house, ann)[0] == [1]


def test_a_slow_redmine_ends_the_questions_and_the_rest_is_not_shown(house: House, ann: Person) -> None:
    save(house, *[issue(i, project_id=i) for i in range(1, 121)])
    redmine = use(house, SeeingRedmine(slow_s=2.0))
    ids, checked = look(house, ann)
    assert len(redmine.asked) == 2
    assert (len(ids), checked.unconfirmed) == (100, 20)


def test_a_locked_account_is_shown_nothing_at_once(house: House, ann: Person) -> None:
    save(house, issue(1))
    redmine = use(house, SeeingRedmine(), rights_fresh_s=0)
    look(house, ann)
    redmine.error = ImpersonationRefused("locked", status=412)
    ids, checked = look(house, ann)
    assert (ids, checked.state) == ([], "refused")


def test_an_answer_as_somebody_else_is_none(house: House, ann: Person) -> None:
    """A key that lost its admin's rights: Redmine answers as to its owner, whomever we act as."""
    save(house, issue(1))
    redmine = use(house, SeeingRedmine(account_id=1))
    ids, checked = look(house, ann)
    assert (ids, checked.state, redmine.asked) == ([], "away", [])


def test_a_login_that_cannot_be_one_is_refused(house: House, ann: Person) -> None:
    save(house, issue(1))
    redmine = use(house, SeeingRedmine())
    redmine.acting_as = lambda _login: (_ for _ in ()).throw(ValueError("not a login"))  # type: ignore[method-assign,assignment]
    assert look(house, replace(ann, redmine_login="Ы"))[1].state == "refused"


def test_who_has_no_tasks_asks_nothing(house: House, ann: Person) -> None:
    redmine = use(house, SeeingRedmine())
    assert look(house, ann)[0] == []
    assert redmine.logins == []
