"""Rows that are made on first use, by whoever comes first: several may come at once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from storage import channels, jobs
from storage.session import Database

AT_ONCE = 6


@pytest.mark.parametrize("state", [channels.state, jobs.state], ids=["channel", "job"])
def test_all_of_those_that_come_at_once_get_the_same_row(
    another: Callable[..., Database], state: Callable[[Session, str], Any]
) -> None:
    gate = threading.Barrier(AT_ONCE)
    seen: list[str] = []

    def use(database: Database) -> None:
        gate.wait(10)
        with database.write() as session:
            seen.append(state(session, "first").name)

    threads = [threading.Thread(target=use, args=(another(),)) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert seen == ["first"] * AT_ONCE
