"""Structured logs: one JSON object per line, with connection, restaurant and session if known.

They never contain tokens or audio, and contain transcripts only at debug level.
"""

from __future__ import annotations

import contextlib
import logging
import sys

import structlog
from aiohttp.http_exceptions import HttpProcessingError


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
        processors=[*named, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=False,
    )
    of_libraries = logging.StreamHandler(sys.stderr)
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
