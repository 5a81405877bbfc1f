"""The daemon process: builds the jobs, runs them until a signal, stops in good order."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from daemon.channel import Surroundings
from daemon.channels import webpush
from daemon.clients.settings import SettingsError
from daemon.config import ChannelConfig, Config, JobConfig
from daemon.dispatch import Dispatcher, Line
from daemon.dispatch_proof import RedmineProof
from daemon.outbox import Outbox
from daemon.pipeline import Job
from daemon.redmine.connection import RedmineConnection
from daemon.scheduler import Engine
from storage import migrate
from storage.configuration import ConfigError
from storage.session import Database

log = structlog.get_logger()

PROOF_OVERLAP_S = 90.0  # of the key's checks; nothing is polled by that connection


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
    sender = dispatcher(config, database)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    engine.start()
    sender.start()
    stop.wait()
    if not _stopped(engine, sender, config.daemon.stop_timeout_s):
        # A call that stalls ends by its own deadline, later than an operator waits. Whatever it would
        # have written is one transaction that has not begun, so nothing is torn.
        os._exit(0)
    database.dispose()
    return 0


def _stopped(engine: Engine, sender: Dispatcher, timeout_s: float) -> bool:
    """Stop both at once: an operator does not wait for one after the other. False where time ran out."""
    with ThreadPoolExecutor(2) as both:
        ended = list(both.map(lambda part: part.stop(timeout_s), (engine, sender)))
    return all(ended)


def jobs(config: Config) -> list[Job]:
    """Build the enabled jobs with their sources. Raises ConfigError where a secret is missing."""
    enabled = [job for job in config.jobs if job.settings.enabled]
    return [_job(job, config, _outbox(config)) for job in enabled if is_configured(job, config)]


def dispatcher(config: Config, database: Database) -> Dispatcher:
    """Build what sends by the channels that are switched on. Raises ConfigError where a secret is missing."""
    surroundings = Surroundings(config.public_url, database.directory)
    lines = [_line(channel, config, surroundings) for channel in config.channels]
    proof = RedmineProof(RedmineConnection(config.redmine, PROOF_OVERLAP_S)) if config.redmine else None
    return Dispatcher(database, lines, proof, outbox=_outbox(config), claim_s=config.daemon.claim_s)


def _line(channel: ChannelConfig, config: Config, surroundings: Surroundings) -> Line:
    timeout_s = channel.options.timeout_s
    if config.daemon.claim_s < 2 * timeout_s:
        raise ConfigError(
            f"{config.path}: daemon.claim_s = {config.daemon.claim_s:g}: must be at least twice "
            f"channel.{channel.name}.timeout_s = {timeout_s:g}, else a message could be sent by two daemons"
        )
    try:
        ready = channel.module.Channel(channel.options, surroundings)
    except SettingsError as e:
        raise ConfigError(f"channel.{channel.name}: {e}") from e
    return Line(channel.name, ready, channel.options, getattr(ready, "public_key", ""))


def vapid_file(config: Config) -> Path:
    """Return where the key pair of Web Push is, or will be. Raises ConfigError where Web Push is off."""
    options = next((channel.options for channel in config.channels if channel.name == "webpush"), None)
    if not isinstance(options, webpush.Options):
        raise ConfigError(
            f"{config.path}: channel.webpush.enabled = false: there is nothing to make a key for"
        )
    return webpush.key_file(options, Database(config.storage).directory)


def _outbox(config: Config) -> Outbox:
    channels = frozenset(channel.name for channel in config.channels)
    return Outbox(channels, frozenset(config.inbox.urgent_priorities))


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
