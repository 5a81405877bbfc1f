"""Pure: what `helpdesk jobs` prints of jobs, as lines of a terminal."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from storage.job_history import Sums
from storage.job_table import JobRow, LastRun
from storage.models import JobGap, JobRun

INDENT = f"{'':16} "


def lines_of(row: JobRow) -> Iterator[str]:
    """Return what is to be said of a job: one line, and more where there is more."""
    every = f"every {row.every_s:g} s" if row.every_s else "not in the file"
    last = row.last_run
    ran = f"{last.status} {moment(last.started_at)}" if last else "never ran"
    lag = f"lag {row.lag_s} s" if row.lag_s is not None else "no lag yet"
    yield f"{row.name:16} {row.health:9} {every}; {ran}; next {moment(row.next_run_at)}; {lag}"
    for text in (_changed(row), _last(last), _place(row), _pause(row), _trouble(row), _waiting(row)):
        if text:
            yield INDENT + text
    if row.refusal:
        yield f"{INDENT}refused: {row.refusal}"


def run_line(run: JobRun) -> str:
    """Return a run as one line."""
    counts = f"{run.items} items, {run.changes} changes, {run.notified} told"
    took = "" if run.duration_ms is None else f"{run.duration_ms} ms, "
    return f"{run.id:8} {moment(run.started_at)} {run.status:11} {took}{counts} {run.error}".rstrip()


def proof_lines(source: str, sums: Sums, gaps: Sequence[JobGap]) -> Iterator[str]:
    """Return what proves that nothing was missed: sums of the runs, and each gap, newest first."""
    yield f"{sums.days:g} days: {sums.runs} runs that found something or failed, {sums.failed} of them failed"
    if source == "redmine_reconcile":
        yield f"found though the poll had missed it: {sums.journals} (should be 0)"
    else:
        yield f"changes read: {sums.changes}; found only by looking back: {sums.overlap_hits}"
    for gap in gaps:
        end = f"caught up {moment(gap.caught_up_at)}" if gap.caught_up_at else "not caught up yet"
        why = gap.reason or "it did not run: paused, or no daemon"
        yield f"gap {moment(gap.began_at)} to {moment(gap.ended_at)}, {end}: {why}"
    if not gaps:
        yield "no gaps"


def moment(at: datetime | None) -> str:
    """Return a moment by the clock of this machine."""
    return "-" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _changed(row: JobRow) -> str:
    """Return what is not as in the file: the file's value, and the one in force."""
    every = [f"every {row.file_every_s or 0:g} s -> {row.every_s:g} s"] if row.override_every_s else []
    options = [
        f"{key} {_json(row.file_options.get(key))} -> {_json(value)}"
        for key, value in row.override_options.items()
    ]
    return "changed: " + ", ".join([*every, *options]) if every or options else ""


def _last(run: LastRun | None) -> str:
    if run is None:
        return ""
    took = "" if run.duration_ms is None else f"took {run.duration_ms} ms, "
    so_far = f", {run.progress_done} of {run.progress_total}" if run.progress_total else ""
    counts = f"{run.items} items, {run.changes} changes, {run.notified} told, {run.requests} requests"
    return f"last run: {took}{counts}{so_far}"


def _place(row: JobRow) -> str:
    jitter = [f"jitter up to {row.jitter_s:g} s"] if row.jitter_s else []
    cursor = [f"cursor {_pairs(row.cursor)}"] if row.cursor else []
    return "; ".join(jitter + cursor)


def _pause(row: JobRow) -> str:
    if row.paused_at is None:
        return ""
    end = f" until {moment(row.paused_until)}" if row.paused_until else " until it is resumed"
    return f"paused since {moment(row.paused_at)}{end}" + (
        f": {row.pause_reason}" if row.pause_reason else ""
    )


def _trouble(row: JobRow) -> str:
    if not row.last_error or not row.failures:
        return row.last_error
    return f"{row.last_error} ({row.failures} failures in a row, next try {moment(row.retry_at)})"


def _waiting(row: JobRow) -> str:
    if row.wanted is None:
        return ""
    every_s = "as in the file" if row.wanted["every_s"] is None else f"{row.wanted['every_s']:g} s"
    return f"waits for a daemon: every {every_s}, options {_pairs(row.wanted['options']) or 'as in the file'}"


def _pairs(found: Mapping[str, Any]) -> str:
    return " ".join(
        f"{key}={value if isinstance(value, str) else _json(value)}" for key, value in found.items()
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
