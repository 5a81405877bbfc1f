"""Records notifications as the daemon does, in a process of its own: commit, then the hint.

Prints one line `ID USER SECONDS` for each row, with the time after the commit.
"""

import json
import socket
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from storage import notifications, wakeup
from storage.models import Notification
from storage.session import Database
from storage.settings import StorageSettings
from tests.web.house import notification


def main(order: dict[str, object]) -> None:
    """Insert `total` changes at `rate_s` a second, each for the next user in turn."""
    database = Database(StorageSettings(directory=Path(str(order["directory"])), url=str(order["url"])))
    user_ids, total, rate_s = order["user_ids"], order["total"], order["rate_s"]
    assert isinstance(user_ids, list)
    assert isinstance(total, int)
    assert isinstance(rate_s, int | float)
    ports = [int(port) for port in order.get("ports") or ()]  # type: ignore[attr-defined]
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    begin_at = time.monotonic()
    for number in range(total):
        wait_s = begin_at + number / rate_s - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        row = notification(user_ids[number % len(user_ids)], int(str(order["first"])) + number)
        with database.write() as session:
            notifications.record(session, [row])
            row_id = session.scalar(
                sa.select(Notification.id).where(Notification.change_key == row["change_key"])
            )
        committed_at = time.time()
        if order["hint"]:
            wakeup.send(database)
        for port in ports:
            datagrams.sendto(b"!", ("127.0.0.1", port))
        print(row_id, row["user_id"], committed_at, flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
