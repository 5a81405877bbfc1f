"""Open pages by the thousand, in one process of Node.js that serves the product and its peer alike."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from tests.load.town import Dweller
from tests.node import NODE
from tests.web.served import ROOT, wait_until

SCRIPT = Path(__file__).with_name("clients.cjs")
LIVE_SCRIPT = ROOT / "web/static/js/live.js"
AT_ONCE = 50
DEADLINE_S = 120.0


def longest_delay_ms() -> int:
    """Return how long our page waits between two attempts at most."""
    _, _, rest = LIVE_SCRIPT.read_text().partition("reconnectionDelayMax: ")
    return int(rest.partition(",")[0])


class Pages:
    """Pages that come back by themselves and say up to which id they have everything."""

    def __init__(self, url: str, cookies: Sequence[str]) -> None:
        self._url = url
        self._waiting = list(cookies)
        self._opened = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [NODE, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def open(self, count: int) -> None:
        """Open more of them and wait until all are connected."""
        chosen, self._waiting = self._waiting[:count], self._waiting[count:]
        pages = [{"cookie": cookie, "last": 0} for cookie in chosen]
        order = {"do": "open", "url": self._url, "pages": pages, "atOnce": AT_ONCE}
        self._ask(order | {"delayMax": longest_delay_ms()})
        self._opened += len(chosen)
        self.wait_for_all()

    def state(self) -> dict[str, int]:
        """Return counts: pages, connected now, connects, attempts, news, frames and bytes received."""
        return self._ask({"do": "state"})

    def wait_for_all(self) -> None:
        """Wait until all pages are connected."""
        wait_until(lambda: self.state()["connected"] == self._opened, DEADLINE_S, lambda: str(self.state()))

    def wait_for_news(self, count: int) -> None:
        """Wait until so many notifications have come in all."""
        wait_until(lambda: self.state()["news"] >= count, DEADLINE_S, lambda: str(self.state()))

    def taken(self, dwellers: Iterable[Dweller]) -> dict[int, list[tuple[int, float]]]:
        """Return for each user the ids that came, in order, each with when (seconds since 1970)."""
        rows = self._ask({"do": "taken"})["taken"]
        return {
            one.user_id: [(row_id, ms / 1000) for row_id, ms in taken]
            for one, taken in zip(dwellers, rows, strict=True)
        }
