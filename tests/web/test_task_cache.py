"""What is remembered of Redmine: for a while, and within bounds."""

from web.task.cache import Cache


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_value_is_loaded_once_in_a_while_and_when_asked_for_anew() -> None:
    clock, loads = Clock(), iter(range(10))
    cache: Cache[str, int] = Cache(60, clock=clock)
    assert [cache.get("a", lambda: next(loads)) for _ in range(2)] == [0, 0]
    assert cache.get("a", lambda: next(loads), anew=True) == 1
    clock.now = 59.9
    assert cache.get("a", lambda: next(loads)) == 1
    clock.now = 60
    assert cache.get("a", lambda: next(loads)) == 2


def test_the_longest_unused_goes_first() -> None:
    cache: Cache[str, str] = Cache(60, most=2)
    for key in ("a", "b", "a", "c"):
        cache.get(key, key.upper)
    assert cache.get("a", lambda: "loaded again") == "A"
    assert cache.get("b", lambda: "loaded again") == "loaded again"
