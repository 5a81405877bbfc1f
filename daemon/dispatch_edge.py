"""The edge of one step of the dispatcher: a fault of ours is logged there and ends nothing but the step."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from daemon.clients.errors import SourceError
from storage.session import StorageError

log = structlog.get_logger()


@dataclass(slots=True)
class Step:
    """How a step ended: `crash` names the fault, "" where there was none."""

    crash: str = ""


@contextmanager
def edge(event: str, **facts: object) -> Iterator[Step]:
    """Log what nobody expected. A database or a Redmine that is away is for the caller to answer."""
    step = Step()
    try:
        yield step
    except (StorageError, SourceError):
        raise
    except Exception as e:
        log.exception(event, **facts)
        step.crash = type(e).__name__
