"""Save and delete issues with everything Redmine changes along: parents, followers, duplicates, journals.

Source: Redmine 5.0.4, app/models/issue.rb (callbacks, in their order). Each save takes the time anew.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from datetime import date
from fractions import Fraction

from daemon.demo import history, schedule
from daemon.demo.access import Viewer
from daemon.demo.drafts import Draft
from daemon.demo.history import Entry, open_entry
from daemon.demo.model import Attachment, Detail, Issue, Relation


class Saving:
    """One user's saves within one request."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.store = viewer.store

    def create(self, draft: Draft, files: Sequence[Attachment]) -> Issue:
        """Insert the draft; a creation makes no journal."""
        issue = draft.issue
        issue.id = self.store.ids.next("issues")
        self.save(issue, None, files)
        for watcher_id in draft.watcher_ids:
            self.store.watchers.add(issue.id, watcher_id)
        return issue

    def update(self, draft: Draft, files: Sequence[Attachment]) -> None:
        """Save the draft. Even one that changes nothing bumps `updated_on`: Redmine 5.0 does so."""
        entry = open_entry(self.store.issues[draft.issue.id], draft.notes, private_notes=draft.private_notes)
        self.save(draft.issue, entry, files)

    def save(self, issue: Issue, entry: Entry | None, files: Sequence[Attachment] = ()) -> None:
        """Store the changed copy `issue`; with an entry also its journal, and always a new `updated_on`."""
        before = self.store.issues.get(issue.id)
        for attachment in files:
            self._attach(attachment, issue, entry)
        closing = self.store.is_closed(issue) and not (before and self.store.is_closed(before))
        if closing and before is not None:
            self._close_duplicates(issue, entry)
        if before is None or entry is not None or issue != before:
            self._stamp(issue, is_new=before is None)
        if closing:
            issue.closed_on = issue.updated_on
        self.store.put_issue(issue)
        self._after_save(issue, before, entry)

    def _attach(self, attachment: Attachment, issue: Issue, entry: Entry | None) -> None:
        self.store.attach(attachment, issue.id)
        if entry is not None:
            entry.details.append(Detail("attachment", str(attachment.id), None, attachment.filename))

    def _stamp(self, issue: Issue, *, is_new: bool) -> None:
        issue.updated_on = self.store.now()
        if is_new:
            issue.created_on = issue.updated_on
        else:
            issue.lock_version += 1

    def _after_save(self, issue: Issue, before: Issue | None, entry: Entry | None) -> None:
        old_parent = before.parent_id if before else None
        if before is not None and before.project_id != issue.project_id:
            self._follow_to_project(issue, before)
        if (issue.start_date, issue.due_date) != (
            (before.start_date, before.due_date) if before else (None, None)
        ):
            self._reschedule_followers(issue, with_journal=entry is not None)
        if old_parent != issue.parent_id:
            self._drop_family_relations(issue)
            self._derive(old_parent)
        self._derive(issue.parent_id)
        if entry is not None:
            history.write(self.viewer, entry, self.store.issues[issue.id])
        if old_parent != issue.parent_id:
            self._tell_parent(old_parent, Detail("attr", "child_id", str(issue.id), None))
            self._tell_parent(issue.parent_id, Detail("attr", "child_id", None, str(issue.id)))

    def _tell_parent(self, parent_id: int | None, detail: Detail) -> None:
        """A parent the user sees gets a journal about the child."""
        parent = self.store.issues.get(parent_id or 0)
        if parent is not None and self.viewer.sees(parent):
            entry = open_entry(parent)
            entry.details.append(detail)
            self.save(copy(parent), entry)

    def _close_duplicates(self, issue: Issue, entry: Entry | None) -> None:
        """Same status, same notes."""
        for relation in self.store.issue_relations(issue.id):
            other = self.store.issues[relation.from_id]
            if relation.type != "duplicates" or relation.to_id != issue.id or self.store.is_closed(other):
                continue
            its_entry = entry and open_entry(other, entry.notes, private_notes=entry.private_notes)
            changed = copy(other)
            changed.status_id = issue.status_id
            self.save(changed, its_entry)

    def _follow_to_project(self, issue: Issue, before: Issue) -> None:
        """Relations stay within a project; subtasks of the old project come along without a journal."""
        for relation in self.store.issue_relations(issue.id):
            self.store.drop_relation(relation)
        for child in self.store.children(issue.id):
            if child.project_id == before.project_id:
                moved = copy(child)
                moved.project_id, moved.category_id, moved.fixed_version_id = issue.project_id, None, None
                self.save(moved, None)

    def _drop_family_relations(self, issue: Issue) -> None:
        family = {a.id for a in self.store.ancestors(issue)}
        for member in (issue, *self.store.descendants(issue.id)):
            for relation in self.store.issue_relations(member.id):
                if {relation.from_id, relation.to_id} & family:
                    self.store.drop_relation(relation)

    def _reschedule_followers(self, issue: Issue, *, with_journal: bool) -> None:
        for relation in self.store.issue_relations(issue.id):
            if relation.from_id == issue.id:
                self.push_follower(relation, with_journal=with_journal)

    def push_follower(
        self, relation: Relation, entry: Entry | None = None, *, with_journal: bool = False
    ) -> None:
        """Move the follower to the first day its predecessor leaves free."""
        first_day = schedule.successor_start(self.store, relation)
        follower = self.store.issues.get(relation.to_id)
        if first_day is not None and follower is not None:
            self._reschedule(follower, first_day, entry, with_journal=with_journal)

    def _reschedule(
        self, issue: Issue, first_day: date, entry: Entry | None = None, *, with_journal: bool = False
    ) -> None:
        if self.store.children_of.of(issue.id):
            self._reschedule_leaves(issue, first_day)
            return
        if issue.start_date == first_day:
            return
        if issue.start_date is not None and issue.start_date > first_day:
            first_day = max(first_day, schedule.soonest_start(self.store, issue) or first_day)
        if entry is None and with_journal:
            entry = open_entry(issue)
        self.save(_moved(issue, first_day), entry)

    def _reschedule_leaves(self, issue: Issue, first_day: date) -> None:
        """Of the subtasks only those that start with the parent, too early, or on no day yet."""
        for leaf in list(self.store.descendants(issue.id)):
            start = leaf.start_date
            if self.store.children_of.of(leaf.id):
                continue
            if start is None or start == issue.start_date or first_day > start:
                self._reschedule(leaf, first_day)

    def _derive(self, parent_id: int | None) -> None:
        """Priority, dates and % done of a parent follow its children; no journal, a bump only on a change."""
        parent = self.store.issues.get(parent_id or 0)
        children = self.store.children(parent_id or 0)
        if parent is None:
            return
        changed = copy(parent)
        if children:
            still_open = [c.priority_id or 0 for c in children if not self.store.is_closed(c)]
            changed.priority_id = max(still_open, default=2)
            changed.start_date = min((c.start_date for c in children if c.start_date), default=None)
            changed.due_date = max((c.due_date for c in children if c.due_date), default=None)
            changed.done_ratio = self._progress(children)
        self.save(changed, None)

    def _progress(self, children: Sequence[Issue]) -> int:
        """The children's mean, weighed by their estimates; who has none counts as the average."""
        estimates = [self._estimate(c) for c in children]
        given = [e for e in estimates if e > 0]
        average = sum(given) / len(given) if given else Fraction(1)
        done = (
            (estimate or average) * (100 if self.store.is_closed(child) else child.done_ratio or 0)
            for child, estimate in zip(children, estimates, strict=True)
        )
        return int(sum(done) / (average * len(children)))

    def _estimate(self, issue: Issue) -> Fraction:
        family: Iterable[Issue] = (issue, *self.store.descendants(issue.id))
        return sum((Fraction(str(i.estimated_hours or 0)) for i in family), Fraction(0))

    def destroy(self, issue: Issue) -> None:
        """Delete the issue and its subtasks; the parent is recalculated and told."""
        for child in reversed(list(self.store.descendants(issue.id))):
            self.store.drop_issue(child.id)
        self.store.drop_issue(issue.id)
        self._derive(issue.parent_id)
        self._tell_parent(issue.parent_id, Detail("attr", "child_id", str(issue.id), None))


def _moved(issue: Issue, first_day: date) -> Issue:
    """A copy that starts on the day or the next working one and takes as many working days."""
    start, due = issue.start_date, issue.due_date
    length = schedule.working_days(start, due) if start and due else 0
    moved = copy(issue)
    moved.start_date = schedule.next_working_date(first_day)
    moved.due_date = schedule.add_working_days(moved.start_date, length)
    return moved
