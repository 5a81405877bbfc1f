"""Logs of both processes: one chain, and no secret in it."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from storage import logs

SECRET = "4f5e6a7b8c9d0e1f"


class Output:
    """What went to standard error since the last look."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def text(self) -> str:
        return self._capture.readouterr().err

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Iterator[Output]:
    """Standard error; the loggers are put back afterwards."""
    names = ("", "apscheduler", "urllib3", "alembic", "werkzeug", "engineio", "socketio")
    levels = {name: logging.getLogger(name).level for name in names}
    handlers, config = logging.getLogger().handlers, structlog.get_config()
    yield Output(capsys)
    logging.getLogger().handlers = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(**config)


@pytest.mark.parametrize(
    "event",
    [
        {"api_key": SECRET},
        {"X-Redmine-API-Key": SECRET},
        {"password": SECRET},
        {"passwd": SECRET},
        {"client_secret": SECRET},
        {"session_cookie": SECRET},
        {"Authorization": f"Basic {SECRET}"},
        {"p256dh": SECRET},
        {"url": f"http://redmine/issues.json?key={SECRET}&limit=1"},
        {"url": f"http://redmine/?a=1&access_token={SECRET}"},
        {"url": f"postgresql+psycopg://helpdesk:{SECRET}@db/helpdesk"},
        {"url": f"redis://:{SECRET}@cache/0"},
        {"error": f"could not connect: host=db password={SECRET} user=x"},
        {"header": f"Bearer {SECRET}"},
        {"header": f"X-Redmine-API-Key: {SECRET}"},
        {"headers": {"X-Redmine-API-Key": SECRET, "Accept": "json"}},
        {"calls": [{"url": f"?key={SECRET}"}, ("a", f"?key={SECRET}")]},
        {"error": ValueError(f"bad address http://x/?key={SECRET}")},
    ],
    ids=lambda event: str(event).replace(SECRET, "S"),
)
def test_a_secret_is_masked_wherever_it_stands(event: dict[str, Any]) -> None:
    assert SECRET not in str(logs.mask_secrets(None, "info", dict(event)))


@pytest.mark.parametrize(
    "event",
    [
        {"event": "job_finished", "job": "redmine", "changes": 3, "error": ""},
        {"url": "http://redmine.example.com:3000/issues.json?limit=100", "status": 200},
        {"names": ["Ann", "Боб"], "ids": {1: 2}, "at": None, "ratio": 0.5, "is_ok": True},
    ],
    ids=["job", "address", "values"],
)
def test_what_is_no_secret_stays_as_it_is(event: dict[str, Any]) -> None:
    assert logs.mask_secrets(None, "info", dict(event)) == event


def test_a_line_is_json_with_time_level_event_and_values(output: Output) -> None:
    logs.configure("info", "json")
    structlog.get_logger().info("job_finished", job="redmine", name="Печать", api_key=SECRET)
    text = output.text()
    line = json.loads(text)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "job_finished",
        "level": "info",
        "job": "redmine",
        "name": "Печать",
        "api_key": "***",
    }
    assert "Печать" in text


def test_other_libraries_go_the_same_way(output: Output) -> None:
    logs.configure("info", "json")
    logging.getLogger("another.package").warning("asked %s", f"http://redmine/?key={SECRET}")
    [line] = output.lines()
    assert (line["event"], line["level"]) == ("asked http://redmine/?key=***", "warning")


@pytest.mark.parametrize("style", ["json", "console"])
def test_an_exception_is_shown_without_its_secret(output: Output, style: str) -> None:
    logs.configure("info", style)
    try:
        int(f"http://redmine/?key={SECRET}")
    except ValueError:
        structlog.get_logger().exception("job_crashed")
        logging.getLogger("another.package").exception("crashed")
    text = output.text()
    assert "ValueError" in text
    assert "test_logs.py" in text
    assert SECRET not in text


def test_levels_below_the_one_asked_for_are_left_out(output: Output) -> None:
    logs.configure("warning", "json")
    structlog.get_logger().info("quiet")
    logging.getLogger("x").info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in output.lines()] == ["loud"]


def test_chatty_libraries_are_kept_down(output: Output) -> None:
    logs.configure("debug", "json")
    for name in ("urllib3", "alembic.runtime", "werkzeug", "engineio.server", "socketio.server"):
        logging.getLogger(name).info("chatter")
    logging.getLogger("apscheduler.scheduler").warning("skipped: maximum number of running instances")
    assert output.text() == ""


def test_bound_values_are_on_every_line(output: Output) -> None:
    logs.configure("info", "json")
    with structlog.contextvars.bound_contextvars(job="redmine"):
        structlog.get_logger().info("a")
        logging.getLogger("x").warning("b")
    assert [line["job"] for line in output.lines()] == ["redmine", "redmine"]


def test_a_terminal_gets_colours_and_anything_else_json(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure("info", "auto")
    structlog.get_logger().info("to_a_file")
    assert output.lines()[0]["event"] == "to_a_file"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    logs.configure("info", "auto")
    structlog.get_logger().info("to_a_terminal", api_key=SECRET)
    text = output.text()
    assert "\x1b[" in text
    assert SECRET not in text


def test_configuring_again_does_not_double_the_lines(output: Output) -> None:
    logs.configure("info", "json")
    logs.configure("info", "json")
    structlog.get_logger().info("once")
    assert len(output.lines()) == 1
