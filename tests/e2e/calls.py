"""A viewer that asks a Finesse of the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from daemon.clients.finesse_settings import FinesseSettings
from storage.models import ErpPerson
from tests.channels.certificates import Authority
from tests.e2e.viewer import Person, ViewerUnderTest
from tests.finesse.samples import dialog, end, outside, ringing, team, user
from tests.finesse.server import ACCOUNT, FinesseUnderTest, settings_of

EVE = "84951234567"
TABLE = """
[finesse]
urls = ["{url}"]
username = "{username}"
password_file = "{folder}/finesse.password"
ca_file = "{ca_file}"
cache_s = 1
"""


@dataclass
class Office:
    """The viewer, its Finesse, and the settings that join them."""

    viewer: ViewerUnderTest
    node: FinesseUnderTest
    settings: FinesseSettings

    def agent(self, *dialogs: str, teams: str = "", **person: str) -> Person:
        """Add somebody who is an agent."""
        found = self.viewer.person(**person)
        self.node.has_agent(found.username, *dialogs, first="Ann", last="Lee", teams=teams)
        return found

    def busy_team(self, boss: str) -> None:
        """Let there be a team with calls of every kind."""
        names = {boss: "Анна Константинопольская", "1002": "Bob Ray", "1003": "Carl Cox", "1004": "Dora Dean"}
        users = (user(login, *name.split(" ")) for login, name in names.items())
        self.node.has_team("5", "First line support", *users)
        self.node.has_agent("1002", dialog("2", end("1002"), outside("900"), fromAddress="900"))
        held = dialog("3", end("1003", "HELD"), outside("89161112233"), fromAddress="89161112233")
        self.node.has_agent("1003", held, ringing("4", "", "1003"))
        out = dialog("5", end("1004"), outside("810499123"), fromAddress="1004", toAddress="810499123")
        self.node.has_agent("1004", out, dialog("6", end("1004"), state="TELEPORTING"))


@contextmanager
def office(folder: Path) -> Iterator[Office]:
    """Start a viewer and a Finesse; the ERP knows whose number Eve's is."""
    authority = Authority(folder)
    node = FinesseUnderTest(authority.issue("localhost"))
    settings = settings_of(node, authority, folder)
    viewer = ViewerUnderTest(folder)
    given = {"url": node.url, "username": ACCOUNT[0], "folder": folder, "ca_file": authority.ca_file}
    with viewer._config.open("a") as file:
        file.write(TABLE.format(**given))
    with viewer.database.write() as session:
        session.add(ErpPerson(name="eve", full_name="Eve Adams", phone="+7 (495) 123-45-67"))
    viewer.start()
    try:
        yield Office(viewer, node, settings)
    finally:
        viewer.close()
        node.close()


def teams() -> str:
    """The team that a supervisor's User names."""
    return team("5", "First line support")
