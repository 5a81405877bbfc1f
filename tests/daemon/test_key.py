"""The service key: alive and an administrator's, or nothing that it shows is believed."""

from dataclasses import dataclass, field

import pytest

from daemon.clients.errors import SourceError, SourceRefused, SourceUnavailable
from daemon.clients.values import Account
from daemon.redmine.key import AdminKey


@dataclass
class Door:
    """Answers who we are, and tells the time."""

    is_admin: bool = True
    error: SourceError | None = None
    asked: int = 0
    now: float = 1000.0
    calls: list[float] = field(default_factory=list)

    def account(self) -> Account:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return Account(1, "robot", self.is_admin, "R", "Robot", None, None)

    def ask_as_admin(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        if not self.is_admin:
            raise SourceRefused("forbidden", status=403)

    def key(self, recheck_s: float = 60.0) -> AdminKey:
        return AdminKey(self, recheck_s, lambda: self.now)


def test_the_key_is_checked_at_the_start_and_then_once_a_minute() -> None:
    door = Door()
    key = door.key()
    for second in range(125):
        door.now = 1000.0 + second
        key.require()
    assert door.asked == 3


@pytest.mark.parametrize(("recheck_s", "expected"), [(45.0, 3), (3600.0, 2), (0.0, 101)])
def test_it_is_checked_sooner_where_the_overlap_is_short_and_never_later(
    recheck_s: float, expected: int
) -> None:
    door = Door()
    key = door.key(recheck_s)
    for second in range(101):
        door.now = 1000.0 + second
        key.require()
    assert door.asked == expected


def test_a_doubt_has_it_checked_at_once() -> None:
    door = Door()
    key = door.key()
    key.require()
    key.doubt()
    key.require()
    assert door.asked == 2


def test_asked_for_now_it_is_checked_in_any_case() -> None:
    door = Door()
    key = door.key()
    key.require()
    key.require_now()
    key.require()
    assert door.asked == 2


def test_a_key_of_somebody_else_is_refused_by_name() -> None:
    with pytest.raises(SourceRefused, match="belongs to robot, who is not an administrator"):
        Door(is_admin=False).key().require()


@pytest.mark.parametrize("error", [SourceRefused("401", status=401), SourceUnavailable("away")])
def test_a_check_that_failed_is_made_again_and_again_until_it_passes(error: SourceError) -> None:
    door = Door()
    key = door.key()
    key.require()
    door.error = error
    with pytest.raises(type(error)):
        key.require_now()
    for _ in range(2):
        with pytest.raises(type(error)):
            key.require()
    door.error = None
    key.require()
    key.require()
    assert door.asked == 5


def test_a_right_that_was_lost_is_noticed_at_the_next_check() -> None:
    door = Door()
    key = door.key()
    key.require()
    door.is_admin = False
    key.require()
    door.now += 61
    with pytest.raises(SourceRefused):
        key.require()


def test_a_cheap_confirmation_counts_as_a_check() -> None:
    door = Door()
    key = door.key()
    key.confirm()
    key.require()
    assert door.asked == 1


def test_a_confirmation_that_fails_says_what_is_wrong() -> None:
    door = Door(is_admin=False)
    with pytest.raises(SourceRefused, match="robot, who is not an administrator"):
        door.key().confirm()
    door.error = SourceUnavailable("away")
    with pytest.raises(SourceUnavailable):
        door.key().confirm()


def test_a_confirmation_refused_for_a_moment_is_no_confirmation() -> None:
    """The account is fine again when it is asked why: what was answered in between proves nothing."""
    door = Door()

    def refuse() -> None:
        raise SourceRefused("forbidden", status=403)

    door.ask_as_admin = refuse  # type: ignore[method-assign]
    with pytest.raises(SourceRefused, match="forbidden"):
        door.key().confirm()
