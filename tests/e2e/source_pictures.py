"""Take pictures of calls and of logging in by the ERP: `python -m tests.e2e.source_pictures [part of name]`.

They land in .cache/screenshots/ as <size>-<theme>-<language>-<state>.png, to be looked at by a person. These
pages need a Finesse and an ERP: those of the tests.
"""

import itertools
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.calls import EVE, Office, office, teams
from tests.e2e.desk import CHROMIUM_ARGS, Desk
from tests.e2e.erp_desk import ErpViewer
from tests.e2e.screenshots import FOLDER, SIZES, Look
from tests.e2e.viewer import Person
from tests.erp.registry import PASSWORD
from tests.finesse.samples import dialog, ringing
from tests.finesse.server import OUT_OF_SERVICE, says

CALLS = "/finesse/calls"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Sources:
    """A viewer with a Finesse, one with an ERP, and one whose ERP is away."""

    office: Office
    erp: ErpViewer
    away: ErpViewer


@dataclass(frozen=True, slots=True)
class Pictured:
    """A state: what is looked at, and by which viewer."""

    look: Look
    office: Office

    def agent(self, *dialogs: str) -> Person:
        """Return an agent who supervises a busy team."""
        look = self.look
        boss = self.office.agent(*dialogs, teams=teams(), language=look.language, theme=look.theme)
        self.office.busy_team(boss.username)
        return boss

    def calls(self, person: Person, path: str = CALLS) -> Page:
        """Open the page and wait until it shows something."""
        page = self.look.page(person, path)
        page.locator(".call, .empty, #calls-trouble:not([hidden])").first.wait_for()
        return page


def calls_own(pictured: Pictured) -> Page:
    person = pictured.agent()
    one = ringing("7", EVE, person.username)
    pictured.office.node.has_agent(person.username, one, dialog("8"), teams=teams())
    return pictured.calls(person)


def calls_team(pictured: Pictured) -> Page:
    return pictured.calls(pictured.agent(), f"{CALLS}?team=5")


def calls_none(pictured: Pictured) -> Page:
    return pictured.calls(pictured.agent())


def calls_stranger(pictured: Pictured) -> Page:
    return pictured.calls(pictured.look.person())


def calls_out_of_service(pictured: Pictured) -> Page:
    person = pictured.agent(dialog("7", fromAddress=EVE))
    page = pictured.calls(person)
    pictured.look.desk.allow("status of 503")
    pictured.office.node.misbehaves(says(503, OUT_OF_SERVICE))
    expect(page.locator("#calls-trouble")).to_be_visible(timeout=15_000)
    pictured.office.node.behaviours = {}
    return page


def _logged_in(look: Look, status: str, password: str = PASSWORD) -> Page:
    """Log in as somebody of that status whom no other picture knows: after some refusals a name must wait."""
    viewer, name = look.desk.viewer, f"user{next(_NUMBERS)}"
    assert isinstance(viewer, ErpViewer)
    viewer.registry.add(name.upper(), status=status, vpn=1, vpn_end_date="31.12.2026")
    look.desk.allow("status of")
    page = look.page(None, "/users/login")
    page.locator("#username").fill(name)
    page.locator("#password").fill(password)
    page.keyboard.press("Enter")
    page.get_by_role("alert").first.wait_for()
    return page


def erp_wrong(look: Look) -> Page:
    return _logged_in(look, "ok", "wrong")


def erp_locked(look: Look) -> Page:
    return _logged_in(look, "locked")


def erp_expired(look: Look) -> Page:
    return _logged_in(look, "expired")


def erp_expiring(look: Look) -> Page:
    return _logged_in(look, "expiring")


def erp_away(look: Look) -> Page:
    return _logged_in(look, "ok")


OF_CALLS: tuple[Callable[[Pictured], Page], ...] = (
    calls_own, calls_team, calls_none, calls_stranger, calls_out_of_service,
)  # fmt: skip
OF_ERP: tuple[Callable[[Look], Page], ...] = (erp_wrong, erp_locked, erp_expired, erp_expiring)


def pages_of(sources: Sources) -> Mapping[str, tuple[Callable[[Look], Page], ErpViewer | None]]:
    """Return what makes each state, and its viewer: that with the Finesse where there is none."""
    calls = {
        state.__name__: ((lambda look, state=state: state(Pictured(look, sources.office))), None)
        for state in OF_CALLS
    }
    erp = {state.__name__: (state, sources.erp) for state in OF_ERP}
    return {**calls, **erp, erp_away.__name__: (erp_away, sources.away)}


def take(browser: Browser, sources: Sources, wanted: str) -> None:
    """Take the pictures whose name contains `wanted`."""
    for size, theme, language in itertools.product(SIZES, ("light", "dark"), ("ru", "en")):
        for name, (state, viewer) in pages_of(sources).items():
            file = FOLDER / f"{size}-{theme}-{language}-{name}.png"
            if wanted not in file.name:
                continue
            desk = Desk(browser, viewer or sources.office.viewer)
            state(Look(desk, size, theme, language)).screenshot(path=file, animations="disabled")
            for problem in desk.close():
                print(f"{file.name}: {problem}")


@contextmanager
def sources_in(folder: Path) -> Iterator[Sources]:
    """Start what these pages need."""
    with ExitStack() as stack:
        for name in ("calls", "erp", "away"):
            (folder / name).mkdir()
        found = stack.enter_context(office(folder / "calls"))
        erp = [ErpViewer(folder / name, is_away=name == "away") for name in ("erp", "away")]
        for viewer in erp:
            stack.callback(viewer.close)
            viewer.start()
        yield Sources(found, *erp)


def main(wanted: str) -> None:
    """Start the viewers and Chromium and take the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGS))
        try:
            with sources_in(Path(folder)) as sources:
                take(browser, sources, wanted)
        finally:
            browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
