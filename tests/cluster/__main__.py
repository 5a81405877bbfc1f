"""`make cluster`: the same cluster for a person to look at and to break, on the demo Redmine.

A daemon or viewer that is killed by hand is started again after some seconds, as systemd would do. Ctrl-C
ends everything.
"""

import contextlib
import signal
import sys
import tempfile
import threading
from pathlib import Path

from daemon.demo.life import DemoLife
from daemon.demo.server import DemoRedmine
from daemon.demo.world import demo_world
from storage.session import StorageError
from tests.cluster.fleet import Fleet
from tests.redmines import RedmineUnderTest
from tests.services.layout import why_not_usable
from tests.services.processes import own
from tests.services.run import ServiceRun
from tests.web.house import password_of

USER = "demo"
TEND_EVERY_S = 3.0


def main() -> int:
    """Run until Ctrl-C; return the exit code."""
    if reason := why_not_usable():
        print(reason, file=sys.stderr)
        return 1
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    run = ServiceRun()
    try:
        with DemoRedmine(demo_world()) as demo, DemoLife(demo):
            folder = own(Path(tempfile.mkdtemp(prefix="fleet-", dir=run.folder)))
            fleet = Fleet(folder, demo.url, demo.admin_key)
            try:
                serve(fleet, RedmineUnderTest("demo", demo.url, demo=demo), stop)
            finally:
                fleet.close()
    finally:
        run.stop()
    print("all ended")
    return 0


def serve(fleet: Fleet, redmine: RedmineUnderTest, stop: threading.Event) -> None:
    """Start it, say where everything is, and look after it until it is to end."""
    fleet.add_people([(USER, redmine.id_of("user", USER))], role="admin")
    fleet.start()
    print(f"\n  helpdesk:   {fleet.url}/   (nginx; user {USER}, password {password_of(USER)})")
    print(f"  PostgreSQL: {fleet.postgres.dsn('helpdesk')}   pid {fleet.postgres.pid}")
    print(f"  Redis:      {fleet.redis.url}   pid {fleet.redis.pid}")
    for viewer, url in zip(fleet.viewers, fleet.viewer_urls, strict=True):
        print(f"  {viewer.name}:    {url}/   pid {viewer.pid}")
    leader = fleet.leader()
    for daemon in fleet.daemons:
        print(f"  {daemon.name}:    pid {daemon.pid}{', leads' if daemon is leader else ', stands by'}")
    print(f"  logs:       {fleet.config.parent}\n  Ctrl-C ends everything\n", flush=True)
    leads = leader.pid if leader else 0
    while not stop.wait(TEND_EVERY_S):
        with contextlib.suppress(StorageError):  # a PostgreSQL that is ended by hand
            leads = look(fleet, leads)


def look(fleet: Fleet, leads: int) -> int:
    """Start again what has ended, and say so, and who leads where that is another process; return its pid."""
    for process in fleet.tend():
        print(f"{process.name} had ended: started again, pid {process.pid}", flush=True)
    leader = fleet.leader()
    if leader is None or leader.pid == leads:
        return leads
    print(f"{leader.name} leads", flush=True)  # maybe the one that led before, but started again
    return leader.pid


if __name__ == "__main__":
    sys.exit(main())
