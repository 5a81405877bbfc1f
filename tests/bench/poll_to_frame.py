"""From the answer of the poll to the frame in a connected browser, on the real Redmine.

The stretch holds everything of ours and the two questions that Redmine must be asked in between: the
issue with its journals, and whether the recipient may see it. `python -m tests.bench.poll_to_frame [changes]`
"""

import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import requests

from tests.e2e.product import Product, redmine_person
from tests.e2e.viewer import wait_until
from tests.real.faulty_proxy import Answer, FaultyProxy, Seen
from tests.redmines import RealRedmine
from tests.services.run import ServiceRun
from tests.web.crowd import Crowd, Member

CHANGES = 40


class Watcher:
    """Notes when each list that mentions an issue was answered."""

    def __init__(self) -> None:
        self.lists: list[tuple[float, bytes]] = []

    def choose(self, seen: Seen):  # type: ignore[no-untyped-def]
        """Watch the poll's lists and let everything pass."""
        return self._watch if seen.kind == "list" else None

    def answered(self, issue_id: int, since: float) -> float:
        """Return when a list first showed this issue as updated after `since` (seconds of time.time)."""
        second = datetime.fromtimestamp(int(since), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return next(
            at
            for at, body in self.lists
            if at > since
            for issue in json.loads(body)["issues"]
            if issue["id"] == issue_id and issue["updated_on"] >= second
        )

    def _watch(self, client, answer: Answer) -> bool:  # type: ignore[no-untyped-def]
        self.lists.append((time.time(), answer.body))
        client.send(answer)
        return True


def cookie(product: Product, login: str) -> str:
    """Sign in and return the Cookie header."""
    person = redmine_person(login)
    session = requests.Session()
    form = {"username": person.username, "password": person.password}
    answer = session.post(f"{product.url}/users/login", json=form, timeout=30)
    assert answer.status_code == 200, answer.text
    return "; ".join(f"{c.name}={c.value}" for c in session.cookies)


def measure(redmine: RealRedmine, folder: Path, changes: int) -> list[float]:
    """Return the milliseconds from the poll's answer to the frame, one for each change."""
    watcher = Watcher()
    stretches: list[float] = []
    with FaultyProxy(redmine.url) as proxy, Product(folder, proxy.url, redmine.admin_key) as product:
        product.command("db", "upgrade")
        product.command("users", "add", "bob", "--redmine-login", "bob", "--no-password")
        issues = [
            redmine.create_issue("ann", assigned_to_id=redmine.id_of("user", "bob")) for _ in range(changes)
        ]
        product.start()
        member = Member(product.url, cookie(product, "bob"), 0)
        with proxy.broken(watcher.choose), Crowd([member]) as crowd:
            time.sleep(3)  # the first run and the second look at fresh issues
            for number, issue in enumerate(issues):
                since = time.time()
                redmine.update_issue(issue, "ann", notes=f"Note {number}")
                crowd.wait(lambda: len(member.times) > number)  # noqa: B023 - waited for here
                stretches.append((member.times[number][1] - watcher.answered(issue, since)) * 1000)
        wait_until(lambda: len(member.times) == changes, "every change arrived once")
    return stretches


def main() -> None:
    """Print one line."""
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else CHANGES
    run = ServiceRun()
    try:
        run.redmine.reset()
        redmine = RealRedmine("real", run.redmine.url, dsn=run.cluster.dsn("redmine", "redmine"))
        with tempfile.TemporaryDirectory() as folder:
            stretches = sorted(measure(redmine, Path(folder), changes))
    finally:
        run.stop()
    median, p99 = statistics.median(stretches), stretches[int(len(stretches) * 0.99) - 1]
    print(
        f"poll_to_frame: {changes} changes, median {median:.0f} ms, p99 {p99:.0f} ms, "
        f"best {stretches[0]:.0f} ms"
    )


if __name__ == "__main__":
    main()
