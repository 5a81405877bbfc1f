"""From a request to its answer: sign in, find the endpoint, run it under the lock."""

import json
import re
import threading
from collections.abc import Callable
from typing import Final

from daemon.demo import files, groups, html, issues, lists, memberships, planning, projects, ties, users
from daemon.demo.access import Viewer
from daemon.demo.exchange import Answer, Call, Request, StopError
from daemon.demo.model import Json, User
from daemon.demo.sign_in import acting_user
from daemon.demo.store import Store

Endpoint = Callable[..., Answer]

_ID, _NAME = r"(\d+)", r"([^/]+?)"

_TABLE: Final[tuple[tuple[str, str, Endpoint], ...]] = (
    ("GET", r"/issues\.json", issues.index),
    ("POST", r"/issues\.json", issues.create),
    ("GET", r"/", html.home),
    ("GET", r"/login", html.login),
    ("GET", rf"/issues/{_ID}", html.issue),
    ("GET", rf"/issues/{_ID}\.json", issues.show),
    ("PUT", rf"/issues/{_ID}\.json", issues.update),
    ("PATCH", rf"/issues/{_ID}\.json", issues.update),
    ("DELETE", rf"/issues/{_ID}\.json", issues.destroy),
    ("GET", rf"/issues/{_ID}/relations\.json", ties.relations),
    ("POST", rf"/issues/{_ID}/relations\.json", ties.add_relation),
    ("POST", rf"/issues/{_ID}/watchers\.json", ties.add_watchers),
    ("DELETE", rf"/issues/{_ID}/watchers/{_ID}\.json", ties.remove_watcher),
    ("GET", rf"/relations/{_ID}\.json", ties.show_relation),
    ("DELETE", rf"/relations/{_ID}\.json", ties.remove_relation),
    ("PUT", rf"/journals/{_ID}\.json", ties.update_journal),
    ("PATCH", rf"/journals/{_ID}\.json", ties.update_journal),
    ("POST", r"/uploads\.json", files.upload),
    ("GET", rf"/attachments/{_ID}\.json", files.show),
    ("PUT", rf"/attachments/{_ID}\.json", files.update),
    ("PATCH", rf"/attachments/{_ID}\.json", files.update),
    ("DELETE", rf"/attachments/{_ID}\.json", files.destroy),
    ("GET", rf"/attachments/download/{_ID}", files.download),
    ("GET", rf"/attachments/download/{_ID}/(.+)", files.download),
    ("GET", rf"/attachments/thumbnail/{_ID}", files.download),
    ("GET", r"/users/current\.json", users.current_user),
    ("GET", r"/users\.json", users.users),
    ("GET", rf"/users/{_ID}\.json", users.user),
    ("GET", r"/groups\.json", groups.groups),
    ("GET", rf"/groups/{_ID}\.json", groups.group),
    ("GET", r"/issue_statuses\.json", lists.statuses),
    ("GET", r"/trackers\.json", lists.trackers),
    ("GET", r"/enumerations/issue_priorities\.json", lists.priorities),
    ("GET", r"/projects\.json", projects.projects),
    ("GET", rf"/projects/{_NAME}\.json", projects.project),
    ("GET", rf"/projects/{_NAME}/issues\.json", issues.index),
    ("POST", rf"/projects/{_NAME}/issues\.json", issues.create),
    ("GET", rf"/projects/{_NAME}/memberships\.json", memberships.memberships),
    ("GET", rf"/projects/{_NAME}/issue_categories\.json", planning.categories),
    ("GET", rf"/projects/{_NAME}/versions\.json", planning.versions),
    ("GET", r"/roles\.json", lists.roles),
    ("GET", rf"/roles/{_ID}\.json", lists.role),
    ("GET", r"/custom_fields\.json", lists.custom_fields),
    ("POST", r"/users\.json", users.create_user),
    ("PUT", rf"/users/{_ID}\.json", users.update_user),
    ("DELETE", rf"/users/{_ID}\.json", users.delete_user),
    ("POST", r"/groups\.json", groups.create_group),
    ("POST", rf"/groups/{_ID}/users\.json", groups.join_group),
    ("DELETE", rf"/groups/{_ID}/users/{_ID}\.json", groups.leave_group),
    ("POST", rf"/projects/{_NAME}/memberships\.json", memberships.create_membership),
    ("GET", rf"/memberships/{_ID}\.json", memberships.show_membership),
    ("PUT", rf"/memberships/{_ID}\.json", memberships.update_membership),
    ("DELETE", rf"/memberships/{_ID}\.json", memberships.delete_membership),
    ("POST", r"/projects\.json", projects.create_project),
    ("DELETE", rf"/projects/{_NAME}\.json", projects.delete_project),
    ("PUT", rf"/projects/{_NAME}/close\.json", projects.close),
    ("PUT", rf"/projects/{_NAME}/reopen\.json", projects.reopen),
    ("PUT", rf"/projects/{_NAME}/archive\.json", projects.archive),
    ("PUT", rf"/projects/{_NAME}/unarchive\.json", projects.unarchive),
    ("POST", rf"/projects/{_NAME}/issue_categories\.json", planning.create_category),
    ("DELETE", rf"/issue_categories/{_ID}\.json", planning.delete_category),
    ("POST", rf"/projects/{_NAME}/versions\.json", planning.create_version),
    ("DELETE", rf"/versions/{_ID}\.json", planning.delete_version),
)


class App:
    """The demo Redmine without its sockets; for many threads, it answers one request at a time."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lock = threading.RLock()
        self._endpoints: dict[tuple[str, str], list[tuple[re.Pattern[str], Endpoint]]] = {}
        for method, pattern, endpoint in _TABLE:
            key = (method, _first_word(pattern.replace("\\", "")))
            self._endpoints.setdefault(key, []).append((re.compile(pattern), endpoint))

    def who(self, request: Request) -> User | StopError:
        """The acting user, or the answer that signing in already gave."""
        with self.lock:
            try:
                return acting_user(self.store, request)
            except StopError as e:
                return e

    def answer(self, request: Request, user: User | StopError | None = None) -> Answer:
        """Whatever the endpoint says; 404 where there is none."""
        acting = self.who(request) if user is None else user
        if isinstance(acting, StopError):
            return acting.answer
        with self.lock:
            try:
                return self._dispatch(Call(self.store, Viewer(self.store, acting), request, _fields(request)))
            except StopError as e:
                return e.answer

    def _dispatch(self, call: Call) -> Answer:
        if self.store.settings.login_required and not call.viewer.user.logged:
            raise call.login_required()
        path = call.request.path
        method = "GET" if call.request.method == "HEAD" else call.request.method
        for pattern, endpoint in self._endpoints.get((method, _first_word(path)), ()):
            found = pattern.fullmatch(path)
            if found:
                return endpoint(call, *found.groups())
        return Answer.page(404)


def _first_word(path: str) -> str:
    """`issues` of /issues.json and /issues/5.json: few enough patterns are left to try."""
    return path.lstrip("/").partition("/")[0].partition(".")[0]


def _fields(request: Request) -> Json:
    """The JSON body. Rails reads none without the content type and answers 400 to a malformed one."""
    if (
        request.headers.get("content-type", "").partition(";")[0].strip() != "application/json"
        or not request.body
    ):
        return {}
    try:
        found = json.loads(request.body)
    except ValueError as e:
        raise StopError(400, answer=Answer.page(400)) from e
    return found if isinstance(found, dict) else {}
