"""A private PostgreSQL cluster: Unix socket for Redmine, 127.0.0.1 for our own tests.

Standard library only: the installer uses this too.
"""

import signal
import tarfile
import time
from pathlib import Path

from tests.services.layout import TIME_ZONE, pristine_archive
from tests.services.processes import (
    Server,
    ServerCommand,
    ServerFailed,
    clean_environment,
    free_port,
    run,
    service_user,
    wait_until,
)

OWNER = "helpdesk"
"""Role that owns the databases of our tests; not a superuser, as in production. Its password is its name."""

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "timezone": TIME_ZONE,
    "log_timezone": "UTC",
}


def binaries() -> Path:
    """Return the folder of `initdb` and `postgres`, the newest version installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        raise ServerFailed("PostgreSQL's server is not installed")
    return found[-1].parent


class Cluster:
    """One PostgreSQL server whose files, socket and log are in `folder` (private to the service user)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 5432  # a free one once it is started; until then only the socket's name
        self._server: Server | None = None

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "pgdata"

    def create(self) -> None:
        """Make an empty cluster with the superuser `postgres`: trusted on the socket, passwords on TCP."""
        options = ["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256"]
        options += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        run([str(binaries() / "initdb"), *options, "-D", str(self.data)], env=self._env(), cwd=self.folder)

    def restore(self) -> None:
        """Unpack the pristine cluster the installer made."""
        run(["tar", "--extract", "--file", str(pristine_archive())], env=self._env(), cwd=self.folder)

    def archive(self, target: Path) -> None:
        """Pack the (stopped) cluster into `target`, readable by everybody, owners left out."""
        with tarfile.open(target, "w") as archive:
            archive.add(self.data, arcname=self.data.name)
        target.chmod(0o644)

    def start(self) -> None:
        """Start the server on a free port; a port taken in between is given up for another."""
        for attempt in range(3):
            self.port = free_port()
            try:
                self._server = self._started()
                return
            except ServerFailed:
                if attempt == 2:
                    raise

    def _started(self) -> Server:
        settings = {**SETTINGS, "port": str(self.port), "listen_addresses": "127.0.0.1"}
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = ServerCommand(
            name="postgres",
            argv=(str(binaries() / "postgres"), "-D", str(self.data), "-k", str(self.folder), *options),
            log=self.folder / "postgres.log",
            env=self._env(),
            cwd=self.folder,
            stop_signal=signal.SIGINT,  # "fast": ends the connections instead of waiting for them
        )
        return Server(command).wait_ready(self._accepts, within_s=30)

    def _accepts(self) -> bool:
        """Say whether the server has written `ready` into the 8th line of its pid file."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def restart(self) -> None:
        """Start the server again where it was; what a killed one left behind may take some seconds to end."""
        for attempt in range(20):
            try:
                self._server = self._started()
                break
            except ServerFailed:
                if attempt == 19:
                    raise
                time.sleep(0.5)
        # The pid file of one that was killed says "ready", too.
        if not wait_until(self._answers, within_s=60, every_s=0.2):
            raise ServerFailed("PostgreSQL does not answer after its restart")

    def _answers(self) -> bool:
        try:
            return self.psql("select 1").strip() == "1"
        except ServerFailed:
            return False

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._server:
            self._server.kill()
        self._server = None

    def stop(self) -> None:
        """End the server if it runs."""
        if self._server:
            self._server.stop()
        self._server = None

    @property
    def pid(self) -> int:
        """Process id of the running server, 0 when it does not run."""
        return self._server.pid if self._server else 0

    def psql(self, script: str, *, database: str = "postgres") -> str:
        """Run statements (each one by itself, so that CREATE DATABASE works) and return the bare rows."""
        argv = ["psql", "-v", "ON_ERROR_STOP=1", "-qAtX", "-f", "-", database]
        return run(argv, env=self._env(), cwd=self.folder, stdin=script)

    def environment(self) -> dict[str, str]:
        """Return what libpq needs to find this server by its socket."""
        return {"PGHOST": str(self.folder), "PGPORT": str(self.port)}

    def dsn(self, database: str, role: str = OWNER) -> str:
        """Return `USER:PASSWORD@HOST:PORT/DATABASE` on TCP, to be put after a driver's scheme."""
        return f"{role}:{role}@127.0.0.1:{self.port}/{database}"

    def _env(self) -> dict[str, str]:
        own_names = {"PGUSER": "postgres", "USER": service_user().pw_name}
        return clean_environment({**self.environment(), **own_names}, self.folder)
