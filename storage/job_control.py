"""What administrators ask of jobs. The daemon looks at these columns every second; each act is in the audit.

The viewer does not know what options a source takes. So a change waits in `wanted` until the daemon has
judged it by the same models as the file: it becomes the override, or `refusal` says what is wrong.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import audit
from storage.audit import Actor
from storage.jobs import state
from storage.models import JobState

INTERVAL = "every_s"
OPTIONS = "options"


def known(session: Session, name: str) -> JobState | None:
    """Return the state of a job that is in the file, or was; None for any other name."""
    found = session.get(JobState, name)
    return None if found is None or found.name.startswith("@") else found


def states(session: Session) -> list[JobState]:
    """Return the states of all jobs, by name; not the rows of our own, which begin with @."""
    query = sa.select(JobState).where(JobState.name.not_like("@%")).order_by(JobState.name)
    return list(session.scalars(query))


def is_paused(found: JobState, now: datetime) -> bool:
    """Say whether a job is paused at this moment; an end that has passed is one."""
    return found.paused_at is not None and (found.paused_until is None or found.paused_until > now)


def may_run(session: Session, name: str, now: datetime) -> bool:
    """Say whether a job may run: it is not paused. Asked before each run and between its steps."""
    found = session.get(JobState, name)
    return found is None or not is_paused(found, now)


def pause(
    session: Session,
    name: str,
    actor: Actor,
    now: datetime,
    *,
    reason: str = "",
    until: datetime | None = None,
) -> None:
    """Pause a job, until somebody resumes it or until that moment."""
    found = state(session, name)
    before = _pause_of(found)
    found.paused_at, found.paused_until, found.pause_reason = now, until, reason
    found.requested_at = None
    audit.add(session, actor, "job.pause", f"job:{name}", before, _pause_of(found))


def resume(session: Session, name: str, actor: Actor) -> None:
    """End a pause; where there is none, nothing is done."""
    found = state(session, name)
    if found.paused_at is None:
        return
    before = _pause_of(found)
    found.paused_at, found.paused_until, found.pause_reason = None, None, ""
    audit.add(session, actor, "job.resume", f"job:{name}", before, _pause_of(found))


def request_run(session: Session, name: str, actor: Actor, now: datetime) -> None:
    """Have a job run at once, whatever it waits for. One that `is_in_file` only."""
    found = state(session, name)
    found.requested_at, found.retry_at = now, None
    audit.add(session, actor, "job.run", f"job:{name}", {}, {"requested_at": _text(now)})


def is_in_file(session: Session, name: str) -> bool:
    """Say whether the daemon found the job in its file when it last looked."""
    found = known(session, name)
    return found is not None and found.configured is not None


def is_requested(session: Session, name: str) -> bool:
    """Say whether somebody asked for a run that has not begun."""
    query = sa.select(JobState.requested_at).where(JobState.name == name)
    return session.scalar(query) is not None


def take_request(session: Session, name: str) -> None:
    """Note that the run asked for begins; a failure meanwhile does not hold it up."""
    values = {"requested_at": None, "retry_at": None}
    session.execute(sa.update(JobState).where(JobState.name == name).values(**values))


def want(session: Session, name: str, actor: Actor, change: Mapping[str, Any]) -> None:
    """Ask for another interval (`every_s`) or other options; None for either, or an option, is the file's.

    What the change does not name stays as it is, also what was wanted before and is not judged yet.
    """
    found = state(session, name)
    before = overrides(found) if found.wanted is None else found.wanted
    by = [actor.name, actor.user_id]
    steps = [*steps_of(found.wanted), {"by": by, "change": dict(change)}]
    found.wanted, found.refusal = {**merged(before, change), "by": by, "steps": steps}, ""


def merged(before: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overrides `before` as a change leaves them: `every_s` and `options`."""
    options = before[OPTIONS]
    if OPTIONS in change:
        every = {**options, **change[OPTIONS]} if change[OPTIONS] is not None else {}
        options = {key: value for key, value in every.items() if value is not None}
    return {INTERVAL: change.get(INTERVAL, before[INTERVAL]), OPTIONS: options}


def steps_of(wanted: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the changes that wait to be judged, oldest first, each with who wants it (`by`, `change`)."""
    if wanted is None:
        return []
    whole = {"by": wanted["by"], "change": {INTERVAL: wanted[INTERVAL], OPTIONS: wanted[OPTIONS]}}
    return list(wanted.get("steps", [whole]))  # one that an earlier version left has no steps


def settle(session: Session, name: str, faults: Sequence[str]) -> None:
    """Make what was wanted the override, change by change; those with a fault are dropped, and it is kept.

    `faults` holds a text for each of `steps_of`, "" where the change is accepted.
    """
    found = state(session, name)
    steps, found.wanted = steps_of(found.wanted), None
    found.refusal = "\n".join(dict.fromkeys(filter(None, faults)))
    for step, fault in zip(steps, faults, strict=True):
        if not fault:
            _put(session, found, step)


def _put(session: Session, found: JobState, step: Mapping[str, Any]) -> None:
    before = overrides(found)
    after = merged(before, step["change"])
    found.interval_s, found.options = after[INTERVAL], after[OPTIONS] or None
    act = "job.set" if found.options or found.interval_s else "job.reset"
    audit.add(session, Actor(*step["by"]), act, f"job:{found.name}", before, overrides(found))


def drop(session: Session, name: str, actor: Actor, why: str) -> None:
    """Go back to what the file says, whatever is wanted, and say why."""
    found = state(session, name)
    _put(session, found, {"by": (actor.name, actor.user_id), "change": {INTERVAL: None, OPTIONS: None}})
    found.wanted, found.refusal = None, why


def overrides(found: JobState) -> dict[str, Any]:
    """Return what differs from the file: `every_s` (None: the file's) and `options`."""
    return {INTERVAL: found.interval_s, OPTIONS: dict(found.options or {})}


def _pause_of(found: JobState) -> dict[str, Any]:
    return {
        "paused_at": _text(found.paused_at),
        "paused_until": _text(found.paused_until),
        "reason": found.pause_reason,
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
