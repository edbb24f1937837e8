"""Structured logs: one JSON object per line, with connection, restaurant and session if known.

They never contain tokens or audio, and contain transcripts only at debug level. A failure that
repeats itself is logged once a second, with how often it was left out: nobody can fill the disk.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

import structlog
from aiohttp.http_exceptions import HttpProcessingError

EVERY_S = 1.0
"""Seconds between two lines about the same failure."""
LONGEST = 300
"""Most characters of a value: clients choose some of them, such as an origin."""
_FAILURES = 1_000


class Sparing:
    """Decides which of many equal failures is logged. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def left_out(self, failure: Hashable, now: float) -> int | None:
        """Return how many were left out before this one; None if this one is, too."""
        at, count = self._last.pop(failure, (now - EVERY_S, 0))
        due = now - at >= EVERY_S
        self._last[failure] = (now, 0) if due else (at, count + 1)
        if len(self._last) > _FAILURES:
            self._last.popitem(last=False)
        return count if due else None


class _Stderr:
    """Writes lines to standard error, and drops a line that cannot be written.

    A full disk or a closed pipe behind standard error must not stop orders.
    """

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)

    debug = info = warning = error = critical = msg


def _to_stderr(*names: object) -> _Stderr:
    return _Stderr()


class _NotHttp(logging.Filter):
    """Drops aiohttp's records about requests that are not valid HTTP.

    They quote the request, including any token in it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


_NOT_HTTP = _NotHttp()


class _SparingFilter(logging.Filter):
    """Drops libraries' records that repeat themselves; asyncio writes a traceback with each."""

    def __init__(self) -> None:
        super().__init__()
        self._sparing = Sparing()

    def filter(self, record: logging.LogRecord) -> bool:
        failure = record.name, record.msg.partition("\n")[0], _type_of(record.exc_info)
        return self._sparing.left_out(failure, time.monotonic()) is not None


def _type_of(exc_info: Any) -> str:
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    return type(error).__name__


def _sparingly() -> structlog.typing.Processor:
    sparing = Sparing()

    def process(
        logger: Any, method: str, entry: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        if method in ("debug", "info"):
            return entry
        failure = entry["event"], _type_of(entry.get("exc_info"))
        left_out = sparing.left_out(failure, time.monotonic())
        if left_out is None and "incident" in entry:
            # Its line must be found; the traceback is in the one before.
            return {name: value for name, value in entry.items() if name != "exc_info"}
        if left_out is None:
            raise structlog.DropEvent
        return {**entry, "left_out": left_out} if left_out else entry

    return process


def _shorten(
    logger: Any, method: str, entry: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    for name, value in entry.items():
        if isinstance(value, str) and len(value) > LONGEST:
            entry[name] = f"{value[:LONGEST]}…"
    return entry


def configure(level: str = "info") -> None:
    """Log to standard error: the service's records from `level` up, libraries' from warning up."""
    number = logging.getLevelNamesMapping()[level.upper()]
    named: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[_sparingly(), _shorten, *named, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=False,
    )
    of_libraries = logging.StreamHandler(sys.stderr)
    of_libraries.addFilter(_SparingFilter())
    of_libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=named,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[of_libraries])
    # aiohttp logs whole requests when a client breaks off a handshake.
    aiohttp_server = logging.getLogger("aiohttp.server")
    aiohttp_server.setLevel(logging.ERROR)
    aiohttp_server.addFilter(_NOT_HTTP)
