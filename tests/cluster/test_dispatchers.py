"""Both daemons send what is in the outbox, each mail by one; what a killed one held, the other one sends."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from daemon.outbox import Outbox
from storage import users
from storage.columns import utc_now
from storage.models import Delivery
from tests.channels.mail_server import MailServer, Script
from tests.cluster.conftest import MakeFleet
from tests.cluster.fleet import Fleet
from tests.redmines import RedmineUnderTest
from tests.services.processes import wait_until
from tests.web.house import notification

LOGINS = ("ann", "bob", "carl", "eve", "fred", "hugo")
EACH = 40
MAIL = """\
[channel.email]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "replaced@example.com"
timeout_s = 5.0
parallel = 2
"""


@dataclass
class Post:
    """A fleet whose mails go to a server of the test; each daemon's have a sender of their own."""

    fleet: Fleet
    script: Script

    def fill(self) -> int:
        """Put much into the outbox in one transaction; return how many mails that will be."""
        with self.fleet.database.write() as session:
            people = {user.username: user for user in users.listed(session)}
            for login in LOGINS:
                people[login].email = f"{login}@example.com"
            session.flush()
            now, rows = utc_now(), []
            for number in range(len(LOGINS) * EACH):
                user_id = people[LOGINS[number % len(LOGINS)]].id
                about = {"change_key": f"test:{number}", "created_at": now, "type": "mention"}
                rows.append(notification(user_id, number, **about, issue_id=None, journal_id=None))
            Outbox(frozenset({"email"})).record(session, rows, now)
            waiting = session.scalar(sa.select(sa.func.count()).select_from(Delivery)) or 0
        assert waiting == len(LOGINS) * EACH
        return waiting

    def states(self) -> Counter[str]:
        with self.fleet.database.read() as session:
            rows = session.execute(sa.select(Delivery.state, sa.func.count()).group_by(Delivery.state))
            return Counter({row.state: row[1] for row in rows})

    def by_daemon(self) -> Counter[str]:
        return Counter(taken.sender.partition("@")[0] for taken in list(self.script.taken))

    def copies(self) -> Counter[str]:
        return Counter(str(taken.message["Message-ID"]) for taken in list(self.script.taken))


@pytest.fixture
def post(make_fleet: MakeFleet, demo_redmine: RedmineUnderTest) -> Iterator[Post]:
    """Two daemons that claim for the shortest time there may be."""
    script = Script()
    server = MailServer(script, None, "none")
    fleet = make_fleet(demo_redmine, LOGINS)
    with fleet.config.open("a") as config:
        config.write(MAIL.format(port=server.port))
    for daemon in fleet.daemons:
        sender = {"HELPDESK_CHANNEL__EMAIL__SENDER": f"{daemon.name}@example.com"}
        daemon.set_environment({**sender, "HELPDESK_DAEMON__CLAIM_S": "20.0"})
    fleet.start()
    yield Post(fleet, script)
    for daemon in fleet.daemons:
        daemon.stop()
    server.close()


def test_each_mail_is_sent_once_and_by_either_daemon(post: Post) -> None:
    waiting = post.fill()
    assert wait_until(lambda: post.states() == {"sent": waiting}, within_s=120), post.states()
    assert len(post.copies()) == waiting
    assert set(post.copies().values()) == {1}
    print(f"sent by each: {dict(post.by_daemon())}")
    assert set(post.by_daemon()) == {"daemon1", "daemon2"}


def test_what_a_killed_daemon_held_is_sent_by_the_other(post: Post) -> None:
    waiting = post.fill()
    assert wait_until(lambda: len(post.script.taken) > waiting / 8, within_s=60, every_s=0.005)
    killed = post.fleet.daemons[0]
    killed.kill()
    assert wait_until(lambda: post.states() == {"sent": waiting}, within_s=120), post.states()
    assert len(post.copies()) == waiting
    twice = [message for message, count in post.copies().items() if count > 1]
    print(f"{len(twice)} of {waiting} came twice: sent, but not yet noted, when the daemon was killed")
    assert len(twice) < waiting / 4
    assert set(post.copies().values()) <= {1, 2}
