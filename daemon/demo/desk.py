"""What the demo's people have at hand: issues and colleagues to choose from, a way to act as one of them."""

import random
from collections.abc import Mapping
from typing import Any, Final

from daemon.demo.access import Viewer
from daemon.demo.exchange import Request
from daemon.demo.model import Issue, Project, User
from daemon.demo.server import DemoRedmine
from daemon.demo.world import DEMO_LOGIN

_ABOUT_DEMO: Final = 0.75
_BY_DEMO: Final = 0.04


class Desk:
    """Chance, the server, and what is where. Callers hold the server's lock."""

    def __init__(self, server: DemoRedmine, rng: random.Random) -> None:
        self.server = server
        self.store = server.store
        self.rng = rng

    def act(self, login: str, method: str, path: str, fields: Mapping[str, Any] | None = None) -> bool:
        """Whether Redmine did it."""
        return self.server.act(login, method, path, fields).status < 300

    def change(self, actor: User, issue: Issue, **fields: Any) -> bool:
        """Change the issue as the actor."""
        return self.act(actor.login, "PUT", f"/issues/{issue.id}.json", {"issue": fields})

    def upload(self, actor: User, name: str, content: bytes) -> str:
        """Upload a file; its token comes back."""
        headers = {"content-type": "application/octet-stream"}
        request = Request("POST", "/uploads.json", {"filename": name}, headers, content)
        self.server.app.answer(request, actor)
        return list(self.store.attachments.values())[-1].token

    def open_issues(self) -> list[Issue]:
        return [i for i in self.store.issues.values() if not self.store.is_closed(i)]

    def issue(self, *, leaf: bool = False) -> Issue:
        """Mostly an open issue that concerns the demo user, now and then any other; `leaf` = no parent."""
        found = self.open_issues() if self.rng.random() < 0.9 else list(self.store.issues.values())
        if leaf:
            found = [i for i in found if not self.store.children_of.of(i.id)]
        mine = [i for i in found if self.concerns_demo(i)]
        return self.rng.choice(mine if mine and self.rng.random() < _ABOUT_DEMO else found)

    def concerns_demo(self, issue: Issue) -> bool:
        viewer = Viewer(self.store, self.demo)
        watching = set(self.store.watchers.of(issue.id))
        ours = viewer.principal_ids & {issue.author_id, issue.assigned_to_id, *watching}
        return bool(ours) and viewer.sees(issue)

    @property
    def demo(self) -> User:
        user = self.store.user_by_login(DEMO_LOGIN)
        if user is None:
            raise KeyError(DEMO_LOGIN)
        return user

    def members(self, project_id: int, permission: str) -> list[User]:
        """Who has the right in the project; the demo user too, but admins not."""
        project: Project = self.store.projects[project_id]
        people = (self.store.users.get(m.principal_id) for m in self._memberships(project_id))
        return [u for u in people if u is not None and Viewer(self.store, u).has(permission, project)]

    def _memberships(self, project_id: int) -> list[Any]:
        return [m for m in self.store.members.values() if m.project_id == project_id]

    def actor(self, project_id: int, permission: str) -> User:
        """Somebody with the right, seldom the demo user: nobody is told of what he does himself."""
        people = self.members(project_id, permission)
        others = [u for u in people if u.login != DEMO_LOGIN]
        return self.rng.choice(people if self.rng.random() < _BY_DEMO or not others else others)
