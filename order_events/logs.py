"""Structured logs: one JSON line each, with connection, restaurant and session where known.

Never a token, never audio; transcripts only at debug.
"""

from __future__ import annotations

import contextlib
import logging
import sys

import structlog


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


def configure(level: str = "info") -> None:
    """Sends everything at `level` or worse to standard error."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # aiohttp logs whole requests when a client breaks off a handshake.
    logging.getLogger("aiohttp.server").setLevel(logging.ERROR)
