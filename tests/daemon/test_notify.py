"""What a service tells systemd, and that it never suffers from telling it."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.clients.notify import Notify, Pulse
from tests.daemon.listening import Ear


@pytest.fixture(params=["a path", "an abstract address"])
def ear(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ear]:
    address = str(tmp_path / "notify") if request.param == "a path" else f"@helpdesk-test-{os.getpid()}"
    ear = Ear(address)
    yield ear
    ear.close()


def test_each_state_is_told(ear: Ear) -> None:
    notify = Notify.from_environment({"NOTIFY_SOCKET": ear.address})
    notify.ready("working")
    notify.alive("still working")
    notify.stuck("stuck: scheduler for 46 s")
    notify.stopping()
    assert ear.listen() == [
        "READY=1\nSTATUS=working",
        "WATCHDOG=1\nSTATUS=still working",
        "WATCHDOG=trigger\nSTATUS=stuck: scheduler for 46 s",
        "STOPPING=1\nSTATUS=stopping",
    ]


def test_without_systemd_nothing_is_told_and_nothing_is_watched() -> None:
    notify = Notify.from_environment({})
    notify.ready("working")
    assert notify.watchdog_s is None


def test_a_manager_that_is_gone_or_deaf_holds_nobody_up(tmp_path: Path) -> None:
    Notify(str(tmp_path / "nobody")).ready("working")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        notify = Notify(str(tmp_path / "deaf"))
        for _ in range(2000):  # many more than its queue takes
            notify.alive("working")


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        pytest.param({"WATCHDOG_USEC": "90000000"}, 90.0, id="for-anybody"),
        pytest.param({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5, id="for-us"),
        pytest.param({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "1"}, None, id="for-another"),
        pytest.param({"WATCHDOG_USEC": "0"}, None, id="off"),
        pytest.param({"WATCHDOG_USEC": "soon"}, None, id="nonsense"),
        pytest.param({}, None, id="none"),
    ],
)
def test_the_watchdogs_time_is_read(environ: dict[str, str], watchdog_s: float | None) -> None:
    assert Notify.from_environment(environ).watchdog_s == watchdog_s


def test_a_pulse_ages_until_it_beats() -> None:
    now = [10.0]
    pulse = Pulse(lambda: now[0])
    now[0] = 17.5
    assert pulse.age_s() == 7.5
    pulse.beat()
    assert pulse.age_s() == 0.0
