"""Ways to lose sight of what one was told of, each by one request to Redmine."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.real.matrix_cases import TEAM, Deed, place
from tests.real.matrix_play import LOCKED, Play


@dataclass(frozen=True, slots=True)
class Loss:
    """What happens, and how it is done."""

    name: str
    happen: Callable[[Play], object]


def lock(login: str) -> Callable[[Play], object]:
    """Lock somebody."""
    return lambda play: play.set_status(login, LOCKED)


def leave_team(login: str) -> Callable[[Play], object]:
    """Take somebody out of the team, and with it out of its projects."""
    return lambda play: play.call(
        "admin",
        "delete",
        f"/groups/{play.redmine.id_of('group', TEAM)}/users/{play.redmine.id_of('user', login)}.json",
    )


def end_membership(login: str, project: str) -> Callable[[Play], object]:
    """Take somebody out of a project."""
    return lambda play: play.call("admin", "delete", f"/memberships/{_membership(play, login, project)}.json")


def change_role(login: str, project: str, role: str) -> Callable[[Play], object]:
    """Give somebody another role, and only that, in a project."""

    def happen(play: Play) -> object:
        body = {"membership": {"role_ids": [play.redmine.id_of("role", role)]}}
        return play.call("admin", "put", f"/memberships/{_membership(play, login, project)}.json", body)

    return happen


def act(case: str, deed: Deed) -> Callable[[Play], object]:
    """Change an issue."""
    return lambda play: play.act(play.id_of(case), deed)


def rewrite(case: str, old: str, **journal: object) -> Callable[[Play], object]:
    """Change, in place, the note of a case that begins with `old`."""

    def happen(play: Play) -> object:
        journals = play.issue(play.id_of(case))["journals"]
        number = next(row["id"] for row in journals if (row["notes"] or "").startswith(old))
        return play.call("admin", "put", f"/journals/{number}.json", {"journal": journal})

    return happen


def project(identifier: str, status: str) -> Callable[[Play], object]:
    """Close or archive a project."""
    return lambda play: play.call("admin", "put", f"/projects/{identifier}/{status}.json")


def hide_project(identifier: str) -> Callable[[Play], object]:
    """Make a project private."""
    body = {"project": {"is_public": False}}
    return lambda play: play.call("admin", "put", f"/projects/{identifier}.json", body)


def happen(losses: Iterable[Loss], play: Play) -> None:
    """Let all of it happen."""
    for loss in losses:
        loss.happen(play)


def _membership(play: Play, login: str, project: str) -> int:
    rows = play.call("admin", "get", f"/projects/{project}/memberships.json?limit=100").json()["memberships"]
    who = play.redmine.id_of("user", login)
    return next(int(row["id"]) for row in rows if row.get("user", {}).get("id") == who)


SEEN_BY_ALL = place("open", False, None)
DORAS = place("open", False, "dora")
DORAS_PRIVATE = place("closed-circle", True, "dora")
IN_CIRCLE = place("closed-circle", False, None)
OF_TEAM = place("open", False, TEAM)
RELATED = "soon hidden in open"
PRIVATE = Deed("ann", {"is_private": True})

LOSSES = (
    Loss("gina is locked", lock("gina")),
    Loss("fred leaves the team", leave_team("fred")),
    Loss("bob leaves the closed circle", end_membership("bob", "closed-circle")),
    Loss("hugo loses private notes and Salary band", change_role("hugo", "open", "Reporter")),
    Loss("an issue turns private", act(OF_TEAM, PRIVATE)),
    Loss("dora's issue goes to ann", act(DORAS_PRIVATE, Deed("ann", {"assignee": "ann"}))),
    Loss("a note with a change turns private", rewrite(SEEN_BY_ALL, "For all", private_notes=True)),
    Loss("a note alone turns private", rewrite(SEEN_BY_ALL, "Eve", private_notes=True)),
    Loss("a note is edited", rewrite(DORAS, "For all", notes="Now it says something else")),
    Loss("a note alone is removed", rewrite(DORAS, "Eve", notes="")),
    Loss("a note with a change is removed", rewrite(IN_CIRCLE, "For all", notes="")),
    Loss("a related issue turns private", act(RELATED, PRIVATE)),
)
