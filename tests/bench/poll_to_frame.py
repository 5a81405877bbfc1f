"""From the answer of the poll to the frame in a connected browser, on the real Redmine.

The stretch holds everything of ours and what Redmine must be asked in between: the issue with its journals,
whether the recipient may see it, and whether our key is still an administrator's. The bare way asks the same
three questions one after the other and does nothing else. `python -m tests.bench.poll_to_frame [changes]`
"""

import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import requests

from tests.bench.relay import Relay
from tests.e2e.product import Product, redmine_person
from tests.e2e.viewer import wait_until
from tests.redmines import RealRedmine
from tests.services.run import ServiceRun
from tests.web.crowd import Crowd, Member

CHANGES = 40
PAUSE_S = 3.0  # by then the change before was read for a second time, as every fresh one is


def answered(relay: Relay, issue_id: int, since: float) -> float:
    """Return when a list first showed this issue as updated after `since` (seconds of time.time)."""
    second = datetime.fromtimestamp(int(since), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return next(
        exchange.answered_at
        for exchange in relay.exchanges
        if exchange.answered_at > since and exchange.request.startswith(b"GET /issues.json?")
        for issue in json.loads(exchange.answer.partition(b"\r\n\r\n")[2])["issues"]
        if issue["id"] == issue_id and issue["updated_on"] >= second
    )


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
    changed_at: list[float] = []
    with Relay(redmine.url) as relay, Product(folder, relay.url, redmine.admin_key) as product:
        # As shipped: beside the poll the reconcile job hardly ever runs.
        product.config.write_text(product.config.read_text().replace("every_s = 5", "every_s = 300"))
        product.command("db", "upgrade")
        product.command("users", "add", "bob", "--redmine-login", "bob", "--no-password")
        issues = [
            redmine.create_issue("ann", assigned_to_id=redmine.id_of("user", "bob")) for _ in range(changes)
        ]
        product.start()
        member = Member(product.url, cookie(product, "bob"), 0)
        with Crowd([member]) as crowd:
            for number, issue in enumerate(issues):
                time.sleep(PAUSE_S)
                changed_at.append(time.time())
                redmine.update_issue(issue, "ann", notes=f"Note {number}")
                crowd.wait(lambda: len(member.times) > number)  # noqa: B023 - waited for here
        wait_until(lambda: len(member.times) == changes, "every change arrived once")
    return [
        (member.times[number][1] - answered(relay, issue, changed_at[number])) * 1000
        for number, issue in enumerate(issues)
    ]


def bare(redmine: RealRedmine, rounds: int) -> list[float]:
    """Return the milliseconds that the three questions take by themselves."""
    issue = redmine.create_issue("ann", assigned_to_id=redmine.id_of("user", "bob"))
    redmine.update_issue(issue, "ann", notes="Note")
    taken: list[float] = []
    with redmine.session("admin") as session:
        for _ in range(rounds):
            time.sleep(0.2)
            started = time.perf_counter()
            whole = {"include": "journals,watchers,attachments,relations"}
            session.get(f"{redmine.url}/issues/{issue}.json", params=whole).raise_for_status()
            as_bob = {"X-Redmine-Switch-User": "bob"}
            session.get(f"{redmine.url}/issues/{issue}.json", headers=as_bob).raise_for_status()
            session.get(f"{redmine.url}/users.json", params={"limit": 1}).raise_for_status()
            taken.append((time.perf_counter() - started) * 1000)
    return taken


def main() -> None:
    """Print one line."""
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else CHANGES
    run = ServiceRun()
    try:
        run.redmine.reset()
        redmine = RealRedmine("real", run.redmine.url, dsn=run.cluster.dsn("redmine", "redmine"))
        with tempfile.TemporaryDirectory() as folder:
            stretches = sorted(measure(redmine, Path(folder), changes))
        answers = statistics.median(bare(redmine, changes))
    finally:
        run.stop()
    median, p99 = statistics.median(stretches), stretches[int(len(stretches) * 0.99) - 1]
    print(
        f"poll_to_frame: {changes} changes, median {median:.0f} ms, p99 {p99:.0f} ms, "
        f"best {stretches[0]:.0f} ms; bare questions to Redmine alone: median {answers:.0f} ms"
    )


if __name__ == "__main__":
    main()
