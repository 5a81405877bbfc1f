"""The daemon process: builds the jobs, runs them until a signal, stops in good order."""

import os
import signal
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from daemon.channel import Surroundings
from daemon.channels import webpush
from daemon.clients.notify import Notify
from daemon.clients.settings import SettingsError
from daemon.config import ChannelConfig, Config, JobConfig, changed_job, load
from daemon.dispatch import Dispatcher, Line
from daemon.dispatch_proof import RedmineProof
from daemon.outbox import Outbox
from daemon.pipeline import Job
from daemon.redmine.connection import RedmineConnection
from daemon.reload import Reloader
from daemon.schedule_plan import PlannedJob
from daemon.scheduler import Engine
from daemon.watchdog import LOOP_SHARE, PATIENCE, Vital, Watchdog
from storage import migrate
from storage.configuration import ConfigError, read_tables
from storage.session import Database
from storage.settings_watch import differing, files_of, stamps_of

log = structlog.get_logger()

# Read when the daemon starts, but for what each run and the dispatcher are built from.
STANDING = ("storage", "daemon", "inbox")
FOLLOWED = frozenset(
    {"daemon.tell_after", "daemon.claim_s", "inbox.urgent_priorities", "inbox.keep_read_days"}
)
OF_THE_VIEWER = ("web", "auth", "features", "tasks", "quality_control")
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
    settings = config.daemon
    engine = Engine(database, plan(config), settings.lease_s, settings.give_up_s)
    engine.keep(config.retention, config.inbox.keep_read_days)
    sender = Senders(config, database)
    engine.look_at_file = Follower(config, engine, sender).look
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    notify = Notify.from_environment()
    watchdog = Watchdog(notify, partial(vitals, engine, sender))
    engine.start()
    sender.start()
    watchdog.start()
    notify.ready("working")
    stop.wait()
    notify.stopping()
    watchdog.stop()
    if not _stopped(engine, sender, settings.stop_timeout_s):
        # A call that stalls ends by its own deadline, later than an operator waits. Whatever it would
        # have written is one transaction that has not begun, so nothing is torn.
        os._exit(0)
    database.dispose()
    return 0


def vitals(engine: Engine, sender: "Senders", watchdog_s: float) -> list[Vital]:
    """Return what must get on, with how long it may stand still, by the time of systemd's watchdog."""
    loop_s, patience_s = watchdog_s * LOOP_SHARE, watchdog_s * PATIENCE
    return [
        Vital("scheduler", engine.pulse.age_s, loop_s),
        Vital("dispatcher", sender.age_s, loop_s),
        Vital("database", engine.database_pulse.age_s, patience_s),
        Vital("job", engine.overdue.longest_s, patience_s),
    ]


def _stopped(engine: Engine, sender: "Senders", timeout_s: float) -> bool:
    """Stop both at once: an operator does not wait for one after the other. False where time ran out."""
    with ThreadPoolExecutor(2) as both:
        ended = list(both.map(lambda part: part.stop(timeout_s), (engine, sender)))
    return all(ended)


def jobs(config: Config) -> list[Job]:
    """Build the enabled jobs with their sources. Raises ConfigError where a secret is missing."""
    return [job.build(job.every_s, {}) for job in plan(config)]


def plan(config: Config) -> tuple[PlannedJob, ...]:
    """Return the enabled jobs of the file for which there is what their source reads."""
    enabled = [job for job in config.jobs if job.settings.enabled]
    return tuple(_planned(job, config) for job in enabled if is_configured(job, config))


def _planned(job: JobConfig, config: Config) -> PlannedJob:
    files = _stamps(config, needs(job))
    made_of = (job.settings, getattr(config, needs(job)), _outbox(config), config.daemon.tell_after, files)

    def build(every_s: float, options: Mapping[str, Any]) -> Job:
        return _job(changed_job(job, every_s, options, config.path), config, _outbox(config))

    settings = job.settings
    return PlannedJob(
        name=job.name,
        source=settings.source,
        every_s=settings.every_s,
        timeout_s=settings.timeout_s,
        all_options=job.options.model_dump(mode="json"),
        mark=repr(made_of),
        build=build,
    )


class Senders:
    """The dispatcher in force. One that is replaced ends what it is sending: claims keep them apart."""

    def __init__(self, config: Config, database: Database) -> None:
        self._database = database
        self._mark = _mark_of_channels(config)
        self._now = dispatcher(config, database)

    def start(self) -> None:
        """Begin to send."""
        self._now.start()

    def age_s(self) -> float:
        """Return for how long the dispatcher has not got on."""
        return self._now.age_s()

    def stop(self, timeout_s: float) -> bool:
        """End what is being sent; False where time ran out."""
        return self._now.stop(timeout_s)

    def prepared(self, config: Config) -> Dispatcher | None:
        """Return the dispatcher of another file, None where it changes nothing. Raises ConfigError."""
        return None if _mark_of_channels(config) == self._mark else dispatcher(config, self._database)

    def replace(self, config: Config, after: Dispatcher) -> None:
        """Send by another one from now on."""
        before, self._now, self._mark = self._now, after, _mark_of_channels(config)
        after.start()
        stop_timeout_s = config.daemon.stop_timeout_s
        threading.Thread(target=before.stop, args=(stop_timeout_s,), name="sender-ends", daemon=True).start()


