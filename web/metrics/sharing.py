"""How several workers keep their figures together: in files of one folder.

prometheus-client decides when it is first imported whether it keeps figures in memory or in such a folder. So
the arbiter names the folder, and only workers import what counts.
"""

import os
import shutil
import tempfile

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def share(workers: int) -> None:
    """Give workers a folder in common; to be called before they are forked. One alone needs none."""
    os.environ.pop(FOLDER, None)
    if workers > 1:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="helpdesk-metrics-")


def unshare() -> None:
    """Remove the folder at the end."""
    folder = os.environ.pop(FOLDER, "")
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def forget(pid: int) -> None:
    """Forget the open pages of a worker that has ended; what it has counted stays."""
    if FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]
