"""What our service worker decides, run in Node with a made-up browser around it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.node import NODE
from web.push.worker import SOURCE

BOX = Path(__file__).parent / "worker_box.cjs"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
SAFARI = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/26.0 Safari/605.1.15"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {WEBKIT} Version/26.0 Mobile/15E148"
IPHONE_CHROME = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {WEBKIT} CriOS/150.0 Mobile/15E148"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
IN_SIGHT = {"path": "/notifications", "isVisible": True, "answers": True}
NEWS = {"id": 5, "title": "News", "type": "mention", "tag": "issue:7", "receipt": "r" * 22}


def run(event: dict[str, Any], *pages: dict[str, Any], user_agent: str = CHROME) -> dict[str, Any]:
    """Have the worker handle an event while these pages are open; return what it did."""
    script = f'const ASSETS = "";\n{SOURCE.read_text()}'
    order = {"script": script, "userAgent": user_agent, "pages": pages, "event": event}
    done = subprocess.run(
        [NODE, BOX], input=json.dumps(order), capture_output=True, text=True, timeout=60, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def shown(news: dict[str, Any], *pages: dict[str, Any], user_agent: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run({"kind": "push", "news": news}, *pages, user_agent=user_agent)["shown"]
    return found


@pytest.mark.parametrize("user_agent", [SAFARI, IPHONE, IPHONE_CHROME])
def test_where_each_message_must_be_seen_it_is_shown_silently_beside_a_page(user_agent: str) -> None:
    quiet = [{"title": "News", "silent": True, "renotify": False}]
    assert shown(NEWS, IN_SIGHT, user_agent=user_agent) == quiet


@pytest.mark.parametrize("user_agent", [CHROME, FIREFOX])
def test_elsewhere_a_page_in_sight_says_it_alone(user_agent: str) -> None:
    assert shown(NEWS, IN_SIGHT, user_agent=user_agent) == []


@pytest.mark.parametrize("user_agent", [SAFARI, CHROME])
@pytest.mark.parametrize("change", [{"isVisible": False}, {"answers": False}], ids=["hidden", "silent"])
def test_what_no_page_says_is_shown_aloud(user_agent: str, change: dict[str, Any]) -> None:
    aloud = [{"title": "News", "silent": False, "renotify": True}]
    assert shown(NEWS, IN_SIGHT | change, user_agent=user_agent) == aloud
    assert shown(NEWS, user_agent=user_agent) == aloud


def test_a_test_is_shown_aloud_beside_a_page() -> None:
    [one] = shown(NEWS | {"type": "test"}, IN_SIGHT, user_agent=SAFARI)
    assert not one["silent"]


CLICK = {"kind": "notificationclick", "url": "/tasks/7#change-3"}
OTHERS = ({"path": "/notifications", "isVisible": True}, {"path": "/tasks/77", "isVisible": False})


def test_a_click_goes_to_the_tab_that_shows_the_issue_already() -> None:
    done = run(CLICK, *OTHERS, {"path": "/tasks/7", "isVisible": False})
    assert (done["focused"], done["opened"]) == (["/tasks/7"], [])
    assert done["navigated"] == ["https://desk.test/tasks/7#change-3"]
    there = run(CLICK, *OTHERS, {"path": "/tasks/7#change-3", "isVisible": False})
    assert (there["focused"], there["opened"], there["navigated"]) == (["/tasks/7#change-3"], [], [])


def test_a_click_opens_a_tab_where_none_shows_the_issue() -> None:
    done = run(CLICK, *OTHERS)
    assert (done["focused"], done["opened"]) == ([], ["https://desk.test/tasks/7#change-3"])
    assert "PUT /tasks/api/notifications/5/read" in done["asked"]


def test_the_button_that_marks_as_read_leads_nowhere() -> None:
    done = run(CLICK | {"action": "read"}, {"path": "/tasks/7", "isVisible": False})
    assert (done["focused"], done["opened"]) == ([], [])
    assert "PUT /tasks/api/notifications/5/read" in done["asked"]


@pytest.mark.parametrize(
    ("event", "count"),
    [({"kind": "push", "news": NEWS}, 1), (CLICK, 2), ({"kind": "pushsubscriptionchange"}, 3)],
    ids=["push", "click", "change"],
)
def test_nothing_is_asked_of_the_server_without_a_time_out(event: dict[str, Any], count: int) -> None:
    done = run(event)
    assert (len(done["asked"]), done["unbounded"]) == (count, [])
