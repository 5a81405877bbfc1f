"""One run of a job: load, fetch, diff, address, record. One transaction at the end of each step."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import uniform
from typing import Any

import structlog
from sqlalchemy.orm import Session

from daemon import job_trouble, recipients, render
from daemon.clients.errors import SourceError, SourceRefused, SourceUnavailable
from daemon.memory import StoredMemory
from daemon.outbox import Outbox
from daemon.source import Source
from daemon.values import Addressed, Change, Correction, Directory, JobResult, Known, Observation, Reference
from storage import (
    job_gaps,
    jobs,
    live,
    logs,
    notifications,
    phones,
    reference,
    snapshots,
    states,
    users,
    wakeup,
)
from storage.columns import utc_now
from storage.jobs import LeaseLost
from storage.models import JobState
from storage.session import Database, StorageError

log = structlog.get_logger()

BACKOFF_CEILING_S = 300.0


@dataclass(frozen=True, slots=True)
class Job:
    """A job ready to run: its source, how often, how long one run may take, and how its news are sent on."""

    name: str
    source: Source
    every_s: float
    timeout_s: float
    outbox: Outbox = field(default_factory=Outbox)
    tell_after: int = 5  # failures in a row before administrators are told


class Run:
    """One run, from the cursor it found to the cursor it leaves."""

    def __init__(
        self,
        job: Job,
        database: Database,
        owner: str,
        *,
        stop: Callable[[], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._job = job
        self._database = database
        self._memory = StoredMemory(database)
        self._owner = owner
        self._stop = stop
        self._now = now
        self._started_at = now()
        self._until = time.monotonic() + job.timeout_s
        self._requests = job.source.requests_made
        self._run_id: int | None = None
        self._was_behind = False
        self._is_given_up = False
        self.result = JobResult("ok")

    def go(self) -> None:
        """Take every step the source has. Raises what the source or the database raises."""
        with self._database.write() as session:
            jobs.require_lease(session, self._owner)
            self._run_id = jobs.start_run(session, self._job.name, self._started_at)
            cursor = jobs.cursor(session, self._job.name)
        self._was_behind = _is_behind(cursor)
        for seen in self._job.source.observations(cursor, self._memory, self._must_stop):
            self._step(seen)

    def finish(self, result: JobResult, asked_s: float = 0.0) -> JobResult:
        """Write how the run ended, and when to try again after a failure: not before the source asked."""
        if self._is_given_up:
            return replace(result, status="failed", error="given up before it came back")
        return self._end(result, asked_s, self._job.tell_after)

    def give_up(self, error: str) -> None:
        """Write that the run failed while it hangs in another thread, and have administrators told at once.

        The run itself writes its end no more, whenever it comes back. Raises StorageError, LeaseLost.
        """
        self._is_given_up = True  # first: the run may come back at any moment
        try:
            self._end(replace(self.result, status="failed", error=error), 0.0, tell_after=1)
        except (StorageError, LeaseLost):
            self._is_given_up = False
            raise

    def _end(self, result: JobResult, asked_s: float, tell_after: int) -> JobResult:
        result = replace(result, requests=self._job.source.requests_made - self._requests)
        with self._database.write() as session:
            jobs.require_lease(session, self._owner)
            self._save_run(session, result, self._ended(result))
            state = jobs.state(session, self._job.name)
            if result.status in {"ok", "partial"}:
                self._note_success(session, state, result)
            else:
                job_gaps.failed(session, state, result.error)
                state.failures += 1
                state.last_error = result.error
                pause_s = backoff_s(self._job.every_s, state.failures)
                pause_s = max(pause_s, min(asked_s, BACKOFF_CEILING_S))
                state.retry_at = self._now() + timedelta(seconds=pause_s)
            trouble = job_trouble.news(state, tell_after)
        if trouble is not None:
            job_trouble.tell(self._database, self._owner, trouble, self._job.outbox, self._now())
        return result

    def _note_success(self, session: Session, state: JobState, result: JobResult) -> None:
        """Note what the source has been read up to; behind an unfinished catch-up a gap stays open."""
        at, behind = self._started_at, result.status == "partial" or _is_behind(state.cursor)
        every_s, was_behind = self._job.every_s, self._was_behind
        job_gaps.answered(session, state, at, every_s, is_behind=behind, was_behind=was_behind)
        state.failures, state.last_error, state.retry_at, state.last_ok_at = 0, result.error, None, at

    def _must_stop(self) -> bool:
        return self._stop() or self._is_given_up or time.monotonic() > self._until

    def _step(self, seen: Observation) -> None:
        """Diff, address, ask the source who may see it, and record."""
        source = self._job.source
        with self._database.read() as session:
            ids = [item.id for item in seen.items] + list(seen.removed)
            known = Known(snapshots.load_issues(session, ids), snapshots.journals_seen(session, ids))
        changes = source.changes(known, seen)
        groups = source.groups(recipients.principals(changes)) if changes else {}
        directory = Directory(self._memory.members() if changes else (), groups)
        addressed = (*seen.told, *source.shown(recipients.address(changes, directory)))
        before = self.result
        self.result = self._record(seen, known, addressed, self._counted(seen, changes))
        is_told = self.result.notified > before.notified or self.result.withdrawn > before.withdrawn
        if is_told or seen.correction.amended:
            wakeup.send(self._database)

    def _counted(self, seen: Observation, changes: Sequence[Change]) -> JobResult:
        """Return the counts with a step; of what it tells and takes back only its recording knows."""
        source, before = self._job.source, self.result
        return replace(
            before,
            items=before.items + len(seen.items) + len(seen.listed),
            changes=before.changes + len(changes) + len({a.change.key for a in seen.told}),
            journals=before.journals + source.counted(changes),
            overlap_hits=before.overlap_hits + seen.overlap_hits,
            requests=source.requests_made - self._requests,
            status="partial" if seen.problem else before.status,
            error=seen.problem or before.error,
        )

    def _record(
        self, seen: Observation, known: Known, addressed: Sequence[Addressed], counted: JobResult
    ) -> JobResult:
        """Write snapshot, journals, notifications, cursor and the run's counts in one transaction."""
        rows = [render.row(a) for a in addressed]
        with self._database.write() as session:
            jobs.require_lease(session, self._owner)
            snapshots.save_issues(session, self._job.source.snapshot(seen))
            snapshots.save_issues(session, self._job.source.listed(seen))
            snapshots.add_journals_seen(session, _journals(seen, known))
            snapshots.remove_issues(session, seen.removed)
            _refer(session, seen.reference)
            for table, kept in seen.stored.items():
                states.save(session, table, kept)
            notified = counted.notified + self._job.outbox.record(session, rows, self._now())
            withdrawn = counted.withdrawn + self._correct(session, seen.correction)
            jobs.save_cursor(session, self._job.name, dict(seen.cursor))
            result = replace(counted, notified=notified, withdrawn=withdrawn)
            self._save_run(session, result, _progress(seen))
        if seen.total:
            log.info("job_progress", done=seen.done, total=seen.total)
        return result

    def _correct(self, session: Session, correction: Correction) -> int:
        """Apply what a second look found wrong; return how many notifications were withdrawn."""
        for notification_id, addressed in correction.amended.items():
            notifications.amend(session, notification_id, render.wording(addressed))
            updated = {"ids": [notification_id]}
            live.publish(session, addressed.member.user_id, notifications.UPDATED_EVENT, updated)
        notifications.ask_again(session, correction.ask_again)
        snapshots.hide_issues(session, correction.hidden)
        for account, watched in correction.watched.items():
            snapshots.set_watched(session, account, watched)
        for user_id, login in correction.logins.items():
            users.rename_at_redmine(session, user_id, login)
        return notifications.withdraw(session, correction.gone, self._now())

    def _save_run(self, session: Session, result: JobResult, more: Mapping[str, Any]) -> None:
        """Write the run's row, which shows it from its start on: what it has done so far, and more."""
        if self._run_id is None:  # it was given up before it began
            self._run_id = jobs.start_run(session, self._job.name, self._started_at)
        counts = {name: getattr(result, name) for name in COUNTS}
        jobs.update_run(session, self._run_id, **counts, **more)

    def _ended(self, result: JobResult) -> dict[str, Any]:
        """Return what the row says of a run besides its counts once it is over."""
        end = self._now()
        return {
            "status": result.status,
            "error": result.error,
            "finished_at": end,
            "duration_ms": round((end - self._started_at).total_seconds() * 1000),
            "lines": logs.kept_lines(),
        }


