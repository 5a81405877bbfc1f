"""schemathesis makes requests of the document: whatever it sends, answers are those that are described."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from storage import posts
from tests.redmines import RedmineUnderTest
from tests.web.house import House
from tests.web.town import attach

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]


def says_what_is_wrong(_context: Any, response: Any, case: Case) -> None:
    """Nothing crashes: of all 5xx only a 503 with a reason is an answer, where something is not there."""
    if response.status_code >= 500:
        assert response.status_code == 503, f"{case.operation.label}: {response.status_code}"
        assert case.operation.label in {"GET /healthz", "GET /readyz"} or response.json()["code"]


CHECKS: list[Any] = [
    says_what_is_wrong,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 30
# It ends the session that all the others need.
NEVER_CALLED = ("GET /users/logout",)
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def open_town(demo_town: House) -> House:
    """A viewer of the demo Redmine, with an administrator who may do anything."""
    demo_town.change_user(1, role="admin", can_access_quality_control=True)
    demo_town.live.start()
    return demo_town


@pytest.fixture
def known(open_town: House, demo_redmine: RedmineUnderTest) -> dict[str, int]:
    """Ids of things that are there, which nobody guesses; by the names that paths give them."""
    task_id = demo_redmine.create_issue("ann")
    with open_town.database.write() as session:
        post_id = posts.add(session, 1, "Post", "Words").id
    (notification_id,) = open_town.notify(1)
    return {
        "task_id": task_id,
        "attachment_id": attach(demo_redmine, "ann", task_id, "a.txt", b"words", "text/plain"),
        "notification_id": notification_id,
        "post_id": post_id,
        "user_id": 2,
    }


def operations(house: House) -> Iterator[Any]:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", house.app)
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.label not in NEVER_CALLED:
            yield operation


@dataclass(frozen=True, slots=True)
class Session:
    """What every request carries, whatever else schemathesis puts into it."""

    cookie: str
    token: str
    known: Mapping[str, int]

    def give(self, case: Case, *, is_known: bool) -> Case:
        """Let a case be sent by somebody who is signed in, about something that is there if `is_known`."""
        if is_known:
            case.path_parameters.update(
                {name: self.known[name] for name in case.path_parameters if name in self.known}
            )
        case.cookies["helpdesk"] = self.cookie
        case.headers["X-CSRFToken"] = self.token
        return case


def session_of(house: House, known: Mapping[str, int]) -> Session:
    browser = house.browser("ann")
    token = browser.token()
    cookie = browser.client.get_cookie("helpdesk")
    assert cookie is not None
    return Session(cookie.value, token, known)


def faults_of(operation: Any, mode: GenerationMode, session: Session) -> list[str]:
    """Call an operation with whatever fits its description, or does not; return what was wrong."""
    found: set[str] = set()
    statuses: set[int] = set()

    @QUIET
    @given(data=st.data())
    def call(data: st.DataObject) -> None:
        case: Case = data.draw(operation.as_strategy(generation_mode=mode))
        session.give(case, is_known=data.draw(st.booleans()))
        try:
            answer = case.call_and_validate(checks=CHECKS)
        except FailureGroup as failures:
            found.update(f"{operation.label}: {failure}" for failure in failures.exceptions)
        else:
            statuses.add(answer.status_code)

    try:
        call()
    except Unsatisfiable:
        return []  # nothing that does not fit can be made of it
    if 401 in statuses and operation.label != "POST /users/login":
        found.add(f"{operation.label}: the session has ended")
    return sorted(found)


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"]
)
def test_every_answer_is_one_that_the_document_describes(
    open_town: House, known: dict[str, int], mode: GenerationMode
) -> None:
    session = session_of(open_town, known)
    faults = [fault for operation in operations(open_town) for fault in faults_of(operation, mode, session)]
    assert not faults, "\n\n".join(faults)
