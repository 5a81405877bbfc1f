"""What a server may do that does not keep to the rules of SMTP."""

import socket
import threading
from collections.abc import Callable

Play = Callable[[socket.socket, threading.Event], None]


def drips(connection: socket.socket, stopped: threading.Event) -> None:
    """Greet one byte at a time, without end."""
    while not stopped.wait(0.1):
        connection.sendall(b"2")


def drips_lines(connection: socket.socket, stopped: threading.Event) -> None:
    """Greet in many lines, without end."""
    while not stopped.wait(0.05):
        connection.sendall(b"220-still here\r\n")


def says(text: bytes) -> Play:
    """Greet with a text and wait."""

    def play(connection: socket.socket, stopped: threading.Event) -> None:
        connection.sendall(text)
        stopped.wait(20)

    return play


def hangs_up(connection: socket.socket, stopped: threading.Event) -> None:
    """Say nothing."""