COUNTS = ("items", "changes", "notified", "withdrawn", "requests", "journals", "overlap_hits")


def run_job(
    job: Job,
    database: Database,
    owner: str,
    *,
    stop: Callable[[], bool] = lambda: False,
    now: Callable[[], datetime] = utc_now,
    began: Callable[[Run], object] | None = None,
) -> JobResult:
    """Run a job once and record how it went. Never raises: this is the edge of a run.

    While a failed job waits for its next try nothing is done and the status is `waiting`.
    """
    with structlog.contextvars.bound_contextvars(job=job.name), logs.keeping_lines():
        started = time.monotonic()
        try:
            if _waits(job, database, now()):
                return JobResult("waiting")
            run = Run(job, database, owner, stop=stop, now=now)
            if began is not None:
                began(run)
            result = _attempt(run)
        except LeaseLost as e:
            result = JobResult("standby", error=str(e))
        except StorageError as e:
            result = JobResult("failed", error=str(e))
        _tell(result, started)
        return result


def _attempt(run: Run) -> JobResult:
    try:
        run.go()
        return run.finish(run.result)
    except (LeaseLost, StorageError):
        raise
    except SourceRefused as e:
        return run.finish(replace(run.result, status="refused", error=str(e)))
    except SourceError as e:
        asked_s = e.retry_after_s if isinstance(e, SourceUnavailable) else None
        return run.finish(replace(run.result, status="failed", error=str(e)), asked_s or 0.0)
    except Exception as e:
        log.exception("job_crashed")
        error = f"internal error ({type(e).__name__}): see the log of this time"
        return run.finish(replace(run.result, status="failed", error=error))


