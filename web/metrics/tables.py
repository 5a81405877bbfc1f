"""What the tables say, as Prometheus takes it: read once in some seconds, however often it is asked."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from storage import figures, metrics
from storage.figures import Figures
from storage.session import Database, StorageError

KEPT_S = 5.0
# The label is not called "job": that is what Prometheus itself calls whom it asks, and it would rename ours.
# Name and meaning of each counter, with the labels that follow its name in the row of totals.
COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    metrics.RUNS: ("Runs of jobs, by how they ended.", ("job_name", "status")),
    metrics.CHANGES: ("Changes that jobs found.", ("job_name",)),
    metrics.REQUESTS: ("Requests that jobs sent to their sources.", ("job_name",)),
    metrics.NOTIFICATIONS: ("Notifications recorded.", ("type",)),
    metrics.DELIVERIES: ("Attempts to deliver, by what came of them.", ("channel", "outcome")),
}


class Tables(Collector):
    """Collects from the database; where that is away, only says so."""

    def __init__(self, database: Database, kept_s: float = KEPT_S) -> None:
        self._database = database
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._figures: Figures | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        found = self._fresh()
        yield _info()
        yield GaugeMetricFamily("helpdesk_database_up", "Whether the database answers.", found is not None)
        if found is not None:
            yield from _counters(found)
            yield _durations(found)
            yield from _jobs(found)
            yield from _queues(found)
            yield from _daemon(found)

    def _fresh(self) -> Figures | None:
        with self._lock:
            if time.monotonic() - self._read_at >= self._kept_s:
                try:
                    self._figures = figures.read(self._database, datetime.now(UTC))
                except StorageError:
                    self._figures = None
                self._read_at = time.monotonic()
            return self._figures


def _info() -> Metric:
    family = GaugeMetricFamily("helpdesk_build_info", "The version that runs.", labels=("version",))
    family.add_metric((version("helpdesk"),), 1)
    return family


def _counters(found: Figures) -> Iterator[Metric]:
    for name, (meaning, labels) in COUNTERS.items():
        family = CounterMetricFamily(f"helpdesk_{name}", meaning, labels=labels)
        for key, value in found.totals.items():
            if key[0] == name:
                family.add_metric(key[1:], value)
        yield family


def _durations(found: Figures) -> Metric:
    family = HistogramMetricFamily(
        f"helpdesk_{metrics.DURATION}", "How long runs took.", labels=("job_name",)
    )
    jobs = {key[1] for key in found.totals if key[0] == metrics.DURATION}
    for job in sorted(jobs):
        buckets, total = metrics.cumulative(found.totals, job)
        family.add_metric((job,), buckets, total)
    return family


def _jobs(found: Figures) -> Iterator[Metric]:
    rows = found.jobs
    yield _each("job_lag_seconds", "How long ago all was read.", ((r.name, r.lag_s) for r in rows))
    yield _each("job_interval_seconds", "How often a job runs.", ((r.name, r.every_s) for r in rows))
    yield _each("job_failures", "Runs in a row that failed.", ((r.name, r.failures) for r in rows))
    paused = ((r.name, r.paused_at is not None) for r in rows)
    yield _each("job_paused", "Whether an administrator paused it.", paused)
    done = ((r.name, r.last_ok_at.timestamp() if r.last_ok_at else None) for r in rows)
    yield _each("job_last_success_timestamp_seconds", "When its last good run began.", done)
    gaps = ((r.name, found.gaps.get(r.name, 0)) for r in rows)
    yield _each("job_gaps_open", "Times that are not caught up yet.", gaps)


def _each(name: str, meaning: str, values: Iterable[tuple[str, float | None]]) -> Metric:
    family = GaugeMetricFamily(f"helpdesk_{name}", meaning, labels=("job_name",))
    for job, value in values:
        if value is not None:
            family.add_metric((job,), value)
    return family


def _queues(found: Figures) -> Iterator[Metric]:
    for name, meaning, part in (
        ("deliveries_waiting", "Deliveries that are not done.", "waiting"),
        ("deliveries_due", "Deliveries that could be sent now.", "due"),
        ("delivery_queue_age_seconds", "For how long the oldest of those has been due.", "oldest_s"),
    ):
        family = GaugeMetricFamily(f"helpdesk_{name}", meaning, labels=("channel",))
        for channel, queue in found.queues.items():
            family.add_metric((channel,), getattr(queue, part))
        yield family
    yield GaugeMetricFamily("helpdesk_push_devices", "Browsers that are reached by Web Push.", found.devices)


def _daemon(found: Figures) -> Iterator[Metric]:
    size, free = found.database_bytes, found.free_bytes
    yield GaugeMetricFamily("helpdesk_database_size_bytes", "How large the database is.", size)
    yield GaugeMetricFamily("helpdesk_database_free_bytes", "What of it nothing uses any more.", free)
    yield GaugeMetricFamily("helpdesk_daemon_up", "Whether a daemon leads.", found.is_daemon_running)
    meaning = "For how long a part of the daemon has not got on."
    family = GaugeMetricFamily("helpdesk_daemon_watchdog_age_seconds", meaning, labels=("part",))
    for part, age_s in found.ages_s.items():
        family.add_metric((part,), age_s)
    yield family
