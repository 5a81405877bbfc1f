"""Several people who change issues at random, through Redmine's API, several at once.

What they do keeps everybody's right to read what was written: no issue changes hands between those who
see only their own, none turns private later. So what each person may read at the end is what they might
read when the daemon looked, whenever that was, and a test can compute exactly who must have been told.
"""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from requests import Session

from storage.columns import utc_now
from tests.redmines import RealRedmine

WRITERS = 3
WATCHERS = ("ann", "bob", "carl", "dora", "eve", "fred", "hugo", "iris")
TEAM = "Support team"
# Redmine makes everybody a watcher of what they contribute to, and keeps no note of since when.
NO_AUTO_WATCH = "update user_preferences set others = replace(others, E'- issue_contributed_to\\n', '')"
WATCH = "insert into watchers (watchable_type, watchable_id, user_id) values ('Issue', %s, %s)"


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of issue: where, private or not, who may write it, to whom it may be assigned in turn."""

    name: str
    project: str
    writers: tuple[str, ...]
    assignees: tuple[str | None, ...]
    is_private: bool = False
    moves: bool = True


PLACES = (
    Place("open", "open", ("ann", "bob", "fred", "hugo", "iris"), ("ann", "bob", "carl", "hugo", TEAM, None)),
    Place("circle", "closed-circle", ("ann", "bob", "gina", "hugo"), ("ann", "bob", "hugo", TEAM, None)),
    Place("private", "open", ("ann", "iris"), ("bob", "carl", TEAM), is_private=True, moves=False),
    Place("dora's", "closed-circle", ("ann", "bob", "dora"), ("dora",), moves=False),
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """An issue of the crowd, and the place it is in."""

    id: int
    place: Place


@dataclass
class Crowd:
    """Changes issues of a real Redmine. The seed decides what is drawn; how writers meet is chance."""

    redmine: RealRedmine
    seed: int
    tickets: list[Ticket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        self._relations: list[int] = []
        self._files: list[int] = []

    def settle(self, count: int) -> None:
        """Create issues, so many of each place, before anybody looks."""
        self.redmine.sql(NO_AUTO_WATCH)
        for place in PLACES:
            for _ in range(count):
                number = self._create(place, self._rng.choice(place.writers))()
                for login in self._rng.sample(WATCHERS, 3):  # by SQL: few may add watchers
                    self.redmine.sql(WATCH, number, self.redmine.id_of("user", login))

    def work(self, changes: int, pause_s: float, stop: threading.Event) -> "Future[None]":
        """Make so many changes in the background, some at once, with about this pause between them."""
        done: Future[None] = Future()
        threading.Thread(target=self._work, args=(changes, pause_s, stop, done), daemon=True).start()
        return done

    def _work(self, changes: int, pause_s: float, stop: threading.Event, done: "Future[None]") -> None:
        with ThreadPoolExecutor(WRITERS) as pool:
            futures = []
            for step in self._plan(changes):
                futures.append(pool.submit(step))
                if stop.wait(self._rng.expovariate(1 / pause_s) if pause_s else 0):
                    break
            errors = [e for e in (future.exception() for future in futures) if e is not None]
        if errors:
            done.set_exception(errors[0])
        else:
            done.set_result(None)

    def _plan(self, changes: int) -> Iterator[Callable[[], object]]:
        """Yield what to do next. Drawn here, in one thread, so that the seed decides."""
        kinds: tuple[tuple[Callable[[Ticket], Callable[[], object] | None], int], ...] = (
            (self._note, 6),
            (self._several_fields, 6),
            (self._assign, 5),
            (self._private_note, 3),
            (self._custom_field, 3),
            (self._describe, 2),
            (self._attach, 2),
            (self._relate, 2),
            (self._detach, 1),
            (self._unrelate, 1),
            (lambda _: self._create(self._rng.choice(PLACES), "ann", watched=True), 2),
        )
        made = 0
        while made < changes:
            draw = self._rng.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
            step = draw(self._rng.choice(self.tickets))
            if step is not None:
                made += 1
                yield step

    # --- what somebody can do ------------------------------------------------------------------

    def _note(self, ticket: Ticket) -> Callable[[], object]:
        quoted = f"Ann wrote:\n> ask @{self._rng.choice(WATCHERS)}\n\n" if self._rng.random() < 0.2 else ""
        return self._put(ticket, notes=quoted + self._text())

    def _several_fields(self, ticket: Ticket) -> Callable[[], object]:
        fields: dict[str, Any] = {}
        if self._rng.random() < 0.6:
            name = self._rng.choice(("New", "In Progress", "Resolved", "Feedback"))
            fields["status_id"] = self.redmine.id_of("status", name)
        if self._rng.random() < 0.4:
            name = self._rng.choice(("Low", "Normal", "High", "Urgent"))
            fields["priority_id"] = self.redmine.id_of("priority", name)
        if self._rng.random() < 0.4:
            fields["due_date"] = str(utc_now().date() + timedelta(days=self._rng.randrange(1, 60)))
        if not fields or self._rng.random() < 0.3:
            fields["notes"] = self._text()
        return self._put(ticket, **fields)

    def _assign(self, ticket: Ticket) -> Callable[[], object] | None:
        if not ticket.place.moves:
            return None
        return self._put(ticket, assigned_to_id=self._principal(self._rng.choice(ticket.place.assignees)))

    def _private_note(self, ticket: Ticket) -> Callable[[], object]:
        """Sometimes with a change in the same request: Redmine makes two journals of it."""
        fields: dict[str, Any] = {"notes": self._text(), "private_notes": True}
        if self._rng.random() < 0.5:
            fields["done_ratio"] = 10 * self._rng.randrange(11)
        return self._put(ticket, **fields)

    def _custom_field(self, ticket: Ticket) -> Callable[[], object]:
        """Of the two fields one is hidden from most people."""
        name = self._rng.choice(("Room", "Salary band"))
        value = {"id": self.redmine.id_of("custom_field", name), "value": str(self._rng.randrange(10_000))}
        return self._put(ticket, by="ann", custom_fields=[value])

    def _describe(self, ticket: Ticket) -> Callable[[], object]:
        return self._put(ticket, description=f"It is worse now. {self._text()}")

    def _attach(self, ticket: Ticket) -> Callable[[], object]:
        login = self._rng.choice(ticket.place.writers)
        name = f"{self._rng.randrange(10**6)}.txt"

        def attach() -> None:
            upload = self._send(login, "POST", f"/uploads.json?filename={name}", data=name.encode())
            files = [{"token": upload["upload"]["token"], "filename": name, "content_type": "text/plain"}]
            self._send(login, "PUT", f"/issues/{ticket.id}.json", json={"issue": {"uploads": files}})
            number = int(upload["upload"]["token"].partition(".")[0])
            if self.redmine.sql(
                "select 1 from attachments where id = %s and container_id is not null", number
            ):
                with self._lock:
                    self._files.append(number)

        return attach

    def _detach(self, _: Ticket) -> Callable[[], object] | None:
        """Removing a file or a relation makes a journal that `updated_on` does not tell of."""
        with self._lock:
            if not self._files:
                return None
            number = self._files.pop(self._rng.randrange(len(self._files)))
        return lambda: self._send("admin", "DELETE", f"/attachments/{number}.json")

    def _relate(self, ticket: Ticket) -> Callable[[], object]:
        other = self._rng.choice(self.tickets).id

        def relate() -> None:
            body = {"relation": {"issue_to_id": other, "relation_type": "relates"}}
            made = self._send("ann", "POST", f"/issues/{ticket.id}/relations.json", json=body)
            if made:  # not where they are related already, or are the same issue
                with self._lock:
                    self._relations.append(made["relation"]["id"])

        return relate

    def _unrelate(self, _: Ticket) -> Callable[[], object] | None:
        with self._lock:
            if not self._relations:
                return None
            number = self._relations.pop(self._rng.randrange(len(self._relations)))
        return lambda: self._send("admin", "DELETE", f"/relations/{number}.json")

    def _create(self, place: Place, by: str, *, watched: bool = False) -> Callable[[], int]:
        fields: dict[str, Any] = {
            "project_id": self.redmine.id_of("project", place.project),
            "subject": f"{place.name} {self._rng.randrange(10**6)}",
            "description": self._text(),
            "is_private": place.is_private,
            "assigned_to_id": self._principal(self._rng.choice(place.assignees)),
        }
        if watched:
            fields["watcher_user_ids"] = [
                self.redmine.id_of("user", w) for w in self._rng.sample(WATCHERS, 3)
            ]

        def create() -> int:
            number = int(self._send(by, "POST", "/issues.json", json={"issue": fields})["issue"]["id"])
            with self._lock:
                self.tickets.append(Ticket(number, place))
            return number

        return create

    # --- how it is done ------------------------------------------------------------------------

    def _text(self) -> str:
        words = f"Look again, try {self._rng.randrange(10**6)}."
        return f"@{self._rng.choice(WATCHERS)} please. {words}" if self._rng.random() < 0.3 else words

    def _principal(self, name: str | None) -> int | str:
        if name is None:
            return ""
        return self.redmine.id_of("group" if name == TEAM else "user", name)

    def _put(self, ticket: Ticket, by: str = "", **fields: Any) -> Callable[[], object]:
        private = bool(fields.get("private_notes"))
        login = by or (("ann", "hugo")[ticket.id % 2] if private else self._rng.choice(ticket.place.writers))
        login = "ann" if private and ticket.place.is_private else login
        return lambda: self._send(login, "PUT", f"/issues/{ticket.id}.json", json={"issue": fields})

    def _send(self, login: str, method: str, path: str, **options: Any) -> Any:
        """Send as somebody. 422 is a conflict with another writer, or a relation that cannot be."""
        with self._lock:
            session = self._sessions.setdefault(login, self.redmine.session(login))
        if "data" in options:
            options["headers"] = {"Content-Type": "application/octet-stream"}
        answer = session.request(method, self.redmine.url + path, **options)
        assert answer.status_code in {200, 201, 204, 404, 422}, f"{answer.status_code} {method} {path}"
        return answer.json() if answer.status_code in {200, 201} and answer.content else None
