"""Whether the viewer's own tables are right. The daemon does not know them: the viewer itself is asked."""

import subprocess
import sys
from pathlib import Path

from daemon.checks.rows import Row, fault, warning, well

LONGEST_S = 60.0
DOUBTFUL = 3  # the exit code of `python -m web --check` for a warning
CURE = "correct the key that is named, in scheduler.toml or in the environment"


def viewer_row(path: Path) -> Row:
    """Have the viewer check its settings, in a process of its own."""
    command = [sys.executable, "-m", "web", "--config", str(path), "--check"]
    try:
        done = subprocess.run(  # noqa: S603 - ourselves
            command, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return fault(
            "viewer", f"did not check its settings within {LONGEST_S:.0f} s", "is this machine overloaded?"
        )
    said = " ".join((done.stdout + done.stderr).split())
    if done.returncode == 0:
        return well("viewer", said)
    row = warning if done.returncode == DOUBTFUL else fault
    return row("viewer", said[-500:], CURE)