def _mark_of_channels(config: Config) -> str:
    channels = [(channel.name, channel.options) for channel in config.channels]
    files = _stamps(config, "channel"), _stamps(config, "redmine")
    return repr((channels, config.redmine, config.public_url, _outbox(config), config.daemon.claim_s, files))


class Follower:
    """Puts a saved file in force: jobs, what they read, channels. What it cannot is named."""

    def __init__(self, config: Config, engine: Engine, senders: Senders) -> None:
        self._config = config
        self._engine = engine
        self._senders = senders
        self._files = tuple(secret_files(config).values())
        self._tables = _tables_of_the_viewer(config)
        self._reloader = Reloader(config.path, self._apply, lambda: self._files)

    def look(self) -> dict[str, Any]:
        """Apply the file where it was saved, and return what is known of it."""
        self._reloader.look()
        return self._reloader.status

    def _apply(self) -> list[str]:
        config = load(self._config.path)
        if config.redmine is None:
            text = "redmine.url is missing: without it nothing can be polled"
            raise ConfigError(config.origins.fault(("redmine", "url"), text))
        try:
            after = self._senders.prepared(config)
        except SettingsError as e:
            raise ConfigError(config.origins.fault_named(("redmine",), f"redmine: {e}")) from e
        self._engine.replace(plan(config))  # the last that may be refused
        if after is not None:
            self._senders.replace(config, after)
        self._engine.keep(config.retention, config.inbox.keep_read_days)
        self._files = tuple(secret_files(config).values())
        self._tell_of_the_viewer(config)
        before, now = self._config, config
        found = [differing(getattr(before, name), getattr(now, name), name) for name in STANDING]
        return [key for keys in found for key in keys if key not in FOLLOWED]

    def _tell_of_the_viewer(self, config: Config) -> None:
        """Log what is the viewer's: it reads its tables once, when it starts."""
        before, self._tables = self._tables, _tables_of_the_viewer(config)
        if keys := [key.removeprefix(".") for key in differing(before, self._tables, "")]:
            log.warning("viewer_restart_needed", keys=keys)


def secret_files(config: Config) -> dict[str, Path]:
    """Return the files with secrets and certificates that the configuration names, by their keys."""
    tables = {"redmine": config.redmine, "erp": config.erp, "finesse": config.finesse}
    channels = {f"channel.{channel.name}": channel.options for channel in config.channels}
    named = (files_of(table, name) for name, table in {**tables, **channels}.items())
    return {key: path for files in named for key, path in files.items()}


def _stamps(config: Config, table: str) -> object:
    """Return what is different once a file that a table names was saved."""
    return sorted((k, v) for k, v in stamps_of(secret_files(config)).items() if k.startswith(f"{table}."))


def _tables_of_the_viewer(config: Config) -> dict[str, Any]:
    tables = read_tables(config.path)
    return {name: tables.get(name, {}) for name in OF_THE_VIEWER}


def dispatcher(config: Config, database: Database) -> Dispatcher:
    """Build what sends by the channels that are switched on. Raises ConfigError where a secret is missing."""
    surroundings = Surroundings(config.public_url, database.directory)
    lines = [_line(channel, config, surroundings) for channel in config.channels]
    proof = RedmineProof(RedmineConnection(config.redmine, PROOF_OVERLAP_S)) if config.redmine else None
    return Dispatcher(database, lines, proof, outbox=_outbox(config), claim_s=config.daemon.claim_s)


def _line(channel: ChannelConfig, config: Config, surroundings: Surroundings) -> Line:
    timeout_s = channel.options.timeout_s
    if config.daemon.claim_s < 2 * timeout_s:
        text = (
            f"daemon.claim_s = {config.daemon.claim_s:g}: must be at least twice "
            f"channel.{channel.name}.timeout_s = {timeout_s:g}, else a message could be sent by two daemons"
        )
        given = config.origins.first_given(("daemon", "claim_s"), ("channel", channel.name, "timeout_s"))
        raise ConfigError(config.origins.fault(given, text))
    try:
        ready = channel.module.Channel(channel.options, surroundings)
    except SettingsError as e:
        keys = ("channel", channel.name)
        raise ConfigError(config.origins.fault_named(keys, f"{'.'.join(keys)}: {e}")) from e
    return Line(channel.name, ready, channel.options, getattr(ready, "public_key", ""))


def vapid_file(config: Config) -> Path:
    """Return where the key pair of Web Push is, or will be. Raises ConfigError where Web Push is off."""
    options = next((channel.options for channel in config.channels if channel.name == "webpush"), None)
    if not isinstance(options, webpush.Options):
        text = "channel.webpush.enabled = false: there is nothing to make a key for"
        raise ConfigError(config.origins.fault(("channel", "webpush", "enabled"), text))
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
        text = f"{needs(job)}: {e}"
        raise ConfigError(config.origins.fault_named((needs(job),), text)) from e
    settings, tell_after = job.settings, config.daemon.tell_after
    return Job(job.name, source, settings.every_s, settings.timeout_s, outbox, tell_after)
