"""Many issues read at once, and one sick issue that does not stop the rest."""

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from daemon.clients.errors import NotFound, SourceError, SourceRefused, SourceUnavailable, WrongAnswer
from daemon.clients.values import Issue
from daemon.redmine.reading import WHOLE, Reader, in_parallel
from tests.daemon.samples import at, issue

Answers = dict[int, "SourceError | Callable[[], None]"]


class Issues:
    """Reads issues; `answers` may hold an error, or something to call first."""

    def __init__(self, answers: Answers | None = None) -> None:
        self.answers = answers or {}
        self.read: list[int] = []

    def issue(self, issue_id: int, include: Sequence[str]) -> Issue:
        assert include == WHOLE
        self.read.append(issue_id)
        answer = self.answers.get(issue_id)
        if isinstance(answer, SourceError):
            raise answer
        if answer is not None:
            answer()
        return issue(issue_id, updated_on=at(-issue_id))


@pytest.fixture
def reader_of() -> Iterator[Callable[..., Reader]]:
    made: list[Reader] = []

    def make(issues: Issues, connections: int = 4) -> Reader:
        made.append(Reader(issues, connections))
        return made[-1]

    yield make
    for reader in made:
        reader.close()


def test_issues_come_in_the_order_of_their_updates(reader_of: Callable[..., Reader]) -> None:
    reads = reader_of(Issues()).start([1, 3, 2]).finish()
    assert [one.id for one in reads.issues] == [3, 2, 1]
    assert (reads.missing, reads.failed) == (frozenset(), {})


def test_nothing_to_read_is_nothing(reader_of: Callable[..., Reader]) -> None:
    reads = reader_of(Issues()).start([]).finish()
    assert (reads.issues, reads.missing, reads.failed) == ((), frozenset(), {})


def test_of_an_issue_in_two_batches_the_later_reading_counts(reader_of: Callable[..., Reader]) -> None:
    earlier = reader_of(Issues({2: SourceUnavailable("not now")})).start([1, 2])
    reads = earlier.joined(reader_of(Issues()).start([2, 3])).finish()
    assert [one.id for one in reads.issues] == [3, 2, 1]
    assert not reads.failed


@pytest.mark.parametrize("error", [NotFound("gone"), SourceRefused("archived", status=403)])
def test_what_is_gone_or_closed_to_us_is_missing(
    reader_of: Callable[..., Reader], error: SourceError
) -> None:
    reads = reader_of(Issues({2: error})).start([1, 2, 3]).finish()
    assert ({one.id for one in reads.issues}, reads.missing) == ({1, 3}, {2})


def test_all_may_be_missing(reader_of: Callable[..., Reader]) -> None:
    gone: Answers = {n: NotFound("gone") for n in range(1, 6)}
    assert reader_of(Issues(gone)).start(range(1, 6)).finish().missing == frozenset(range(1, 6))


@pytest.mark.parametrize("error", [SourceUnavailable("500 for it"), WrongAnswer("half a body")])
@pytest.mark.parametrize("sick", [1, 2])
def test_one_or_two_sick_issues_are_reported_and_the_rest_goes_through(
    reader_of: Callable[..., Reader], error: SourceError, sick: int
) -> None:
    answers: Answers = dict.fromkeys(range(1, sick + 1), error)
    reads = reader_of(Issues(answers)).start(range(1, 6)).finish()
    assert [one.id for one in reads.issues] == list(range(5, sick, -1))
    assert reads.failed == {n: str(error) for n in range(1, sick + 1)}


@pytest.mark.parametrize("asked", [1, 2])
def test_few_issues_that_are_all_sick_are_no_proof_that_the_source_is_down(
    reader_of: Callable[..., Reader], asked: int
) -> None:
    """Else one issue that Redmine can never show would put every poll off for minutes, for ever."""
    answers: Answers = {n: SourceUnavailable("status 500") for n in (1, 2)}
    assert set(reader_of(Issues(answers)).start(range(1, asked + 1)).finish().failed) == set(
        range(1, asked + 1)
    )


@pytest.mark.parametrize("asked", [3, 10])
def test_more_than_a_few_sick_issues_mean_that_the_source_is_down(
    reader_of: Callable[..., Reader], asked: int
) -> None:
    answers: Answers = {n: SourceUnavailable("down") for n in (1, 2, 3)}
    with pytest.raises(SourceUnavailable, match="down"):
        reader_of(Issues(answers)).start(range(1, asked + 1)).finish()


def test_a_source_that_is_down_is_not_asked_for_everything(reader_of: Callable[..., Reader]) -> None:
    is_given_up = threading.Event()
    answers: Answers = {n: SourceUnavailable("down") for n in (1, 2, 3)}
    answers[4] = lambda: assert_set(is_given_up)
    issues = Issues(answers)
    batch = reader_of(issues, connections=1).start(range(1, 500))
    with pytest.raises(SourceUnavailable):
        batch.finish()
    is_given_up.set()
    batch.cancel()
    assert set(issues.read) <= {1, 2, 3, 4}


def assert_set(event: threading.Event) -> None:
    assert event.wait(10)


@pytest.mark.parametrize("status", [401, 412, None])
def test_a_refusal_of_the_key_stops_everything(reader_of: Callable[..., Reader], status: int | None) -> None:
    with pytest.raises(SourceRefused, match="dead key"):
        reader_of(Issues({2: SourceRefused("dead key", status=status)})).start([1, 2, 3]).finish()


def test_an_error_of_the_program_is_not_hidden(reader_of: Callable[..., Reader]) -> None:
    def break_down() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        reader_of(Issues({2: break_down})).start([1, 2, 3]).finish()


def test_as_many_are_read_at_once_as_there_are_connections(reader_of: Callable[..., Reader]) -> None:
    together = threading.Barrier(3, timeout=10)

    def wait() -> None:
        together.wait()

    reads = reader_of(Issues(dict.fromkeys((1, 2, 3), wait)), connections=3).start([1, 2, 3]).finish()
    assert len(reads.issues) == 3


def test_reading_goes_on_while_nobody_waits_for_it(reader_of: Callable[..., Reader]) -> None:
    has_read = threading.Event()
    batch = reader_of(Issues({1: has_read.set})).start([1])
    assert has_read.wait(10)
    assert len(batch.finish().issues) == 1


def test_answers_come_in_the_order_of_the_questions(reader_of: Callable[..., Reader]) -> None:
    pool = reader_of(Issues()).pool
    assert in_parallel(pool, lambda n: n * n, [3, 1, 2]) == [9, 1, 4]
    assert in_parallel(pool, lambda n: n, []) == []


def test_the_first_error_ends_the_other_questions(reader_of: Callable[..., Reader]) -> None:
    asked: list[int] = []

    def ask(number: int) -> None:
        asked.append(number)
        raise SourceUnavailable(f"down {number}")

    with pytest.raises(SourceUnavailable, match="down 0"):
        in_parallel(reader_of(Issues(), connections=1).pool, ask, range(200))
    assert len(asked) < 200
