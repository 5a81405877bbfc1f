"""Several processes that do the same thing at the same moment."""

import multiprocessing as mp
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Barrier
from typing import Any

CONTEXT = mp.get_context("forkserver")  # not fork: this process has threads and connections
CONTEXT.set_forkserver_preload(["tests.storage.workers"])


class Crew:
    """Processes under way."""

    def __init__(self, work: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> None:
        self._barrier = CONTEXT.Barrier(len(calls), timeout=60)  # kept: it ends with its last reference
        self._members = [_start(work, call, self._barrier) for call in calls]

    @property
    def is_working(self) -> bool:
        """Whether any of them has not ended."""
        return any(process.is_alive() for process, _ in self._members)

    def results(self, within_s: float = 60.0) -> list[Any]:
        """Wait for all; return what they returned, in the order of the calls. Raises what one raised."""
        found = []
        for process, pipe in self._members:
            if not wait([pipe], within_s):
                raise TimeoutError(f"{process.name} has not ended within {within_s} s")
            has_failed, result = pipe.recv()
            if has_failed:
                raise AssertionError(f"{process.name} failed:\n{result}")
            found.append(result)
        return found

    def close(self) -> None:
        """Kill those that still run."""
        for process, pipe in self._members:
            process.kill()
            process.join(10)
            pipe.close()


@contextmanager
def crew(work: Callable[..., Any], *calls: tuple[Any, ...]) -> Iterator[Crew]:
    """Run `work` once for each tuple of arguments, each in its own process, all beginning together."""
    members = Crew(work, calls)
    try:
        yield members
    finally:
        members.close()


def together(work: Callable[..., Any], *calls: tuple[Any, ...]) -> list[Any]:
    """Run `work` once for each tuple of arguments at the same moment; return the results in order."""
    with crew(work, *calls) as members:
        return members.results()


def _start(
    work: Callable[..., Any], call: tuple[Any, ...], barrier: Barrier
) -> "tuple[mp.process.BaseProcess, Connection]":
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_member, args=(work, call, barrier, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _member(work: Callable[..., Any], call: tuple[Any, ...], barrier: Barrier, pipe: Connection) -> None:
    try:
        barrier.wait()
        pipe.send((False, work(*call)))
    except BaseException:
        pipe.send((True, traceback.format_exc()))
        raise
