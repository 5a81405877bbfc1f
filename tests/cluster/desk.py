"""An issue of one person on which another writes notes: each note is news for that person, and no other."""

import time
from dataclasses import dataclass

from tests.cluster.fleet import Fleet
from tests.redmines import RedmineUnderTest
from tests.services.processes import wait_until

AUTHOR, WRITER = "ann", "bob"


@dataclass
class Desk:
    """The issue, and the fleet that tells of it."""

    fleet: Fleet
    redmine: RedmineUnderTest
    issue: int

    def write(self) -> None:
        """Write a note."""
        assert self.redmine.update_issue(self.issue, WRITER, notes="Look again.") == 204

    def note(self) -> str:
        """Write a note and return the key of its news."""
        self.write()
        return self.keys()[-1]

    def keys(self) -> list[str]:
        """Return the keys of all notes, as Redmine itself numbers them."""
        journals = self.redmine.issue(self.issue)["journals"]
        return [f"redmine:journal:{journal['id']}" for journal in journals]

    def wait_told(self, key: str, within_s: float = 60) -> float:
        """Wait until a note is told; return how many seconds that took."""
        began = time.monotonic()
        is_told = wait_until(lambda: (key, AUTHOR) in self.fleet.told(), within_s=within_s)
        assert is_told, self.fleet.story()
        return time.monotonic() - began

    def require_each_once(self) -> None:
        """Every note is told once, to its reader, and nothing else is told."""
        for key in self.keys():
            self.wait_told(key)
        assert sorted(self.fleet.told()) == sorted((key, AUTHOR) for key in self.keys())
