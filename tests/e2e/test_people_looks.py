"""How the pages about people and news look: no barriers in either theme, no sideways scrolling."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e import people_pictures
from tests.e2e.barriers import assert_no_barriers
from tests.e2e.desk import PHONE, Desk
from tests.e2e.screenshots import Look

pytestmark = [pytest.mark.real, pytest.mark.long]
State = Callable[[Look], Page]
# What is inside Swagger UI is not ours to mend.
OURS = [state for state in people_pictures.STATES if state is not people_pictures.api_docs]
each_state = pytest.mark.parametrize("state", OURS, ids=lambda state: state.__name__)


@each_state
def test_no_serious_barrier_for_anybody_in_either_theme(desk: Desk, state: State) -> None:
    page = state(Look(desk, "desktop", "light", "en"))
    page.emulate_media(reduced_motion="reduce")
    assert_no_barriers(page)


@pytest.mark.parametrize("state", people_pictures.STATES, ids=lambda state: state.__name__)
def test_a_phone_never_scrolls_sideways(desk: Desk, state: State) -> None:
    page = state(Look(desk, "phone", "light", "ru"))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@each_state
def test_every_icon_is_in_the_sprite(desk: Desk, state: State) -> None:
    missing = state(Look(desk, "desktop", "light", "en")).evaluate(
        """async () => {
          const uses = [...document.querySelectorAll("use")].map((use) => use.getAttribute("href"));
          const sprite = await (await fetch(uses[0].split("#")[0])).text();
          return uses.filter((href) => !sprite.includes(`id="${href.split("#")[1]}"`));
        }"""
    )
    assert missing == []
