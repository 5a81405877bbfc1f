"""The daemon process: builds the jobs, runs them until a signal, stops in good order."""

import os
import signal
import threading

import structlog

from daemon.clients.settings import SettingsError
from daemon.config import Config, JobConfig
from daemon.outbox import Outbox
from daemon.pipeline import Job
from daemon.scheduler import Engine
from storage import migrate
from storage.configuration import ConfigError
from storage.session import Database

log = structlog.get_logger()


def serve(config: Config) -> int:
    """Run the jobs until SIGTERM or SIGINT; return the exit code."""
    if config.redmine is None:
        raise ConfigError(
            f"{config.path}: redmine.url is missing: put the address of your Redmine there, "
            "or try `helpdesk demo`"
        )
    database = Database(config.storage)
    migrate.require_current(database)
    engine = Engine(database, jobs(config), config.daemon.lease_s, config.inbox.keep_read_days)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    engine.start()
    stop.wait()
    if not engine.stop(config.daemon.stop_timeout_s):
        # A call that stalls ends by its own deadline, later than an operator waits. Whatever it would
        # have written is one transaction that has not begun, so nothing is torn.
        os._exit(0)
    database.dispose()
    return 0


def jobs(config: Config) -> list[Job]:
    """Build the enabled jobs with their sources. Raises ConfigError where a secret is missing."""
    channels = frozenset(channel.name for channel in config.channels)
    outbox = Outbox(channels, frozenset(config.inbox.urgent_priorities))
    enabled = [job for job in config.jobs if job.settings.enabled]
    return [_job(job, config, outbox) for job in enabled if is_configured(job, config)]


def is_configured(job: JobConfig, config: Config) -> bool:
    """Say whether there is what the job's source reads; a job without it does nothing and is left out."""
    return bool(getattr(config, needs(job)))


def needs(job: JobConfig) -> str:
    """Return the table that the job's source is built from."""
    return getattr(job.module, "NEEDS", "redmine")


def _job(job: JobConfig, config: Config, outbox: Outbox) -> Job:
    try:
        source = job.module.Source(getattr(config, needs(job)), job.options)
    except SettingsError as e:
        raise ConfigError(f"{needs(job)}: {e}") from e
    return Job(job.name, source, job.settings.every_s, job.settings.timeout_s, outbox)
