"""Nobody is told, or goes on being shown, what Redmine itself would not show them; and nobody is left out.

One scenario of roles, projects and private things (`matrix_cases`) is played on a Redmine. What each person
should have been told is worked out from the scenario's own table (who has to do with an issue) and from that
person's own reading of it over Redmine's API (`matrix_eyes`: what they may see), never by the product's code.
Then rights are taken away (`matrix_losses`), and nothing may go on being shown that Redmine would not show.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from daemon.clients.redmine import RedmineClient
from storage import jobs, migrate, users
from storage.models import Notification
from storage.session import Database
from storage.settings import StorageSettings
from tests.daemon.conftest import Engine
from tests.real.matrix_cases import CASES, EVERYBODY, LATE, SEEN, TOLD, Case, place
from tests.real.matrix_eyes import Expected, Eyes, Reading
from tests.real.matrix_losses import LOSSES, Loss, happen, hide_project, project
from tests.real.matrix_play import ACTIVE, LOCKED, MARK, Play
from tests.redmines import RedmineUnderTest
from tests.services.processes import wait_until
from web.people import person_of
from web.rights import Rights

QUIET_S = 100.0
T = TypeVar("T")
Rows = dict[tuple[str, str], Notification]


@pytest.fixture
def engine(any_redmine: RedmineUnderTest, tmp_path: Path) -> Iterator[Engine]:
    """Both jobs, with everybody a user and the baseline done."""
    database = Database(StorageSettings(directory=tmp_path / "state"))
    migrate.upgrade(database)
    engine = Engine(any_redmine, database, tmp_path / "key", overlap_s=90.0)
    any_redmine.create_issue("ann", subject="Old issue")
    for login in sorted(EVERYBODY):
        engine.add_user(login)
    engine.poll()
    yield engine
    engine.close()


@pytest.fixture
def play(any_redmine: RedmineUnderTest) -> Iterator[Play]:
    """The scenario, not begun."""
    play = Play(any_redmine)
    yield play
    play.close()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_everybody_is_told_and_shown_what_redmine_shows_them_and_nothing_else(
    engine: Engine, play: Play
) -> None:
    eyes = Eyes(play)
    create(play)
    poll(engine)
    check_creations(engine, play, eyes)
    at_first = told(engine)

    play.do(CASES)
    poll(engine)
    assert missing_marks(play) == set(), "the scenario was not played: Redmine refused a part of it"
    done = {number: case for number, case in play.cases.items() if case not in LATE}
    expected = eyes.expected(done)
    require_none(differences(play, journals(expected), journals(told(engine))))
    check_common_sense(play, told(engine))

    poll(engine, after_s=QUIET_S)
    poll(engine, after_s=QUIET_S)
    play.do(LATE)
    reconcile(engine)
    ask_again_as_the_viewer_does(engine)
    late = {number: case for number, case in play.cases.items() if case in LATE}
    require_none(differences(play, still(at_first, eyes.expected(late)), only(late, told(engine))))

    happen(LOSSES, play)
    poll(engine)
    reconcile(engine)
    expected = still(at_first, eyes.expected(play.cases))
    require_none(leaks(play, expected, told(engine)))
    ask_again_as_the_viewer_does(engine)
    require_none(differences(play, expected, told(engine)))

    check_projects(engine, play, eyes)


# --- the steps ---------------------------------------------------------------------------------------


def create(play: Play) -> None:
    """Create all issues. luke is let in meanwhile: a locked user can be neither assignee nor watcher."""
    play.set_status("luke", ACTIVE)
    play.create((*CASES, *LATE))
    play.set_status("luke", LOCKED)


def poll(engine: Engine, after_s: float = 3.0) -> None:
    """Poll in another second than that of the last change.

    Redmine's times are whole seconds: a change in the second of a reading is found only by a later poll.
    """
    second = int(time.time())
    assert wait_until(lambda: int(time.time()) > second, within_s=5)
    engine.poll(after_s)


def reconcile(engine: Engine) -> None:
    """Run the slow job until its rounds by issue are back at their beginning."""
    place = {"notes": -1}
    while place["notes"] or place["sweep"]:
        engine.reconcile()
        with engine.database.read() as session:
            place = jobs.cursor(session, "reconcile") or {}


def ask_again_as_the_viewer_does(engine: Engine) -> None:
    """Have what is in doubt confirmed or withdrawn, as when everybody opens their page."""
    client = RedmineClient(engine.settings)
    try:
        rights = Rights(engine.database, client)
        for login in sorted(EVERYBODY):
            with engine.database.read() as session:
                user = users.by_username(session, login)
                assert user is not None
                who = person_of(user)
            rights.verify(who, engine.inbox(login))
    finally:
        client.close()


def check_creations(engine: Engine, play: Play, eyes: Eyes) -> None:
    """New issues were told to whom they concern, if Redmine lists them to that person."""
    listed = {login: eyes.listed(login) for login in EVERYBODY}
    expected = {
        (login, f"redmine:issue:{number}")
        for number, case in play.cases.items()
        for login in case.concerned_at_first - {case.author}
        if number in listed[login]
    }
    assert {key: name_of(play, row) for key, row in told(engine).items() if key not in expected} == {}
    assert expected - told(engine).keys() == set()
    for (project_name, is_private, assignee), people in SEEN.items():
        number = play.id_of(place(project_name, is_private, assignee))
        assert {login for login in EVERYBODY if number in listed[login]} == people


def check_common_sense(play: Play, rows: Rows) -> None:
    """At one place it is written down who is told of what, lest both sides are wrong in the same way."""
    number = play.id_of(place("open", False, None))
    for words, people in TOLD.items():
        assert {
            login
            for (login, _), row in rows.items()
            if row.issue_id == number and words in f"{row.notes} {row.details}"
        } == people, words


def check_projects(engine: Engine, play: Play, eyes: Eyes) -> None:
    """A closed project stays readable, an archived one is gone, a private one is its members'."""
    happenings = [
        Loss("the circle is closed", project("closed-circle", "close")),
        Loss("the circle is archived", project("closed-circle", "archive")),
    ]
    if play.redmine.kind == "real":  # the demo has no request for it
        happenings.append(Loss("the open project turns private", hide_project("open")))
    for happening in happenings:
        before = told(engine)
        happening.happen(play)
        reconcile(engine)
        ask_again_as_the_viewer_does(engine)
        listed = {login: eyes.listed(login) for login in EVERYBODY}
        left = {key for key, row in before.items() if row.issue_id in listed[key[0]]}
        assert told(engine).keys() == left, happening.name
        assert (left == before.keys()) == ("closed" in happening.name)


