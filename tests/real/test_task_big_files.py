"""Files of 200 MB pass through the viewer both ways without staying in its memory."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from storage import migrate, users
from storage.models import User
from storage.session import Database
from storage.settings import StorageSettings
from tests.clients.scripted import ScriptedServer, Seen, answer
from tests.web.house import cheap_hash, password_of
from tests.web.served import ServedViewer

pytestmark = pytest.mark.long
SIZE = 200 * 1024 * 1024
PIECE = bytes(range(256)) * 4096
MOST_EXTRA = 50 * 1024 * 1024
REDMINE = """
[redmine]
url = "{url}"
api_key_env = "BIG_FILES_KEY"
[tasks]
max_upload_mb = 300
"""


class BigRedmine(ScriptedServer):
    """As much of a Redmine as one task with one huge file needs; it counts what is sent to it."""

    received = 0
    is_attached = False

    def play(self, seen: Seen, sock: socket.socket) -> bool:
        path = seen.target.partition("?")[0]
        if path == "/attachments/download/5":
            return _stream(sock)
        if path == "/uploads.json":
            self.received = len(seen.body)
            return answer(201, {"upload": {"id": 6, "token": "6.abc"}})(seen, sock)
        if seen.method == "PUT":
            self.is_attached = True
            return answer(204)(seen, sock)
        return answer(200, self._told(path))(seen, sock)

    def _told(self, path: str) -> dict[str, Any]:
        if path == "/users/current.json":
            me = {"id": 7, "login": "bob", "admin": True, "firstname": "Bob", "lastname": "B"}
            return {"user": me | {"memberships": []}}
        if path.startswith("/issues/"):
            return {"issue": _issue([5, 6] if self.is_attached else [5])}
        return {"user": {"id": 7, "firstname": "Bob", "lastname": "B"}}


def _stream(sock: socket.socket) -> bool:
    sock.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {SIZE}\r\n\r\n".encode())
    for _ in range(SIZE // len(PIECE)):
        sock.sendall(PIECE)
    return True


def _issue(files: list[int]) -> dict[str, Any]:
    thing = {"id": 1, "name": "One"}
    at = "2024-01-16T14:20:00Z"
    return {
        **dict.fromkeys(("project", "tracker", "status", "priority", "author"), thing),
        "id": 1,
        "subject": "Big",
        "is_private": False,
        "created_on": at,
        "updated_on": at,
        "journals": [],
        "allowed_statuses": [],
        "attachments": [
            {"id": n, "filename": f"{n}.mp4", "filesize": SIZE, "content_type": "video/mp4", "created_on": at}
            for n in files
        ],
    }


@pytest.fixture
def redmine() -> Iterator[BigRedmine]:
    with BigRedmine() as server:
        yield server


@pytest.fixture
def served(tmp_path: Path, redmine: BigRedmine) -> Iterator[ServedViewer]:
    storage = StorageSettings(directory=tmp_path / "state")
    database = Database(storage)
    migrate.upgrade(database)
    with database.write() as session:
        password = cheap_hash(password_of("bob"))
        users.add(
            session, User(username="bob", redmine_login="bob", id_redmine_user=7, password_hash=password)
        )
    database.dispose()
    viewer = ServedViewer(storage, tmp_path, {"BIG_FILES_KEY": "0" * 40})
    viewer.config.write_text(viewer.config.read_text() + REDMINE.format(url=redmine.url))
    viewer.start()
    yield viewer
    viewer.stop()


def memory(viewer: ServedViewer, what: str) -> int:
    """Return bytes of all processes of the viewer: VmRSS now, or VmHWM at the most."""
    assert viewer.process is not None
    children = Path(f"/proc/{viewer.process.pid}/task/{viewer.process.pid}/children").read_text().split()
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in (viewer.process.pid, *children)]
    return sum(int(re.findall(rf"{what}:\s+(\d+) kB", text)[0]) * 1024 for text in texts)


def test_a_large_download_stays_out_of_memory(served: ServedViewer) -> None:
    bob = served.log_in("bob")
    task = bob.get(f"{served.url}/tasks/api/task/1", timeout=30).json()
    before = memory(served, "VmRSS")
    address = served.url + task["attachments"][0]["url"]
    with bob.get(address, stream=True, timeout=60) as download:
        assert download.headers["Content-Length"] == str(SIZE)
        received = sum(len(piece) for piece in download.iter_content(1024 * 1024))
    assert received == SIZE
    assert memory(served, "VmHWM") - before < MOST_EXTRA


def test_a_large_upload_stays_out_of_memory(
    served: ServedViewer, redmine: BigRedmine, tmp_path: Path
) -> None:
    bob = served.log_in("bob")
    bob.get(f"{served.url}/tasks/api/task/1", timeout=30)
    before = memory(served, "VmRSS")
    answer = _send(bob, f"{served.url}/tasks/api/task/1/attachments", tmp_path)
    assert answer.status_code == 200, answer.text
    assert redmine.received == SIZE
    assert [file["id"] for file in answer.json()["attached"]] == [6]
    assert memory(served, "VmHWM") - before < MOST_EXTRA


def _send(session: requests.Session, address: str, folder: Path) -> requests.Response:
    """Send a multipart form from a file: requests itself would build it in memory."""
    form = folder / "form"
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="big.mp4"\r\n\r\n'
    with form.open("wb") as file:
        file.write(head)
        for _ in range(SIZE // len(PIECE)):
            file.write(PIECE)
        file.write(b"\r\n--b--\r\n")
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    with form.open("rb") as body:
        return session.post(address, data=body, headers=headers, timeout=120)
