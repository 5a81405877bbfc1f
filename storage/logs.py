"""How both processes log: structlog, JSON for machines, colours in a terminal, secrets masked.

It lives here because both sides need the same chain and only meet in this package.
"""

import logging
import logging.config
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_KEY = re.compile(r"passw|secret|api_key|token|authorization|cookie|p256dh|vapid", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"(?i)(key=|basic |bearer |://[^:/@\s]+:)[^\s&@\"']+")
MASK = "***"


def mask_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values whose key, or whose text, looks like a secret."""
    for key, value in event.items():
        if _SECRET_KEY.search(key):
            event[key] = MASK
        elif isinstance(value, str):
            event[key] = _SECRET_TEXT.sub(rf"\1{MASK}", value)
    return event


def configure(level: str = "info", style: str = "auto") -> None:
    """Send structlog and the standard library's loggers through one chain to standard error.

    `style` is `json`, `console` or `auto`: console in a terminal, JSON elsewhere.
    """
    is_console = style == "console" or (style == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if is_console:
        last += [mask_secrets, structlog.dev.ConsoleRenderer()]
    else:
        last += [structlog.processors.format_exc_info, mask_secrets]
        last += [structlog.processors.JSONRenderer(ensure_ascii=False)]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # It warns at every tick that a long run makes it skip, which is what max_instances is for.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    for noisy in ("urllib3", "alembic", "werkzeug", "engineio", "socketio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
