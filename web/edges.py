"""The one place that catches everything: where one failing row, client or round must not stop the others."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)


@contextmanager
def edge(event: str, *passed: type[Exception], **known: object) -> Iterator[None]:
    """Log whatever goes wrong inside and go on after it; the `passed` errors go on to the caller."""
    try:
        yield
    except passed:
        raise
    except Exception:
        log.exception(event, **known)
