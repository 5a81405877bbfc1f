"""Take pictures of every page and state: `python -m tests.e2e.screenshots [part of a name]`.

They land in .cache/screenshots/ as <size>-<theme>-<language>-<state>.png, to be looked at by a person.
"""

import itertools
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e import (
    host_pictures,
    people_pictures,
    samples,
    schedule_pictures,
    stored_pictures,
    task_samples,
    tasks,
)
from tests.e2e.desk import CHROMIUM_ARGS, DESKTOP, PHONE, Desk
from tests.e2e.viewer import CURSOR, ROOT, Person, ViewerUnderTest

FOLDER = ROOT / ".cache/screenshots"
# Pictured to their end.
WHOLE = {"inbox", "on_paper", "profile", "people", "one_user"} | {
    state.__name__ for state in (*schedule_pictures.STATES, *stored_pictures.STATES)
}
SIZES = {"desktop": DESKTOP, "phone": PHONE}


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at."""

    desk: Desk
    size: str
    theme: str
    language: str

    def person(self) -> Person:
        """Return a reader with an empty inbox."""
        name = samples.WORDS[self.language]["reader"]
        return self.desk.viewer.person(full_name=name, language=self.language, theme=self.theme)

    def reader(self) -> Person:
        """Return a reader with something of every kind, most of it read."""
        person = self.person()
        ids = self.desk.viewer.notify_all(person, samples.rows(self.language))
        self.desk.viewer.read(person, ids[:7])
        return person

    def worker(self) -> Person:
        """Return somebody with tasks."""
        person = self.person()
        viewer = self.desk.viewer
        tasks.know_redmine(viewer, self.language)
        account = tasks.link(viewer, person)
        tasks.assign(viewer, person, account, *task_samples.rows(self.language))
        return person

    def page(self, person: Person | None, path: str = "/notifications") -> Page:
        """Open a page; that of a person is waited for until it is live."""
        options = {"viewport": SIZES[self.size], "color_scheme": self.theme, "locale": self.language}
        if person is None:
            return self.desk.page(path=path, **options)
        return self.desk.inbox(person, path=path, **options)


def log_in(look: Look) -> Page:
    return look.page(None, "/users/login")


def wrong_password(look: Look) -> Page:
    page = look.page(None, "/users/login")
    page.locator("#username").fill(look.person().username)
    page.locator("#password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    return page


def inbox(look: Look) -> Page:
    return look.page(look.reader())


def on_paper(look: Look) -> Page:
    page = look.page(look.reader())
    page.emulate_media(media="print")
    return page


def unread(look: Look) -> Page:
    return look.page(look.reader(), "/notifications?unread_only=1")


def empty(look: Look) -> Page:
    return look.page(look.person())


def nothing_unread(look: Look) -> Page:
    return look.page(look.person(), "/notifications?unread_only=1")


def arrival(look: Look) -> Page:
    person = look.reader()
    page = look.page(person)
    new = look.desk.viewer.notify(person, **samples.rows(look.language)[-1])
    page.locator(f"#n{new}").wait_for()
    return page


def arrival_elsewhere(look: Look) -> Page:
    person = look.reader()
    look.desk.viewer.notify_all(person, samples.rows(look.language) * 2)
    page = look.page(person, "/notifications?type=mention&q=nothing")
    look.desk.viewer.notify(person, **samples.rows(look.language)[-2])
    page.locator("#arrived").wait_for()
    return page


def redmine_down(look: Look) -> Page:
    look.desk.viewer.source(failures=3, cursor=CURSOR)
    return look.page(look.reader())


def first_reading(look: Look) -> Page:
    look.desk.viewer.source(cursor=None)
    return look.page(look.person())


def menus(look: Look) -> Page:
    page = look.page(look.reader())
    page.locator("details.menu").nth(1).locator("summary").click()
    return page


def account(look: Look) -> Page:
    page = look.page(look.reader())
    page.locator("details.menu").nth(2).locator("summary").click()
    return page


def signed_out(look: Look) -> Page:
    page = look.page(look.reader())
    page.context.request.get("/users/logout")
    page.get_by_role("alert").wait_for()
    return page


def not_found(look: Look) -> Page:
    page = look.page(look.person(), "/nowhere")
    expect(page.locator(".empty-header")).to_have_text("404")
    return page


def my_tasks(look: Look) -> Page:
    return look.page(look.worker(), "/tasks/my-tasks")


def no_task_fits(look: Look) -> Page:
    return look.page(look.worker(), "/tasks/my-tasks?q=zzz&state=all&status_id=2")


def board(look: Look) -> Page:
    return look.page(look.worker(), "/tasks/board")


STATES: dict[str, Callable[[Look], Page]] = {
    state.__name__: state
    for state in (
        *people_pictures.STATES,
        *host_pictures.STATES,
        *schedule_pictures.STATES,
        *stored_pictures.STATES,
        log_in,
        wrong_password,
        inbox,
        on_paper,
        unread,
        empty,
        nothing_unread,
        arrival,
        arrival_elsewhere,
        redmine_down,
        first_reading,
        menus,
        account,
        signed_out,
        not_found,
        my_tasks,
        no_task_fits,
        board,
    )
}


def take(browser: Browser, viewer: ViewerUnderTest, wanted: str) -> None:
    """Take the pictures whose name contains `wanted`."""
    for size, theme, language in itertools.product(SIZES, ("light", "dark"), ("ru", "en")):
        for name, state in STATES.items():
            file = FOLDER / f"{size}-{theme}-{language}-{name}.png"
            if wanted not in file.name:
                continue
            viewer.source(cursor=CURSOR)
            desk = Desk(browser, viewer)
            page = state(Look(desk, size, theme, language))
            page.screenshot(path=file, full_page=name in WHOLE, animations="disabled")
            for problem in desk.close():
                print(f"{file.name}: {problem}")


def main(wanted: str) -> None:
    """Start a viewer and Chromium and take the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        viewer = ViewerUnderTest(Path(folder))
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGS))
        try:
            viewer.start()
            take(browser, viewer, wanted)
        finally:
            viewer.close()
            browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
