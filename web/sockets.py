"""Who is connected to this process: one entry for each open WebSocket."""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Socket:
    """One open tab, and the session it was opened in."""

    sid: str
    user_id: int
    device: str
    session_epoch: str

    @property
    def room(self) -> str:
        """Return the room of everything its user has open."""
        return room_of(self.user_id)


def room_of(user_id: int) -> str:
    """Return the name of a user's room."""
    return f"user:{user_id}"


class Sockets:
    """The open sockets; any thread may ask and change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_sid: dict[str, Socket] = {}
        self._of_users: Counter[int] = Counter()  # how many each user has; asked for with each notification

    def __len__(self) -> int:
        return len(self._by_sid)

    def add(self, socket: Socket) -> None:
        """Take note of a new one."""
        with self._lock:
            self._by_sid[socket.sid] = socket
            self._of_users[socket.user_id] += 1

    def remove(self, sid: str) -> None:
        """Forget one; an unknown one is none of ours."""
        with self._lock:
            socket = self._by_sid.pop(sid, None)
            if socket is not None:
                self._of_users[socket.user_id] -= 1
                if not self._of_users[socket.user_id]:
                    del self._of_users[socket.user_id]

    def present(self, user_ids: Iterable[int]) -> frozenset[int]:
        """Return who of these has something open here."""
        with self._lock:
            return frozenset(user_id for user_id in user_ids if user_id in self._of_users)

    def all(self) -> list[Socket]:
        """Return those that are open now."""
        with self._lock:
            return list(self._by_sid.values())

    def of_device(self, device: str) -> list[Socket]:
        """Return those that were opened in one session."""
        return [socket for socket in self.all() if socket.device == device]
