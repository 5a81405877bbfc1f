"""A private redis-server that keeps nothing on disk."""

import socket
from pathlib import Path

from tests.services.processes import Server, ServerCommand, clean_environment, free_port


class RedisServer:
    """One redis-server on a port of 127.0.0.1, a free one unless it is named."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.port = port or free_port()
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
            "dir": str(folder),
        }
        argv = [word for name, value in options.items() for word in (f"--{name}", value)]
        command = ServerCommand(
            name="redis-server",
            argv=("redis-server", *argv),
            log=folder / "redis.log",
            env=clean_environment({}, folder),
            cwd=folder,
        )
        self._server = Server(command).wait_ready(self._answers, within_s=10)

    @property
    def url(self) -> str:
        """Address for redis-py and Flask-Limiter."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._server.pid

    def _answers(self) -> bool:
        try:
            return self._ask(b"PING") == b"+PONG\r\n"
        except OSError:
            return False

    def _ask(self, command: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(command + b"\r\n")
            return connection.recv(64)

    def empty(self) -> None:
        """Forget every key."""
        self._ask(b"FLUSHALL")

    def kill(self) -> None:
        """End the server as a crash would."""
        self._server.kill()

    def stop(self) -> None:
        """End the server."""
        self._server.stop()
