"""The examples of the contract work as written, save host, user and numbers, on the real Redmine."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.desk import Desk
from tests.e2e.product import Product, redmine_person
from tests.e2e.viewer import wait_until
from tests.redmines import RealRedmine

pytestmark = [pytest.mark.real, pytest.mark.long]
SPEC = Path(__file__).parents[1] / "spec/api.md"
RESOLVED = "Resolved"  # the third status of Redmine's default data, as in the examples
# What the example expects of the page that it is pasted into, and handles to call it from outside.
AROUND = """
async (currentUserId) => {
  const ours = document.querySelector("script[src$='/js/page.js']").src;
  const { io } = await import(new URL("io.js", ours).href);
  const getCsrfToken = () => document.body.dataset.csrfToken;
  const showNotification = (data) => { window.shown = data; };
  CODE
  window.updateTaskStatus = updateTaskStatus;
}
"""


def example(language: str, with_words: str) -> str:
    """Return the code block of the contract in this language that has these words in it."""
    blocks = re.findall(rf"```{language}\n(.*?)```", SPEC.read_text(), re.DOTALL)
    (found,) = (block for block in blocks if with_words in block)
    return str(found)


@pytest.fixture
def task(redmine_product: Product, real_redmine: RealRedmine) -> int:
    """A task of bob's, known to the product."""
    number = real_redmine.create_issue("ann", assigned_to_id=real_redmine.id_of("user", "bob"))
    wait_until(lambda: redmine_product.knows(number), "the daemon has seen the task", 20)
    return number


def status_of(redmine: RealRedmine, task: int) -> str:
    return str(redmine.session().get(f"{redmine.url}/issues/{task}.json").json()["issue"]["status"]["name"])


def test_the_commands_work(
    redmine_product: Product, real_redmine: RealRedmine, task: int, tmp_path: Path
) -> None:
    script = example("bash", "curl -X POST")
    for old, new in {
        "http://localhost:5000": redmine_product.url,
        "user123": "bob",
        "password123": "password-bob",
        "12345": str(task),
    }.items():
        assert old in script
        script = script.replace(old, new)
    login, rest = script.split("\n\n", 1)
    token = f"curl -s -b cookies.txt -c cookies.txt {redmine_product.url}/users/csrf-token > csrf_token.txt"
    commands = f"{login}\n{token}\n{rest}".replace("curl ", "curl -sS --fail-with-body --max-time 30 ")
    first = redmine_product.newest_notification()
    commands = commands.replace("/notifications/1/read", f"/notifications/{first}/read")
    done = subprocess.run(
        ["bash", "-euc", commands], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Статус задачи успешно изменен" in done.stdout
    assert f'"id": {task}' in done.stdout or f'"id":{task}' in done.stdout
    assert status_of(real_redmine, task) == RESOLVED


def test_the_script_works(
    redmine_product: Product, real_redmine: RealRedmine, task: int, open_desk: Callable[..., Desk]
) -> None:
    page = open_desk(redmine_product).inbox(redmine_person("bob"))
    code = example("javascript", "io('http://localhost:5000')")
    pasted = AROUND.replace("CODE", code.replace("http://localhost:5000", redmine_product.url))
    with page.expect_console_message(lambda message: message.text == "Подключен к серверу"):
        page.evaluate(pasted, int(str(page.locator("body").get_attribute("data-user-id"))))
    with page.expect_console_message(lambda message: message.text.startswith("Новое уведомление:")):
        real_redmine.update_issue(task, "ann", notes="Как дела?")
    assert page.evaluate("window.shown.issue_id") == task
    resolved = real_redmine.id_of("status", RESOLVED)
    updated = "Статус обновлен: Статус задачи успешно изменен"
    with page.expect_console_message(lambda message: message.text == updated):
        page.evaluate("([task, status]) => updateTaskStatus(task, status, 'Готово')", [task, resolved])
    assert status_of(real_redmine, task) == RESOLVED
