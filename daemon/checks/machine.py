"""What this machine has to offer: room, ports, the right to ping, time zones, files that others may read."""

import getpass
import json
import os
import socket
import stat
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from daemon.checks.rows import Row, fault, off, warning, well
from daemon.clients.host_settings import HostSettings
from daemon.clients.icmp import Pace, Prober
from daemon.clients.icmp_packets import Family

MB = 1_000_000
LITTLE, TOO_LITTLE = 1_000 * MB, 100 * MB
ANSWER_S = 3.0
OTHERS, GROUP = 0o007, 0o070
NOT_SECRET = frozenset({"ca_file"})
Refusal = Callable[[Family], str]


def disk_row(folders: Iterable[Path], little: int = LITTLE, too_little: int = TOO_LITTLE) -> Row:
    """Say whether there is room where the database lies and where uploads wait."""
    room = {folder: _room(folder) for folder in folders}
    folder, free = min(room.items(), key=lambda item: item[1])
    found = f"{free / MB:,.0f} MB free in {folder}"
    cure = (
        f"make room there; what is old goes by itself earlier with shorter times in [inbox], now in {folder}"
    )
    if free < too_little:
        return fault("disk", found, cure)
    return warning("disk", found, cure) if free < little else well("disk", found)


def _room(folder: Path) -> int:
    """Return how many bytes may still be written there, or where it will be made; 0 without free inodes."""
    while not folder.exists():
        folder = folder.parent
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize if found.f_favail or not found.f_files else 0


def uploads_folder() -> Path:
    """Return where what people attach waits."""
    return Path(tempfile.gettempdir())


def port_row(host: str, port: int) -> Row:
    """Say whether the viewer can listen there, or does already."""
    name, place = "port", f"{host} port {port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen()  # two may bind, one may listen
    except PermissionError:
        cure = "choose a [web] port from 1024 on, and let nginx listen on the low one"
        return fault(name, f"{place}: this user may not listen there", cure)
    except OSError as e:
        if _is_ours(host, port):
            return well(name, f"{place}: the viewer answers")
        return fault(
            name,
            f"{place}: {e.strerror or e}",
            "end what listens there, or choose another [web] host or port",
        )
    return well(name, f"{place} is free")


def _is_ours(host: str, port: int) -> bool:
    """Say whether a viewer answers there, in whatever state it is."""
    asked = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound, recognised
    address = f"[{asked}]" if ":" in asked else asked
    plain = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with plain.open(f"http://{address}:{port}/healthz", timeout=ANSWER_S) as answer:
            text = answer.read(1000)
    except urllib.error.HTTPError as e:
        text = e.read(1000)
    except (OSError, ValueError):
        return False
    try:
        return "status" in json.loads(text)
    except (ValueError, TypeError):
        return False


def icmp_row(hosts: Iterable[HostSettings], refusal: Refusal | None = None) -> Row:
    """Say whether the user of this command may ping, where there are hosts to be pinged."""
    watched = list(hosts)
    if not watched:
        return off("icmp", "there are no [[host]] tables")
    families: list[Family] = [6] if all(":" in host.address for host in watched) else [4]
    asked = refusal or Prober(Pace()).refusal
    if not any(asked(family) for family in families):
        return well("icmp", f"{_user()} may ping")
    found = f"{_user()} may not ping"
    cure = (
        "give the daemon AmbientCapabilities=CAP_NET_RAW, as `helpdesk install-services` does, or let its "
        "group ping by the kernel's net.ipv4.ping_group_range"
    )
    if all(host.tcp_port for host in watched):
        return warning("icmp", f"{found}: each host's tcp_port is tried instead", cure)
    return fault("icmp", f"{found}, and not every host has a tcp_port", cure)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"  # a container's, without a name


def zone_row(names: Iterable[str], find: Callable[[str], object] = ZoneInfo) -> Row:
    """Say whether this machine knows the time zones that are used."""
    wanted = sorted({"Europe/Moscow", *names})
    unknown = [name for name in wanted if not _is_known(name, find)]
    if len(unknown) == len(wanted):
        return fault("time zone", "this machine knows no time zones", "install the package tzdata")
    if unknown:
        found = f"this machine does not know {', '.join(unknown)}, which people or hosts have"
        return warning("time zone", found, "update the package tzdata, or correct the profile that names it")
    return well("time zone", f"{len(wanted)} in use, all known")


def _is_known(name: str, find: Callable[[str], object]) -> bool:
    try:
        find(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def secret_rows(tables: Mapping[str, Any], made: Iterable[Path], directory: Path) -> Iterator[Row]:
    """Look at who may read each file that the configuration keeps a secret in, and the database's folder.

    `made` are those that the program makes itself, looked at where they are there.
    """
    for key, name in _named_files(tables):
        yield file_row(f"secret {key}", Path(name))
    for file in made:
        if file.exists():
            yield file_row(f"secret {file.name}", file)
    if directory.exists():
        yield folder_row(directory)


def _named_files(tables: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each `*_file` key with its path in the tables, and what it names."""
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from _named_files(value, f"{path}{key}.")
        elif key.endswith("_file") and key not in NOT_SECRET and isinstance(value, str):
            yield f"{path}{key}", value


def file_row(name: str, file: Path) -> Row:
    """Say who may read a file that holds a secret."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        with file.open("rb"):
            pass
    except FileNotFoundError:
        return fault(name, f"{file}: there is no such file", "make it, or correct the key that names it")
    except OSError as e:
        return fault(
            name, f"{file}: {e.strerror}", "let the user of the service read it: chown it, chmod 600"
        )
    if mode & OTHERS:
        return fault(name, f"{file} has mode {mode:o}: everybody may use it", f"chmod 600 {file}")
    if mode & GROUP & ~0o040:
        return fault(name, f"{file} has mode {mode:o}: its group may change it", f"chmod g-wx {file}")
    return well(name, f"{file} has mode {mode:o}")


def folder_row(folder: Path) -> Row:
    """Say who may look into the folder of the database."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & OTHERS:
        return warning(
            "folder", f"{folder} has mode {mode:o}: everybody may look into it", f"chmod 700 {folder}"
        )
    return well("folder", f"{folder} has mode {mode:o}")
