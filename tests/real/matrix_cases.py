"""The permission matrix as tables: which issues there are, who does what to them, and whom it concerns.

Nothing here says what anybody may see (but for SEEN, which checks Redmine's answers against common sense):
that is Redmine's own word. Every text carries a mark of its own (`z7z`), so that it is known wherever it
turns up. {t} stands for a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

TEAM = "Support team"  # fred and gina
EVERYBODY = frozenset({"ann", "bob", "carl", "dora", "eve", "fred", "gina", "hugo", "iris", "luke"})
"""ann Manager, bob Developer, carl Reporter, dora sees her own only, eve a member of nothing, fred and gina
Developers through their group, hugo a Developer with Salary band, iris sees all issues of `open` and is a
member of nothing else, luke a locked Developer. carl is a member of `open` only."""

NOBODY: frozenset[str] = frozenset()


def people(names: str) -> frozenset[str]:
    """Return the log-ins of a list like "ann bob"."""
    return frozenset(names.split())


@dataclass(frozen=True, slots=True)
class Deed:
    """One change of an issue. With `tries`, Redmine may refuse it: not everybody can do it everywhere.

    Fields: notes, private (of the note), status, priority, assignee, project, description, is_private,
    Room, Salary band, file (its name), relates (the case it is related to).
    """

    by: str
    fields: Mapping[str, object]
    tries: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """An issue. Both sets hold all who have to do with it, whether they may see it or not; who acts is
    never told, and need not be left out."""

    name: str
    project: str
    concerned_at_first: frozenset[str]
    concerned: frozenset[str]
    deeds: tuple[Deed, ...]
    author: str = "ann"
    assignee: str | None = None
    is_private: bool = False
    watchers: tuple[str, ...] = ()
    description: str = "Described {t}"


# --- everybody watches: who is told is only a matter of who may see it -------------------------------

DEEDS = (
    Deed("ann", {"status": "In Progress", "notes": "For all {t}"}),
    Deed("ann", {"priority": "High", "notes": "Between us {t}", "private": True}),
    Deed("ann", {"Room": "Room {t}", "Salary band": "Band {t}"}),
    Deed("ann", {"Salary band": "Band {t}"}),
    Deed("ann", {"relates": "hidden"}),
    Deed("ann", {"file": "plan-{t}.txt", "notes": "See the file {t}", "private": True}),
    Deed("hugo", {"notes": "Hugo, privately {t}", "private": True}, tries=True),
    Deed("dora", {"notes": "Dora {t}"}, tries=True),
    Deed("eve", {"notes": "Eve {t}"}, tries=True),
)

# place, private?, assignee: who sees it. luke is locked and sees nothing.
SEEN: Mapping[tuple[str, bool, str | None], frozenset[str]] = {
    ("open", False, None): people("ann bob carl eve fred gina hugo iris"),
    ("open", False, "dora"): people("ann bob carl dora eve fred gina hugo iris"),
    ("open", False, TEAM): people("ann bob carl eve fred gina hugo iris"),
    ("open", True, None): people("ann iris"),
    ("open", True, "dora"): people("ann dora iris"),
    ("open", True, TEAM): people("ann fred gina iris"),
    ("closed-circle", False, None): people("ann bob fred gina hugo"),
    ("closed-circle", False, "dora"): people("ann bob dora fred gina hugo"),
    ("closed-circle", False, TEAM): people("ann bob fred gina hugo"),
    ("closed-circle", True, None): people("ann"),
    ("closed-circle", True, "dora"): people("ann dora"),
    ("closed-circle", True, TEAM): people("ann fred gina"),
}

# In the public issue in `open` that is assigned to nobody: who is told of what.
TOLD: Mapping[str, frozenset[str]] = {
    "For all": people("bob carl eve fred gina hugo iris"),
    "Between us": people("bob fred gina hugo iris"),
    "Room": people("bob carl eve fred gina hugo iris"),
    "Salary band": people("hugo"),
    "relation": people("iris"),
    "plan-": people("bob carl eve fred gina hugo iris"),
    "Hugo, privately": people("ann bob fred gina iris"),
    "Eve": people("ann bob carl fred gina hugo iris"),
}


def watched(
    name: str, project: str, *deeds: Deed, assignee: str | None = None, private: bool = False
) -> Case:
    """An issue that everybody watches."""
    watchers = tuple(sorted(EVERYBODY))
    return Case(
        name, project, EVERYBODY, EVERYBODY, deeds, assignee=assignee, is_private=private, watchers=watchers
    )


def place(project: str, is_private: bool, assignee: str | None) -> str:
    """Return the name of the case at one place of the matrix."""
    return f"{'private' if is_private else 'public'} in {project}, assigned to {assignee or 'nobody'}"


WATCHED = tuple(
    watched(place(project, private, assignee), project, *DEEDS, assignee=assignee, private=private)
    for project, private, assignee in product(("open", "closed-circle"), (False, True), (None, "dora", TEAM))
)

MOVED = (
    watched("turns private", "open", Deed("ann", {"notes": "Before {t}"}), Deed("ann", {"is_private": True})),
    watched("moves in", "open", Deed("ann", {"project": "closed-circle", "notes": "Moved {t}"})),
    watched("moves out", "closed-circle", Deed("ann", {"project": "open", "notes": "Moved {t}"})),
    watched("assigned away", "open", Deed("ann", {"assignee": "bob"}), assignee="dora", private=True),
)

# --- nobody watches: each way of having to do with an issue ------------------------------------------


def note(text: str) -> dict[str, object]:
    """A public note."""
    return {"notes": text + " {t}"}


def private_note(text: str) -> dict[str, object]:
    """A private note."""
    return {"notes": text + " {t}", "private": True}


def tie(
    name: str, where: str, ends: str, deed: Deed, at_first: str, later: str, *, watchers: tuple[str, ...] = ()
) -> Case:
    """An issue of two people: `ends` is "author > assignee", `where` the project, and "private" or not."""
    author, _, assignee = ends.partition(" > ")
    return Case(
        f"{name} ({where}, {ends}, {deed.by}: {', '.join(deed.fields)})",
        where.split(maxsplit=1)[0],
        people(at_first),
        people(later),
        (deed,),
        author=author,
        assignee=assignee or None,
        is_private="private" in where,
        watchers=watchers,
    )


BOB, HUGO = {"assignee": "bob"}, {"assignee": "hugo"}
BAND = {"Salary band": "Band {t}"}
STATUS = {"status": "In Progress"}

# name, place, author > assignee, deed, whom the creation concerns, whom the deed concerns
TIES = (
    tie("author", "open", "carl", Deed("bob", note("Hello")), "", "carl"),
    tie("author, member of nothing", "open", "eve", Deed("ann", note("Hello")), "", "eve"),
    tie("author who sees own only", "closed-circle", "dora", Deed("ann", STATUS | note("x")), "", "dora"),
    tie("author of what turns private", "open", "carl", Deed("ann", {"is_private": True}), "", "carl"),
    tie("author, locked", "closed-circle", "luke", Deed("ann", note("Hello")), "", "luke"),
    tie("actor himself", "open", "bob > bob", Deed("bob", STATUS | note("@bob")), "bob", "bob"),
    tie("assignee", "open private", "ann > carl", Deed("ann", note("Hello")), "carl", "carl"),
    tie("assignee, no private notes", "open", "ann > carl", Deed("ann", private_note("x")), "carl", "carl"),
    tie("half private", "open", "ann > carl", Deed("ann", STATUS | private_note("x")), "carl", "carl"),
    tie("writes privately", "open", "hugo > carl", Deed("hugo", private_note("@carl")), "carl", "carl"),
    tie("hidden field, Reporter", "open", "ann > carl", Deed("ann", BAND), "carl", "carl"),
    tie("hidden field, Developer", "closed-circle", "ann > bob", Deed("ann", BAND), "bob", "bob"),
    tie("hidden field, allowed", "closed-circle", "ann > hugo", Deed("ann", BAND), "hugo", "hugo"),
    tie("hidden field, not for long", "open", "ann > hugo", Deed("ann", BAND), "hugo", "hugo"),
    tie("hidden field, soon half", "open", "ann > hugo", Deed("ann", BAND | STATUS), "hugo", "hugo"),
    tie("hidden field and more", "open", "ann > carl", Deed("ann", BAND | STATUS), "carl", "carl"),
    tie("assignee, locked", "open", "ann > luke", Deed("ann", note("Hello")), "luke", "luke"),
    tie("team", "closed-circle private", f"ann > {TEAM}", Deed("ann", note("x")), "fred gina", "fred gina"),
    tie("one of the team", "open", f"ann > {TEAM}", Deed("fred", note("x")), "fred gina", "ann fred gina"),
    tie("previous", "open", "ann > bob", Deed("ann", HUGO), "bob", "bob hugo"),
    tie("previous, sees no more", "open private", "ann > carl", Deed("ann", BOB), "carl", "bob carl"),
    tie("previous, own only", "closed-circle", "ann > dora", Deed("ann", BOB), "dora", "bob dora"),
    tie("previous team", "closed-circle", f"ann > {TEAM}", Deed("ann", HUGO), "fred gina", "fred gina hugo"),
    tie("previous team, sees no more", "open private", f"ann > {TEAM}", Deed("ann", HUGO), "fred gina",
        "fred gina hugo"),
    tie("nobody any more", "open private", "ann > bob", Deed("ann", {"assignee": None}), "bob", "bob"),
    tie("mentioned", "open", "ann", Deed("ann", note("@bob, @eve and @luke:")), "", "bob eve luke"),
    tie("mentioned privately", "open", "ann", Deed("ann", private_note("@carl @hugo")), "", "carl hugo"),
    tie("mentioned, hidden", "open private", "ann", Deed("ann", note("@bob @iris")), "", "bob iris"),
    tie("mentioned from outside", "closed-circle", "ann", Deed("ann", note("@eve @iris @dora @bob")), "",
        "eve iris dora bob"),
    tie("quoted", "open", "ann", Deed("ann", {"notes": "> @bob said\n\nI agree {t}"}), "", ""),
    tie("mentioned in the description", "open", "ann", Deed("ann", {"description": "@carl {t}"}), "", "carl"),
    tie("nobody's", "closed-circle", "ann", Deed("ann", note("Alone")), "", ""),
    tie("watched by the team", "open", "ann", Deed("ann", private_note("x")), "fred gina", "fred gina",
        watchers=(TEAM,)),
    tie("watched, cannot see", "open private", "ann", Deed("ann", note("x")), "fred gina", "fred gina",
        watchers=(TEAM,)),
)  # fmt: skip

AT_FIRST = Case(
    "mentioned when it is created",
    "open",
    people("carl eve dora"),
    NOBODY,
    (Deed("ann", note("Later")),),
    description="@carl @eve @dora {t}",
)

# What others are related to. Nobody has anything to do with these.
OTHERS = (
    Case("hidden in open", "open", NOBODY, NOBODY, (), is_private=True),
    Case("hidden in closed-circle", "closed-circle", NOBODY, NOBODY, (), is_private=True),
    Case("soon hidden in open", "open", NOBODY, NOBODY, ()),
)

# --- what no poll can see: a relation bumps nothing --------------------------------------------------

LATE = (
    watched("related, other hidden", "open", Deed("ann", {"relates": "hidden"})),
    watched("related, other still public", "open", Deed("ann", {"relates": "soon hidden"})),
)

CASES = (*OTHERS, *WATCHED, *MOVED, *TIES, AT_FIRST)
