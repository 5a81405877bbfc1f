"""Logging in by the ERP in Chromium: each refusal in its words, in Russian and English."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from storage import states
from tests.e2e.desk import DESKTOP, PHONE, Desk
from tests.e2e.erp_desk import STATUSES, ErpViewer
from tests.e2e.viewer import ViewerUnderTest
from tests.erp.registry import PASSWORD

pytestmark = [pytest.mark.real, pytest.mark.long]
OpenDesk = Callable[[ViewerUnderTest], Desk]
LANGUAGES = {"en": "en-US", "ru": "ru-RU"}


@pytest.fixture(scope="module")
def erp_viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ErpViewer]:
    """A viewer whose ERP answers; the poll has seen everybody."""
    viewer = ErpViewer(tmp_path_factory.mktemp("erp"))
    with viewer.database.write() as session:
        states.save(session, "erp_people", [{"name": name, "full_name": name} for name in STATUSES])
    viewer.start()
    yield viewer
    viewer.close()


@pytest.mark.parametrize(
    ("name", "password", "words"),
    [
        ("lou", PASSWORD, {"en": "Your account in the ERP is locked", "ru": "в ERP заблокирована"}),
        ("max", PASSWORD, {"en": "Your ERP password has expired", "ru": "Срок действия пароля ERP истёк"}),
        ("ann", "wrong", {"en": "Wrong user name or password", "ru": "Неверное имя пользователя"}),
    ],
    ids=["locked", "expired", "wrong"],
)
@pytest.mark.parametrize(("language", "size"), [("en", DESKTOP), ("ru", PHONE)], ids=["en", "ru-phone"])
def test_a_refusal_is_told_on_the_form(  # noqa: PLR0917
    open_desk: OpenDesk,
    erp_viewer: ErpViewer,
    name: str,
    password: str,
    words: dict[str, str],
    language: str,
    size: dict[str, int],
) -> None:
    page = open_desk(erp_viewer).page(path="/users/login", locale=LANGUAGES[language], viewport=size)
    hint = {"en": "Use your ERP account.", "ru": "Войдите с учётной записью ERP."}
    expect(page.locator(".login-hint")).to_have_text(hint[language])
    page.locator("#username").fill(name)
    page.locator("#password").fill(password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(words[language])
    expect(page.locator("#username")).to_have_value(name)
    expect(page.locator("#password")).to_have_value("")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_password_that_expires_soon_lets_in_and_says_so_once(
    open_desk: OpenDesk, erp_viewer: ErpViewer
) -> None:
    page = open_desk(erp_viewer).page(path="/users/login?next=/users/profile")
    page.locator("#username").fill("eve")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Your ERP password expires soon. Change it in the ERP.")
    expect(page.locator("#department")).to_be_disabled()
    expect(page.locator("#department")).to_have_value("IT")
    page.reload()
    expect(page.locator("#department")).to_be_disabled()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.fixture
def erp_is_away(tmp_path: Path) -> Iterator[ErpViewer]:
    """A viewer whose ERP is down."""
    viewer = ErpViewer(tmp_path, is_away=True)
    viewer.start()
    yield viewer
    viewer.close()


def test_while_the_erp_is_away_a_local_password_lets_in_and_the_page_says_so(
    erp_is_away: ErpViewer, open_desk: OpenDesk
) -> None:
    viewer, desk = erp_is_away, open_desk(erp_is_away)
    desk.allow("status of 503")
    person = viewer.person()
    with viewer.database.write() as session:
        states.save(session, "users", [{"id": person.id, "erp_name": person.username}])
    page = desk.page(path="/users/login")
    page.locator("#username").fill("ann")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The ERP does not answer, so your password cannot")
    page.locator("#username").fill(person.username)
    page.locator("#password").fill(person.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("you were let in by your Helpdesk password")
