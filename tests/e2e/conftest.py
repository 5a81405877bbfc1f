"""Chromium and a running viewer for the tests of pages."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.desk import CHROMIUM_ARGS, Desk
from tests.e2e.product import Product
from tests.e2e.viewer import CURSOR, ROOT, ViewerUnderTest, wait_until
from tests.redmines import RealRedmine

BUILT = ("web/static/vendor/tabler.css", "web/translations/ru/LC_MESSAGES/messages.mo")


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """Start Debian's Chromium once; every page gets a profile of its own."""
    if missing := [name for name in BUILT if not (ROOT / name).exists()]:
        pytest.fail(f"{', '.join(missing)} not built: run `make setup`", pytrace=False)
    expect.set_options(timeout=15_000)  # a busy machine is no fault of a page's
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=list(CHROMIUM_ARGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerUnderTest]:
    """A viewer that all tests share: each brings its own people."""
    shared = ViewerUnderTest(tmp_path_factory.mktemp("viewer"))
    shared.start()
    yield shared
    shared.close()


@pytest.fixture
def own_viewer(tmp_path: Path) -> Iterator[ViewerUnderTest]:
    """A viewer of the test's own, to be killed."""
    mortal = ViewerUnderTest(tmp_path)
    mortal.start()
    yield mortal
    mortal.close()


@pytest.fixture
def redmine_product(tmp_path: Path, real_redmine: RealRedmine) -> Iterator[Product]:
    """The product on the real Redmine, its first run done, with a few people."""
    with Product(tmp_path, real_redmine.url, real_redmine.admin_key) as product:
        product.command("db", "upgrade")
        for login, language in {"ann": "en", "bob": "ru", "carl": "en"}.items():
            linked = ("--redmine-login", login, "--language", language, "--no-password")
            product.command("users", "add", login, *linked)
        product.start()
        wait_until(product.has_begun, "the first run is over", 30)
        yield product


@pytest.fixture
def open_desk(browser: Browser) -> Iterator[Callable[[ViewerUnderTest], Desk]]:
    """Make desks of any viewer; fail the test where the browser complained of anything."""
    desks: list[Desk] = []

    def make(viewer: ViewerUnderTest) -> Desk:
        desks.append(Desk(browser, viewer))
        return desks[-1]

    yield make
    assert [text for desk in desks for text in desk.close()] == []


@pytest.fixture
def desk(open_desk: Callable[[ViewerUnderTest], Desk], viewer: ViewerUnderTest) -> Desk:
    """A desk of the shared viewer, whose Redmine does well."""
    viewer.source(cursor=CURSOR)
    return open_desk(viewer)
