"""Take the pictures of README.md anew: `python -m tests.e2e.readme_pictures`.

They show the demo as `make run` starts it, and land in .github/.
"""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

from tests.e2e.desk import CHROMIUM_ARGS, expect_live, log_in
from tests.e2e.product import Product
from tests.e2e.viewer import ROOT, Person, wait_until

FOLDER = ROOT / ".github"
DEMO = Person(1, "demo", "demo")
SIZE = {"width": 1280, "height": 800}


def take(context: BrowserContext) -> None:
    """Take the tasks by day and the inbox by night, once the inbox has filled a little."""
    page = context.new_page()
    log_in(page, DEMO, "/tasks/my-tasks")
    page.locator(".task").first.wait_for()
    page.screenshot(path=FOLDER / "my-tasks.png", animations="disabled")
    page.emulate_media(color_scheme="dark")
    page.goto("/notifications")
    expect_live(page)
    page.locator(".note").nth(3).wait_for(timeout=120_000)
    page.screenshot(path=FOLDER / "inbox.png", animations="disabled")


def main() -> None:
    """Start the demo and Chromium."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Product(Path(folder)) as product, sync_playwright() as play:
        product.start()
        wait_until(lambda: "job_finished" in product.log(), "a first run", 40)
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGS))
        options = {"locale": "ru", "timezone_id": "Europe/Moscow", "color_scheme": "light", "viewport": SIZE}
        take(browser.new_context(base_url=product.url, **options))
        browser.close()


if __name__ == "__main__":
    main()
