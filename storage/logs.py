"""How both processes log: structlog, JSON for machines, colours in a terminal, secrets masked.

It lives here because both sides need the same chain and only meet in this package.
"""

import logging
import logging.config
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog

_SECRET_KEY = re.compile(r"passw|secret|api[_-]?key|token|authorization|cookie|p256dh|vapid", re.IGNORECASE)
_SECRET_TEXTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"((?:basic|bearer) )[\w+/=.-]{8,}",
        r"((?:key|token|passw\w*|secret)=)[^\s&\"']+",
        r"((?:api[_-]?key|password|authorization)[\"']?: ?[\"']?)[^\s&,}\"']+",
        r"(://[^:/@\s]*:)[^/\s\"']+(?=@)",  # of an address the password only: a port stays readable
    )
)
MASK = "***"
MOST_LINES, LONGEST_LINE = 200, 2_000
_kept: ContextVar[list[dict[str, Any]] | None] = ContextVar("kept_lines", default=None)


@contextmanager
def keeping_lines() -> Iterator[None]:
    """Keep what this thread logs meanwhile, for `kept_lines`: the lines of one run."""
    token = _kept.set([])
    try:
        yield
    finally:
        _kept.reset(token)


def kept_lines() -> list[dict[str, Any]]:
    """Return the lines kept so far, at most the last 200: masked as the log itself is."""
    return [*(_kept.get() or ())][-MOST_LINES:]


def keep_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep a line where lines are being kept."""
    lines = _kept.get()
    if lines is not None:
        masked = mask_secrets(None, "", dict(structlog.processors.format_exc_info(None, "", dict(event))))
        lines.append({str(k): _brief(v) for k, v in masked.items() if not str(k).startswith("_")})
        del lines[:-MOST_LINES]
    return event


def _brief(value: object) -> object:
    return value if isinstance(value, int | float | bool | None) else str(value)[-LONGEST_LINE:]


def mask_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values whose key, or whose text, looks like a secret, however deep they lie."""
    for key, value in event.items():
        event[key] = MASK if _SECRET_KEY.search(key) else _masked(value)
    return event


def mask_text(text: str) -> str:
    """Return a text without what looks like a secret in it."""
    for pattern in _SECRET_TEXTS:
        text = pattern.sub(rf"\1{MASK}", text)
    return text


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {k: MASK if _SECRET_KEY.search(str(k)) else _masked(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return mask_text(repr(value)) if isinstance(value, BaseException) else value


def configure(level: str = "info", style: str = "auto") -> None:
    """Send structlog and the standard library's loggers through one chain to standard error.

    `style` is `json`, `console` or `auto`: console in a terminal, JSON elsewhere.
    """
    is_console = style == "console" or (style == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        keep_line,
    ]
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,  # before the masking: an exception's text may hold a secret
        mask_secrets,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if is_console
        else structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
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
