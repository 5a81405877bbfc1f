"""Answers are shared, kept for a while and forgotten."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from daemon.clients import once
from daemon.clients.errors import SourceUnavailable
from daemon.clients.once import Once
from tests.finesse.conftest import Clock


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Two threads that ask."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_what_a_question_raises_is_kept_like_an_answer(pool: ThreadPoolExecutor, clock: Clock) -> None:
    asked = []

    def ask(key: str) -> str:
        asked.append(key)
        raise TimeoutError(key)

    answers = Once(ask, pool, 5.0, clock)
    for _ in range(3):
        with pytest.raises(TimeoutError, match="a"):
            answers.get("a", 5)
    clock.now += 5
    with pytest.raises(TimeoutError):
        answers.get("a", 5)
    assert asked == ["a", "a"]


def test_who_waits_too_long_is_told_so_and_the_answer_still_comes(
    pool: ThreadPoolExecutor, clock: Clock
) -> None:
    released = threading.Event()
    answers = Once(lambda key: (released.wait(10), key)[1], pool, 5.0, clock)
    with pytest.raises(SourceUnavailable, match="not answered yet"):
        answers.get("a", 0.01)
    clock.now += 60  # a question on its way does not grow old
    released.set()
    assert answers.get("a", 5) == "a"


def test_no_more_than_so_many_are_kept(
    pool: ThreadPoolExecutor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once, "MOST_KEPT", 3)
    asked: list[int] = []
    answers = Once(asked.append, pool, 5.0, clock)
    for key in (1, 2, 3, 1, 4, 1, 2):
        answers.get(key, 5)
    assert asked == [1, 2, 3, 4, 2]