# --- comparing ---------------------------------------------------------------------------------------


def told(engine: Engine) -> Rows:
    """What everybody's inbox shows: neither withdrawn nor masked until it is confirmed."""
    return {
        (login, row.change_key): row
        for login in EVERYBODY
        for row in engine.inbox(login)
        if not row.verify_at_show
    }


def require_none(problems: Mapping[str, str]) -> None:
    """Fail with all of them."""
    assert not problems, "\n".join(["", *(f"{where}: {what}" for where, what in sorted(problems.items()))])


def differences(play: Play, expected: Expected, rows: Rows) -> Mapping[str, str]:
    """Return leaks, misses and wrong contents, each under person, issue and event."""
    missed = {
        f"{login} {key}": f"MISSED {reading}"
        for (login, key), reading in expected.items()
        if (login, key) not in rows
    }
    return {**leaks(play, expected, rows), **missed}


def leaks(play: Play, expected: Expected, rows: Rows) -> dict[str, str]:
    """Return what is shown and does not equal what its reader reads in Redmine."""
    found = {}
    for (login, key), row in rows.items():
        problem = wrong(row, expected.get((login, key)))
        if problem:
            found[f"{login} {key} ({name_of(play, row)})"] = problem
    return found


def wrong(row: Notification, reading: Reading | None) -> str:
    """Return what a notification shows that its reader does not read so in Redmine; "" where all is well."""
    if reading is None:
        return f"LEAK, Redmine shows nothing: {row.title} | {row.message} | {row.notes} | {row.details}"
    details = tuple((d["field"], d["label"], d["old"], d["new"]) for d in row.details)
    shown = (row.notes, details, row.is_private_note)
    if shown != (reading.notes, reading.details, reading.is_private_note):
        return f"WRONG, shows {shown}, Redmine {reading}"
    everything = f"{row.title} {row.message} {row.subject} {row.notes} {row.details}"
    foreign = marks_of(everything) - reading.marks
    return f"LEAK of {foreign}: {everything}" if foreign else ""


def journals(by_event: dict[tuple[str, str], T]) -> dict[tuple[str, str], T]:
    """Leave out the creations: rights have changed since they were told."""
    return {key: value for key, value in by_event.items() if key[1].startswith("redmine:journal:")}


def still(at_first: Rows, expected: Expected) -> Expected:
    """Leave out the creations of issues that their reader could not see when they were created."""
    return journals(expected) | {key: expected[key] for key in at_first.keys() & expected.keys()}


def marks_of(text: str) -> set[str]:
    """Return the marks in a text."""
    return set(MARK.findall(text))


def missing_marks(play: Play) -> Collection[str]:
    """Return the marks that the administrator finds nowhere."""
    return play.marks - marks_of(" ".join(str(play.issue(number)) for number in play.cases))


def only(cases: Mapping[int, Case], rows: Rows) -> Rows:
    """Return what is shown of these issues."""
    return {key: row for key, row in rows.items() if row.issue_id in cases}


def name_of(play: Play, row: Notification) -> str:
    """Name the case of a notification, for the message of a failed test."""
    return play.cases[row.issue_id or 0].name
