"""A systemd of its own, on a copy of this machine that is thrown away.

Everything it writes goes to memory: its root is an overlay, `/run`, `/tmp` and `/dev` are its own,
`/proc/sys` and `/sys` are read-only, and it may load no module and set no clock. Only the network is ours.
It boots the journal and what it is asked to start, nothing else of this machine's services.
"""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.services.layout import PROJECT
from tests.services.processes import wait_until

NAMESPACES = ("--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts", "--cgroup")
ENTER = 'echo $$ >"$0" && exec unshare "$@"'
DROPPED = "-sys_time,-sys_module,-sys_boot,-sys_rawio,-syslog"
WANTED = ("systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald.service")
SHIPPED = "usr/lib/systemd/system"
HIDDEN = (
    *(
        f"{SHIPPED}/{target}.target.wants"
        for target in ("sysinit", "sockets", "local-fs", "multi-user", "timers")
    ),
    *(
        f"etc/systemd/system/{target}.target.wants"
        for target in ("sysinit", "sockets", "multi-user", "timers")
    ),
)
DEVICES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}
TARGET = "[Unit]\nRequires=basic.target\nAfter=basic.target\n"
NODES = 0o666 | stat.S_IFCHR


def why_not() -> str:
    """Say why no systemd can be started here, "" where one can."""
    missing = [name for name in ("unshare", "nsenter", "systemctl") if shutil.which(name) is None]
    if missing or not Path("/lib/systemd/systemd").exists():
        return "systemd is not installed: run `make test-services` as root"
    if os.geteuid() != 0:
        return "a systemd of our own needs root"
    if not os.access(_cgroups() / "cgroup.procs", os.W_OK):
        return "control groups (version 2) cannot be written here"
    tried = subprocess.run(["unshare", *NAMESPACES, "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "namespaces cannot be made here"


class SystemdBox:
    """Runs from `with` on to its end. `files` is a folder that is laid over the root first."""

    def __init__(self, folder: Path, files: Path) -> None:
        self._root = folder / "box"
        self._root.mkdir()
        self._files = files
        self._log = folder / "box.log"
        self._cgroup = _cgroups() / f"helpdesk-box-{os.getpid()}"
        self._pid = 0

    def __enter__(self) -> "SystemdBox":
        self._cgroup.mkdir()
        inner = [sys.executable, "-m", "tests.real.systemd_box", str(self._root), str(self._files)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", ENTER, str(self._cgroup / "cgroup.procs"), *NAMESPACES, *inner],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            assert wait_until(self._is_up, within_s=60), self._log.read_text(errors="replace")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        (self._cgroup / "cgroup.kill").write_text("1")
        self._process.wait(10)
        events = self._cgroup / "cgroup.events"
        assert wait_until(lambda: "populated 0" in events.read_text(), within_s=20)
        for folder in sorted(self._cgroup.rglob("*/"), reverse=True):
            folder.rmdir()
        self._cgroup.rmdir()

    def call(self, *argv: str, may_fail: bool = False) -> str:
        """Run a command in there and return what it says."""
        inside = ["nsenter", f"--target={self._pid}", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--"]
        done = subprocess.run([*inside, *argv], capture_output=True, text=True, timeout=90, check=False)
        assert may_fail or done.returncode == 0, (argv, done.stdout, done.stderr)
        return done.stdout

    def show(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.call("systemctl", "show", unit, f"--property={name}", "--value").strip()

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self._log.read_text(errors="replace")
        children = psutil.Process(self._process.pid).children()
        if not children or children[0].name() != "systemd":
            return False
        self._pid = children[0].pid
        return self.call("systemctl", "is-active", "box.target", may_fail=True).strip() == "active"


def _cgroups() -> Path:
    """Return where the second version of control groups is."""
    top = Path("/sys/fs/cgroup")
    return top if (top / "cgroup.procs").exists() else top / "unified"


# --- inside: becomes systemd ------------------------------------------------------------------------


def _become_systemd(scratch: Path, files: Path) -> None:
    assert os.getpid() == 1, "not in a namespace of its own"
    assert scratch.is_dir()
    assert not any(scratch.iterdir())
    _mount("--make-rprivate", "/")
    _mount("-t", "tmpfs", "tmpfs", scratch)
    root = scratch / "root"
    for name in ("upper", "work", "root"):
        (scratch / name).mkdir()
    layers = f"lowerdir=/,upperdir={scratch}/upper,workdir={scratch}/work"
    _mount("-t", "overlay", "overlay", "-o", layers, root)
    assert os.path.ismount(root)  # from here on nothing outside of it is written
    shutil.copytree(files, root, dirs_exist_ok=True)
    for folder in ("run", "tmp", "var/tmp", "var/log", "dev", *HIDDEN):
        if (root / folder).is_dir():
            _mount(
                "-t", "tmpfs", "-o", "mode=1777" if "tmp" in folder else "mode=755", "tmpfs", root / folder
            )
    _make_devices(root)
    _mount("-t", "proc", "proc", root / "proc")
    _mount("--bind", root / "proc/sys", root / "proc/sys")
    _mount("-o", "remount,bind,ro", root / "proc/sys")
    _mount("-t", "sysfs", "-o", "ro", "sysfs", root / "sys")
    _mount("-t", "cgroup2", "cgroup2", root / "sys/fs/cgroup")
    (root / "etc/systemd/system/box.target").write_text(TARGET)
    for unit in WANTED:
        (root / SHIPPED / "sysinit.target.wants" / unit).symlink_to(f"/{SHIPPED}/{unit}")
    (root / "old").mkdir()
    os.chdir(root)
    subprocess.run(["pivot_root", ".", "old"], check=True, timeout=10)
    os.chdir("/")
    subprocess.run(["umount", "--lazy", "/old"], check=True, timeout=10)
    _mount("--make-rshared", "/")  # as systemd wants it of whoever starts it: credentials appear by that
    systemd = ("/lib/systemd/systemd", "--system", "--unit=box.target", "--log-target=console")
    environ = {"container": "helpdesk-box", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    os.execve("/usr/bin/setpriv", ["setpriv", f"--bounding-set={DROPPED}", "--", *systemd], environ)  # noqa: S606


def _make_devices(root: Path) -> None:
    for name, number in DEVICES.items():
        os.mknod(root / "dev" / name, NODES, os.makedev(1, number))
        (root / "dev" / name).chmod(0o666)
    os.mknod(root / "dev/tty", NODES, os.makedev(5, 0))
    for name, target in {"fd": "/proc/self/fd", "ptmx": "pts/ptmx"}.items():
        (root / "dev" / name).symlink_to(target)
    for name in ("pts", "shm"):
        (root / "dev" / name).mkdir()
    _mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", root / "dev/pts")
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / "dev/shm")


def _mount(*argv: str | Path) -> None:
    subprocess.run(["mount", *map(str, argv)], check=True, timeout=10)


def _main(argv: Sequence[str]) -> None:
    _become_systemd(Path(argv[0]), Path(argv[1]))


if __name__ == "__main__":
    _main(sys.argv[1:])
