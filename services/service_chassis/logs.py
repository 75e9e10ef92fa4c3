"""
JSON lines with an allow-list of field names: what is not on it is dropped and counted.

Of an exception only the type is written. A validation error quotes its input, a Kafka error may quote a key.
"""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Final, TextIO

import structlog

Log = structlog.typing.FilteringBoundLogger

FIELDS: Final = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "service",
        "bus",
        "lane",
        "topic",
        "partition",
        "offset",
        "code",
        "detail",
        "error",
        "cause",
        "count",
        "suppressed",
        "seconds",
        "version",
        "logger",
        "where",
        "host",
        "port",
    }
)
"""What may be written. None of these is ever given a key, an id of a case or a text of a form."""

_QUIET_S: Final = 10.0
"""A library says the same thing once in this time: an unreachable broker is worth a line, not thousands."""


def make_log(service: str, *, dropped: Callable[[], None], out: TextIO | None = None) -> Log:
    """Return the process's log. *dropped* is called for each field that was left out."""
    logger: Log = structlog.wrap_logger(
        structlog.PrintLogger(out or sys.stdout),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _type_of_exception,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _allow(dropped),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
        service=service,
    )
    return logger


def tame(log: Log, clock: Callable[[], float]) -> None:
    """Let libraries log through *log*: warnings and worse, the text without its arguments, not too often."""
    handler = _Tamed(log, clock)
    for name in ("aiokafka", "uvicorn", "asyncio"):
        library = logging.getLogger(name)
        library.handlers = [handler]
        library.propagate = False
        library.setLevel(logging.WARNING)


def _type_of_exception(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    exc_info = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    if isinstance(exc_info, BaseException):
        event["error"] = type(exc_info).__name__
    elif isinstance(exc_info, tuple) and exc_info[0] is not None:
        event["error"] = exc_info[0].__name__
    return event


def _allow(
    dropped: Callable[[], None],
) -> Callable[[object, str, MutableMapping[str, Any]], MutableMapping[str, Any]]:
    def processor(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name in [name for name in event if name not in FIELDS]:
            del event[name]
            dropped()
        return event

    return processor


class _Tamed(logging.Handler):
    def __init__(self, log: Log, clock: Callable[[], float]) -> None:
        super().__init__()
        self._log = log
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        # The template is the library's own text; the arguments may hold keys, addresses, group ids.
        text = str(record.msg)
        since, suppressed = self._said.get(text, (float("-inf"), 0))
        now = self._clock()
        if now - since < _QUIET_S:
            self._said[text] = (since, suppressed + 1)
            return
        self._said[text] = (now, 0)
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        say = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        say("library", logger=record.name, detail=text, error=error, suppressed=suppressed)