def backoff_s(every_s: float, failures: int) -> float:
    """Return how long to wait after so many failures in a row: doubling, with a ceiling and jitter."""
    doubled = every_s * 2.0 ** min(failures - 1, 16)
    return min(doubled, max(BACKOFF_CEILING_S, every_s)) * uniform(0.8, 1.2)  # noqa: S311 - not a secret


def _waits(job: Job, database: Database, now: datetime) -> bool:
    with database.read() as session:
        retry_at = jobs.retry_at(session, job.name)
    # A clock that was set back must not stop a job for longer than its own back-off could.
    return retry_at is not None and now < retry_at <= now + timedelta(seconds=2 * BACKOFF_CEILING_S)


def _progress(seen: Observation) -> dict[str, int]:
    return {"progress_done": seen.done, "progress_total": seen.total} if seen.total else {}


def _is_behind(cursor: Mapping[str, Any] | None) -> bool:
    """Say whether a first run or a catch-up is unfinished, as the cursors of sources say it."""
    return bool(cursor and (cursor.get("since") or cursor.get("next_id")))


def _refer(session: Session, found: Reference | None) -> None:
    """Store what ids stand for, where a step brought it."""
    if found is not None:
        reference.save_statuses(session, found.statuses)
        reference.save_priorities(session, found.priorities)
        reference.save_groups(session, found.groups, found.members)
        if found.phones is not None:
            phones.save_redmine(session, found.phones)


def _journals(seen: Observation, known: Known) -> list[tuple[int, int, datetime]]:
    return [
        (journal.id, issue.id, journal.created_on)
        for issue in seen.items
        for journal in issue.journals or ()
        if journal.id not in known.journals.get(issue.id, frozenset())
    ]


def _tell(result: JobResult, started: float) -> None:
    """One wide line for each run that did something or failed; idle ones only for debugging."""
    duration_ms = round((time.monotonic() - started) * 1000)
    is_idle = result.status == "ok" and not (result.changes or result.withdrawn)
    say = log.debug if is_idle else (log.info if result.status in {"ok", "partial"} else log.warning)
    columns = {name: getattr(result, name) for name in (*COUNTS, "error")}
    say("job_finished", status=result.status, duration_ms=duration_ms, **columns)
