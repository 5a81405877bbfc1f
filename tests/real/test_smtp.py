"""A change in Redmine becomes a mail on a real SMTP server, sent by the daemon as operators run it."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from storage import users
from storage.columns import utc_now
from storage.models import Delivery, Notification, User
from storage.preferences import Preferences, Reminders, kept
from tests.channels.certificates import Authority
from tests.channels.mail_server import PASSWORD, USER, MailServer, Script, Taken
from tests.real.daemon_process import Installation
from tests.redmines import RedmineUnderTest
from tests.services.processes import wait_until
from web import create_app
from web.settings import AuthSettings, ViewerSettings, WebSettings

pytestmark = pytest.mark.long

TABLES = """
[channel.webpush]
enabled = false
[channel.email]
host = "localhost"
port = {port}
security = "tls"
username = "{user}"
password_file = "{folder}/password"
ca_file = "{ca_file}"
sender = "Helpdesk <helpdesk@example.com>"
timeout_s = 5.0
[job.reminders]
source = "redmine_reminders"
every_s = 1.0
[web]
public_url = "https://helpdesk.example.com"
"""


class Town:
    """An installation whose mails go to a server of the test."""

    def __init__(self, redmine: RedmineUnderTest, folder: Path) -> None:
        self.redmine = redmine
        authority = Authority(folder)
        self.script = Script()
        self.server = MailServer(self.script, authority.issue("localhost"), "tls")
        (folder / "password").write_text(PASSWORD)
        self.installation = Installation(folder, redmine)
        given = {"port": self.server.port, "user": USER, "folder": folder, "ca_file": authority.ca_file}
        with self.installation.config.open("a") as config:
            config.write(TABLES.format(**given))
        self.change_user("bob", email="bob@example.com")

    def change_user(self, login: str, **columns: object) -> None:
        with self.installation.database.write() as session:
            user = users.by_username(session, login)
            for name, value in columns.items():
                setattr(user, name, value)

    def mails(self, count: int) -> list[Taken]:
        """Wait for so many mails and return them."""
        taken = self.script.taken
        assert wait_until(lambda: len(taken) >= count, within_s=30), self.installation.log_tail()
        assert len(taken) == count
        return taken

    def told(self) -> list[tuple[str, str]]:
        """Return type and reader of what was told."""
        query = sa.select(Notification.type, User.username).join(User, User.id == Notification.user_id)
        with self.installation.database.read() as session:
            return [(kind, login) for kind, login in session.execute(query)]

    def deliveries(self) -> list[str]:
        """Return the states of what was to be sent."""
        with self.installation.database.read() as session:
            return list(session.scalars(sa.select(Delivery.state)))

    def close(self) -> None:
        self.server.close()
        self.installation.close()


@pytest.fixture
def town(any_redmine: RedmineUnderTest, tmp_path: Path) -> Iterator[Town]:
    """The installation, on the demo Redmine and on the real one in turn."""
    town = Town(any_redmine, tmp_path)
    yield town
    town.close()


def text_of(taken: Taken) -> str:
    part = taken.message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_change_is_mailed_until_its_reader_stops_mails_by_one_click(town: Town) -> None:
    redmine = town.redmine
    bob = redmine.id_of("user", "bob")
    daemon = town.installation.start_to_lead()
    try:
        assert wait_until(town.installation.has_baseline, within_s=30)
        issue_id = redmine.create_issue("ann", subject="Принтер горит", assigned_to_id=bob)
        (mail,) = town.mails(1)
        assert (mail.sender, mail.recipients) == ("helpdesk@example.com", ["bob@example.com"])
        assert str(mail.message["Subject"]) == f"[Open project] #{issue_id} Принтер горит: New issue"
        assert f"https://helpdesk.example.com/tasks/{issue_id}" in text_of(mail)
        assert "Ann Manager" in text_of(mail)

        here = midday()
        wishes = Preferences(
            reminders=Reminders(days_before=frozenset({1}), at=(here + timedelta(seconds=4)).time())
        )
        redmine.update_issue(issue_id, "ann", due_date=f"{here + timedelta(days=1):%F}")
        town.change_user("bob", preferences=kept(wishes), time_zone=str(here.tzinfo))
        reminder = town.mails(2)[1]
        assert str(reminder.message["Subject"]) == f"[Open project] #{issue_id} Принтер горит: Due tomorrow"
        assert reminder.message["References"] == mail.message["References"]

        click(town, mail)
        redmine.update_issue(issue_id, "ann", notes="Look, @bob")
        assert wait_until(lambda: ("mention", "bob") in town.told(), within_s=30), town.told()
        assert town.deliveries() == ["sent", "sent"], "for the mention there is none"
    finally:
        assert daemon.stop() == 0
    town.mails(2)


def midday() -> datetime:
    """Return the present moment where the day neither begins nor ends just now."""
    return utc_now().astimezone(ZoneInfo("UTC" if 1 < utc_now().hour < 22 else "Etc/GMT+12"))


def click(town: Town, mail: Taken) -> None:
    """Stop the mails as a mail program does: by what the headers say, without any cookie."""
    found = re.fullmatch(
        r"<https://helpdesk\.example\.com(/unsubscribe/\S+)>", str(mail.message["List-Unsubscribe"])
    )
    assert found
    name, _, value = str(mail.message["List-Unsubscribe-Post"]).partition("=")
    settings = ViewerSettings(
        town.installation.database.settings,
        WebSettings(public_url="https://helpdesk.example.com"),
        AuthSettings(),
        None,
    )
    app = create_app(settings, town.installation.database)
    assert app.test_client().post(found.group(1), data={name: value}).status_code == 200
