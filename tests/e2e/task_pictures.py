"""Take pictures of a task's page and its states: `python -m tests.e2e.task_pictures [part of a name]`.

They land in .cache/screenshots/ as <size>-<theme>-task-<state>.png, to be looked at by a person. A Redmine is
needed for this page: it is the embedded one.
"""

import itertools
import json
import shutil
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from daemon.demo.server import DemoRedmine
from tests.e2e.desk import CHROMIUM_ARGS, Desk, expect_live
from tests.e2e.product import Product, redmine_person
from tests.e2e.screenshots import FOLDER, SIZES
from tests.e2e.test_board import has_begun
from tests.e2e.viewer import wait_until
from tests.redmines import RedmineUnderTest
from tests.services.layout import WORLD
from tests.web.town import attach

DESCRIPTION = """h2. Что случилось

После обновления печатаются *пустые* листы, см. #%d.

* попробовали перезагрузить
* попробовали другой кабель

|_. Модель|_. Серийный номер|
|HP 4250|CN123|

<pre>
$ lpstat -p
printer HP4250 is idle.  enabled since Mon 22 Jan 2024 10:00:00
</pre>

!снимок.png!"""


@dataclass(frozen=True, slots=True)
class Look:
    """How a task is looked at."""

    desk: Desk
    redmine: RedmineUnderTest
    task_id: int
    size: str
    theme: str

    def page(self, login: str = "hugo") -> Page:
        """Open the task as somebody and wait until the page is live."""
        options = {"viewport": SIZES[self.size], "color_scheme": self.theme, "locale": "ru"}
        page = self.desk.page(redmine_person(login), path=f"/tasks/{self.task_id}", **options)
        expect_live(page)
        page.wait_for_load_state("networkidle")
        return page


def whole(look: Look) -> Page:
    return look.page()


def reader(look: Look) -> Page:
    return look.page("carl")


def editing(look: Look) -> Page:
    page = look.page()
    page.locator("#status_id").select_option(label="Resolved")
    return page


def refused(look: Look) -> Page:
    look.desk.allow("status of 409")
    page = look.page()
    page.evaluate("document.querySelector('[name=updated_on]').value = '2024-01-01T00:00:00Z'")
    page.locator("#status_id").select_option(label="Resolved")
    page.locator(".task-edit[data-field=status_id] [type=submit]").click()
    page.locator(".task-fault:visible").wait_for()
    return page


def changed_meanwhile(look: Look) -> Page:
    look.page("bob")
    page = look.page()
    page.locator("#task-viewers:visible").wait_for()
    look.redmine.update_issue(look.task_id, "ann", notes="Ещё один комментарий")
    page.locator("#task-banner:visible").wait_for(timeout=20_000)
    return page


STATES: dict[str, Callable[[Look], Page]] = {
    state.__name__: state for state in (whole, reader, editing, refused, changed_meanwhile)
}


def picture(width: int = 400, height: int = 260) -> bytes:
    """Return a PNG with a gradient."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (
        bytes(c for x in range(width) for c in (x * 255 // width, y * 255 // height, 120))
        for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", body) + part(b"IEND", b"")


def furnish(redmine: RedmineUnderTest) -> int:
    """Make a task with something of everything; return its id."""
    other = redmine.create_issue("ann", subject="Заменить картридж в принтере на третьем этаже")
    task_id = redmine.create_issue(
        "ann",
        subject="Принтер в бухгалтерии печатает пустые листы после обновления драйвера",
        description=DESCRIPTION % other,
        assigned_to_id=redmine.id_of("user", "bob"),
        start_date="2024-01-10",
        due_date="2024-01-20",
        estimated_hours=5.5,
    )
    attach(redmine, "ann", task_id, "снимок.png", picture(), "image/png")
    attach(redmine, "ann", task_id, "Журнал принтера за январь.log", b"x" * 123_456, "text/plain")
    progress, urgent = redmine.id_of("status", "In Progress"), redmine.id_of("priority", "Urgent")
    words = "Посмотрите, пожалуйста, *сегодня*: бухгалтерия стоит."
    redmine.update_issue(task_id, "ann", status_id=progress, priority_id=urgent, notes=words)
    redmine.update_issue(task_id, "hugo", notes="Ключ от серверной у меня.", private_notes=True)
    redmine.update_issue(
        task_id, "bob", done_ratio=40, notes="> Посмотрите сегодня\n\nДрайвер откатил, проверяю."
    )
    relation = {"issue_to_id": other, "relation_type": "relates"}
    with redmine.session() as admin:
        admin.post(f"{redmine.url}/issues/{task_id}/relations.json", json={"relation": relation})
    return task_id


def main(wanted: str) -> None:
    """Start the product on a Redmine of its own, and Chromium, and take the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        DemoRedmine(json.loads(WORLD.read_text())) as demo,
        sync_playwright() as playwright,
        Product(Path(folder), demo.url, demo.admin_key) as product,
    ):
        redmine = RedmineUnderTest("demo", demo.url, demo=demo)
        task_id = furnish(redmine)
        product.command("db", "upgrade")
        product.start()
        wait_until(lambda: has_begun(product), "Redmine was read", 30)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGS)
        )
        for size, theme, name in itertools.product(SIZES, ("light", "dark"), STATES):
            file = FOLDER / f"{size}-{theme}-task-{name}.png"
            if wanted in file.name:
                desk = Desk(browser, product)
                page = STATES[name](Look(desk, redmine, task_id, size, theme))
                page.screenshot(path=file, full_page=name == "whole", animations="disabled")
                for problem in desk.close():
                    print(f"{file.name}: {problem}")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
