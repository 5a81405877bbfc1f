"""A source whose first call hangs for as long as a file is there, as on a share whose server has gone."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from daemon.options import JobOptions
from daemon.source import Memory, StateSource
from daemon.values import Observation
from storage.columns import utc_now


class Options(JobOptions):
    """Where the file is."""

    while_there: str


class Source(StateSource):
    """Sees nothing, ever."""

    def __init__(self, _settings: object, options: Options) -> None:
        self._file = Path(options.while_there)

    def observations(
        self, cursor: Mapping[str, Any] | None, memory: Memory, stop: Callable[[], bool]
    ) -> Iterator[Observation]:
        """Hang, whatever `stop` says: a call in a library does not ask it."""
        del cursor, memory, stop
        while self._file.exists():
            time.sleep(0.05)
        yield Observation({}, utc_now())

    def close(self) -> None:
        """Nothing is open."""
