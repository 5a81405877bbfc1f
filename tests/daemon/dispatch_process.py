"""A dispatcher in a process of its own, to be killed: `python -m tests.daemon.dispatch_process '<json>'`."""

import json
import signal
import sys
import threading
from pathlib import Path

from daemon.channel import Surroundings
from daemon.channels.webpush import Channel, Options
from daemon.dispatch import Dispatcher, Line
from storage.session import Database
from storage.settings import StorageSettings


def main(given: str) -> int:
    """Send until SIGTERM; 1 where it did not end in time."""
    told = json.loads(given)
    database = Database(StorageSettings(directory=Path(told["directory"]), url=told["url"]))
    options = Options(
        timeout_s=told["timeout_s"],
        attempts=50,  # lost claims count: a message that is slow on a busy machine must not be the last
        extra_origins=(told["origin"],),
        contact="mailto:admin@example.com",
        parallel=8,
    )
    channel = Channel(options, Surroundings("https://helpdesk.example.com", Path(told["directory"])))
    line = Line("webpush", channel, options, channel.public_key)
    dispatcher = Dispatcher(database, [line], claim_s=told["claim_s"])
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    dispatcher.start()
    ended.wait()
    in_time = dispatcher.stop(10.0)
    database.dispose()
    return 0 if in_time else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
