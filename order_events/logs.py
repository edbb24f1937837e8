"""Structured logs: one JSON line each, with connection, restaurant and session where known.

Never a token, never audio; transcripts only at debug.
"""

from __future__ import annotations

import contextlib
import logging
import sys

import structlog
from aiohttp.http_exceptions import HttpProcessingError


class _Stderr:
    """Writes lines to standard error; one that cannot be written is lost, and nothing else.

    A full disk or a closed pipe behind standard error must not stop orders.
    """

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)

    debug = info = warning = error = critical = msg


def _to_stderr(*names: object) -> _Stderr:
    return _Stderr()


class _NotHttp(logging.Filter):
    """Drops what aiohttp says of requests that are no HTTP: it quotes them, tokens included."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


_NOT_HTTP = _NotHttp()


def configure(level: str = "info") -> None:
    """Sends everything at `level` or worse to standard error; of libraries, warnings or worse."""
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
