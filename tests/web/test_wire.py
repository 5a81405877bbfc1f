"""WebSockets without threads: frames in and out, slow readers, floods, and the order of what is asked."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from wsproto.frame_protocol import FrameProtocol, Opcode

from tests.web.served import wait_until
from web.hub import MOST_JOBS, Hub, Job
from web.wire import MOST_WAITING, Wire

LARGEST = 1_000


class Talker:
    """A party that notes what it hears, and does jobs as told."""

    def __init__(self, do: Callable[[str], None] = lambda _text: None) -> None:
        self.heard_texts: list[str] = []
        self.texts: list[str] = []
        self.is_lost = threading.Event()
        self._do = do

    def heard(self, text: str) -> Job:
        self.heard_texts.append(text)

        def job() -> None:
            self._do(text)
            self.texts.append(text)

        return job

    def is_short(self, text: str) -> bool:
        return text.startswith("short")

    def lost(self) -> None:
        self.is_lost.set()


@pytest.fixture
def hub() -> Hub:
    return Hub(LARGEST)


class Line:
    """Both ends of a connection that the hub holds."""

    def __init__(self, hub: Hub, talker: Talker) -> None:
        ours, self.theirs = socket.socketpair()
        self.frames = FrameProtocol(client=True, extensions=[])
        self.talker = talker
        self.wire = Wire(ours, hub.want_room)
        hub.hold(self.wire, talker)

    def say(self, text: str, *, fin: bool = True) -> None:
        """Send a message, or with fin=False a part of one."""
        self.theirs.sendall(self.frames.send_data(text, fin))

    def frames_in(self) -> Iterator[tuple[Opcode, object]]:
        """Yield what comes, until the other side closes."""
        self.theirs.settimeout(20)
        while octets := self.theirs.recv(1 << 16):
            self.frames.receive_bytes(octets)
            for frame in self.frames.received_frames():
                yield frame.opcode, frame.payload


@pytest.fixture
def line(hub: Hub) -> Iterator[Callable[[Talker], Line]]:
    """Open connections; they are closed at the end."""
    with contextlib.ExitStack() as stack:

        def _line(talker: Talker) -> Line:
            made = Line(hub, talker)
            stack.callback(made.theirs.close)
            return made

        yield _line


Open = Callable[[Talker], Line]


def texts(line: Line, count: int) -> list[str]:
    """Return so many characters that came, as one text a message."""
    found: list[str] = []
    for opcode, payload in line.frames_in():
        assert opcode is Opcode.TEXT
        found.append(str(payload))
        if sum(map(len, found)) == count:
            break
    return found


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_message_of_any_size_arrives_as_it_was(line: Open, size: int) -> None:
    end = line(Talker())
    end.wire.send("ж" * size + "!")
    assert "".join(texts(end, size + 1)) == "ж" * size + "!"


def test_a_slow_reader_gets_everything_in_order_and_holds_nobody_up(line: Open) -> None:
    end = line(Talker())
    sent = [f"{number:06d}" + "x" * 9_994 for number in range(400)]  # 4 MB: far more than fits on the way
    for text in sent:
        end.wire.send(text)  # would block here
    assert "".join(texts(end, 4_000_000)) == "".join(sent)


def test_a_reader_for_whom_too_much_piles_up_is_cut_off(line: Open) -> None:
    end = line(Talker())
    for _ in range(MOST_WAITING // 100_000 + 20):
        end.wire.send("x" * 100_000)
    assert end.talker.is_lost.wait(10)


def test_many_threads_write_whole_frames(line: Open) -> None:
    end = line(Talker())

    def write(letter: str) -> None:
        for _ in range(200):
            end.wire.send(letter * 5_000)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    came = "".join(texts(end, 4 * 200 * 5_000))
    pieces = [came[start : start + 5_000] for start in range(0, len(came), 5_000)]
    assert all(len(set(piece)) == 1 for piece in pieces)
    for thread in threads:
        thread.join(10)


def test_what_a_client_asks_is_done_in_its_order(line: Open) -> None:
    end = line(Talker())
    for number in range(200):
        end.say(f"{'short' if number % 3 else 'long'} {number}")
    wait_until(lambda: len(end.talker.texts) == 200, 10)
    assert [int(text.split()[1]) for text in end.talker.texts] == list(range(200))


def test_one_that_waits_for_redmine_holds_no_other_up(line: Open) -> None:
    free = threading.Event()
    slow = [line(Talker(lambda _text: assert_set(free))) for _ in range(30)]
    for end in slow:
        end.say("long")
    quick = line(Talker())
    quick.say("short")
    wait_until(lambda: quick.talker.texts == ["short"], 10)
    assert not any(end.talker.texts for end in slow)
    free.set()
    wait_until(lambda: all(end.talker.texts for end in slow), 10)


def assert_set(event: threading.Event) -> None:
    """Wait until somebody lets us go on."""
    assert event.wait(30)


def test_a_flood_waits_at_the_client_and_none_of_it_is_lost(line: Open) -> None:
    free, end = threading.Event(), line(Talker(lambda _text: assert_set(free)))
    sent = 0
    with contextlib.suppress(BlockingIOError):  # no more fits on the way, as nobody reads
        end.theirs.settimeout(0)
        while sent < 100_000:
            end.say("x" * 900)
            sent += 1
    assert MOST_JOBS < sent < 100_000
    free.set()
    wait_until(lambda: len(end.talker.texts) >= sent, 30)


def test_what_a_lost_client_had_asked_is_left_undone(line: Open) -> None:
    free, end = threading.Event(), line(Talker(lambda _text: assert_set(free)))
    for number in range(10):
        end.say(f"short {number}")
    wait_until(lambda: len(end.talker.heard_texts) == 10, 10)
    end.theirs.close()
    other = line(Talker())
    other.say("long")
    wait_until(lambda: other.talker.texts == ["long"], 10)  # the hub has seen the closing before this
    free.set()
    assert end.talker.is_lost.wait(10)
    assert end.talker.texts == ["short 0"]


def test_a_message_in_parts_is_one(line: Open) -> None:
    end = line(Talker())
    end.say("one, ", fin=False)
    end.say("two", fin=True)
    wait_until(lambda: end.talker.texts == ["one, two"], 10)


@pytest.mark.parametrize(
    "octets",
    [
        bytes(FrameProtocol(client=True, extensions=[]).send_data("x" * (LARGEST + 1))),
        bytes(FrameProtocol(client=True, extensions=[]).send_data(b"binary")),
        b"\x81\x05hello",  # not masked
        b"\xff\xff\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(FrameProtocol(client=True, extensions=[]).close(1000)),
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff",  # of more bytes than there are
    ],
    ids=["too-long", "binary", "unmasked", "nonsense", "http", "close", "endless"],
)
def test_what_is_no_message_of_ours_ends_the_connection(line: Open, octets: bytes) -> None:
    end, other = line(Talker()), line(Talker())
    end.theirs.sendall(octets)
    assert end.talker.is_lost.wait(10)
    assert end.talker.texts == []
    other.say("still here")
    wait_until(lambda: other.talker.texts == ["still here"], 10)


def test_a_ping_is_answered(line: Open) -> None:
    end = line(Talker())
    end.theirs.sendall(end.frames.ping(b"alive?"))
    assert next(end.frames_in()) == (Opcode.PONG, bytearray(b"alive?"))


def test_a_closing_lets_what_waits_go_first(hub: Hub, line: Open) -> None:
    end = line(Talker())
    for _ in range(100):
        end.wire.send("x" * 10_000)
    hub.end(end.wire)
    end.wire.send("after the end")
    came = list(end.frames_in())
    assert sum(len(str(payload)) for opcode, payload in came if opcode is Opcode.TEXT) == 1_000_000
    assert came[-1][0] is Opcode.CLOSE
    end.theirs.close()
    assert end.talker.is_lost.wait(10)


def test_a_client_that_does_not_answer_a_closing_is_hung_up_on(hub: Hub, line: Open) -> None:
    end = line(Talker())
    hub.end(end.wire)
    assert end.talker.is_lost.wait(10)
