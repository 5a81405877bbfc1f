"""axe-core looks at pages: nothing serious may stand in the way of anybody."""

from playwright.sync_api import Page, expect

from tests.e2e.viewer import ROOT

AXE = ROOT / "web/node_modules/axe-core/axe.min.js"


def barriers(page: Page) -> list[str]:
    """Return the serious and critical barriers of a page as it is now."""
    page.evaluate(AXE.read_text())
    answer = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in answer
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]


def assert_no_barriers(page: Page) -> None:
    """Have axe look at a page in both themes."""
    found = []
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.themeChoice = theme; }", theme)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
        found += [f"{theme}: {barrier}" for barrier in barriers(page)]
    assert not found, "\n".join(found)
