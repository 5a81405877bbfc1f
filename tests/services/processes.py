"""Child processes that never outlive the test run, as an unprivileged user.

Standard library only: the installer uses this too.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ServerFailed(Exception):
    """A server did not start or answer in time, or a command of it failed. Carries the end of its log."""


def service_user() -> pwd.struct_passwd:
    """Return who runs the servers: www-data where we are root (initdb refuses root), else ourselves."""
    return pwd.getpwnam("www-data") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def own(path: Path) -> Path:
    """Give `path` to the service user and return it."""
    user = service_user()
    os.chown(path, user.pw_uid, user.pw_gid)
    return path


def private_folder(path: Path) -> Path:
    """Make a folder only the service user (and root) can enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return own(path)


def as_service_user(argv: Sequence[str], *, death_signal: str = "KILL") -> list[str]:
    """Wrap `argv` so that it runs as the service user and is sent `death_signal` when its parent dies.

    The kernel looks at the parent *thread*: start servers from a thread that lives as long as they should.
    """
    drop = []
    if os.geteuid() == 0:
        user = service_user()
        drop = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups"]
    return ["setpriv", *drop, f"--pdeathsig={death_signal}", "--", *argv]


def clean_environment(extra: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return an environment free of the caller's Ruby, Python and PostgreSQL settings."""
    return {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "HOME": str(home), **extra}


def run(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout_s: float = 120, stdin: str = ""
) -> str:
    """Run a command as the service user and return what it printed. Raises ServerFailed with its output."""
    try:
        done = subprocess.run(
            as_service_user(argv),
            env=env,
            cwd=cwd,
            timeout=timeout_s,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise ServerFailed(f"{argv[0]} took more than {timeout_s} s") from late
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[:6000]  # Ruby names the error before its back trace
        raise ServerFailed(f"`{' '.join(argv)}` ended with {done.returncode}:\n{said}")
    return done.stdout


def wait_until(ready: Callable[[], bool], *, within_s: float, every_s: float = 0.02) -> bool:
    """Ask `ready` until it is true or the time is over; return its last answer."""
    deadline = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """What to start and how to end it. `stop_signal` is also what it gets when the test run is killed."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str]
    cwd: Path
    stop_signal: signal.Signals = signal.SIGTERM


class Server:
    """A running child process, leader of its own process group (Ctrl-C of the terminal does not reach it)."""

    def __init__(self, command: ServerCommand) -> None:
        self._command = command
        death_signal = command.stop_signal.name.removeprefix("SIG")
        with command.log.open("ab") as log:
            self._process = subprocess.Popen(
                as_service_user(command.argv, death_signal=death_signal),
                env=dict(command.env),
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its process group."""
        return self._process.pid

    def wait_ready(self, ready: Callable[[], bool], *, within_s: float) -> Self:
        """Wait until `ready()`; stop the server and raise ServerFailed when it ends or stays silent."""
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)  # also when Ctrl-C comes in between
            wait_until(lambda: self._process.poll() is not None or ready(), within_s=within_s)
            if self._process.poll() is not None or not ready():
                raise ServerFailed(f"{self._command.name} did not start:\n{self.log_tail()}")
            undo.pop_all()
        return self

    def log_tail(self) -> str:
        """Return the last 4,000 characters the server has written."""
        return self._command.log.read_text(errors="replace")[-4000:]

    def kill(self, *, within_s: float = 8) -> None:
        """End the server as a crash would."""
        self._process.kill()
        self._process.wait(timeout=within_s)

    def stop(self, *, within_s: float = 8) -> None:
        """Ask the server to end, then kill what is left of its process group."""
        if self._process.poll() is None:
            self._process.send_signal(self._command.stop_signal)
            wait_until(lambda: self._process.poll() is not None, within_s=within_s)
        with contextlib.suppress(ProcessLookupError):  # everybody of the group has ended by itself
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=within_s)


def remove_folder(path: Path) -> None:
    """Remove a folder with all it holds; none there is fine."""
    shutil.rmtree(path, ignore_errors=True)
