"""What the viewer answers administrators about jobs, as models for the document of the API."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from web.contract import Pagination


class LastRunShown(BaseModel):
    """The newest run of a job; while it runs, `progress_done` of `progress_total`."""

    id: int
    status: Literal["running", "ok", "partial", "failed", "refused", "interrupted"]
    started_at: str
    duration_ms: int | None
    progress_done: int
    progress_total: int
    items: int
    changes: int
    notified: int
    requests: int


class JobShown(BaseModel):
    """A job: `file_*` says the file, `override_*` what was changed; `every_s` and `options` are in force."""

    name: str
    source: str
    health: Literal["absent", "paused", "failing", "starting", "behind", "ok"]
    file_every_s: float | None
    override_every_s: float | None
    every_s: float | None
    jitter_s: float = Field(description="By how much a run may begin later than its time.")
    timeout_s: float
    file_options: dict[str, Any]
    override_options: dict[str, Any]
    options: dict[str, Any]
    wanted: dict[str, Any] | None = Field(description="A change that the daemon has not judged yet.")
    refusal: str = Field(description="Why the daemon refused the last change.")
    paused_at: str | None
    paused_until: str | None
    pause_reason: str
    requested_at: str | None
    next_run_at: str | None
    failures: int
    retry_at: str | None
    retry_ceiling_s: float
    told_at: str | None = Field(description="When administrators were told of its failures.")
    last_error: str
    last_ok_at: str | None
    covered_at: str | None = Field(description="Everything up to then was read.")
    lag_s: int | None
    cursor: dict[str, Any] | None
    last_run: LastRunShown | None


class DaemonShown(BaseModel):
    """The daemon; `fault` says why the saved file is not in force, `restart` what only a restart changes."""

    is_running: bool
    owner: str
    path: str
    loaded_at: str | None
    fault: str
    fault_at: str | None
    restart: list[str]


class ViewerState(BaseModel):
    """The viewer; `fault` says why it would not start with the saved file, `restart` what waits for that."""

    fault: str
    restart: list[str]


class JobsAnswer(BaseModel):
    """All jobs by name."""

    jobs: list[JobShown]
    daemon: DaemonShown
    viewer: ViewerState


class GapShown(BaseModel):
    """A time in which the source could not be read; `caught_up_at` is when all of it was read after all."""

    began_at: str
    ended_at: str | None
    caught_up_at: str | None
    reason: str


class SumsShown(BaseModel):
    """What the runs of the last days add up to."""

    days: float = Field(description="14, less where `[retention] runs_days` keeps runs for less.")
    runs: int = Field(
        description="Those that found something or failed; idle ones are forgotten after hours."
    )
    failed: int
    journals: int = Field(description="Of a reconcile job only those that the poll should have found.")
    changes: int
    overlap_hits: int


class JobAnswer(BaseModel):
    """One job, its gaps and its sums."""

    job: JobShown
    gaps: list[GapShown]
    sums: SumsShown


class RunShown(LastRunShown):
    """One run of a job."""

    job: str
    finished_at: str | None
    withdrawn: int
    journals: int
    overlap_hits: int
    error: str


class RunsAnswer(BaseModel):
    """One page of runs, newest first."""

    runs: list[RunShown]
    pagination: Pagination


class RunAnswer(BaseModel):
    """One run with its log lines."""

    run: RunShown
    lines: list[dict[str, Any]]


class Acted(BaseModel):
    """The job after the act."""

    success: Literal[True]
    message: str
    job: JobShown


class AuditShown(BaseModel):
    """One act of an administrator: who, what, before, after."""

    id: int
    at: str
    user_id: int | None
    actor: str
    act: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]


class AuditAnswer(BaseModel):
    """One page of acts, newest first."""

    entries: list[AuditShown]
    pagination: Pagination
