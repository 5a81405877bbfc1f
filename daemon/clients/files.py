"""Files of issues: sent to Redmine before they are attached, and fetched."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from daemon.clients.connection import Connection
from daemon.clients.shapes import Json, one, text
from daemon.clients.transfer import Outgoing


@dataclass(frozen=True, slots=True)
class Download:
    """A file as it comes: `size` in bytes, None where Redmine does not say; `pieces` can be read once."""

    size: int | None
    pieces: Iterator[bytes]


class Files:
    """The part of the client that moves files."""

    _connection: Connection

    def upload(self, filename: str, file: BinaryIO, size: int) -> str:
        """Send a file and return the token by which an issue takes it; until then only the sender sees it.

        Rejected where Redmine finds it too large. Once only: after a SourceUnavailable it may be there.
        """
        return self._connection.upload("/uploads.json", {"filename": filename}, Outgoing(file, size), _token)

    @contextmanager
    def download(self, attachment_id: int) -> Iterator[Download]:
        """Fetch a file; what it raises while the pieces are read is a SourceUnavailable.

        SourceRefused where this user may not have it. A redirect is an error: it leads to the log-in page.
        """
        path = f"/attachments/download/{int(attachment_id)}"
        with self._connection.download(path) as (headers, pieces):
            length = headers.get("Content-Length", "")
            is_plain = "Content-Encoding" not in headers  # else the length is that of what was packed
            yield Download(int(length) if is_plain and length.isdecimal() else None, pieces)


def _token(answer: Json) -> str:
    return one(answer, "upload", lambda upload: text(upload, "token"))
