"""Let a suspicious recogniser hear a recording of known speech, until it understands it again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from voice_service.asr.hypothesis import DecodeRequest
from voice_service.asr.scheduler import Scheduler

_log = structlog.get_logger(__name__)


async def keep_tested(scheduler: Scheduler, recording: DecodeRequest, every: float) -> None:
    """Look every so many seconds whether the recogniser should be tested; runs until cancelled.

    It hears the recording as a quick and as a thorough request. What comes of it is in the
    scheduler's `watchdog`.
    """
    watchdog = scheduler.watchdog
    while True:
        await asyncio.sleep(every)
        if not watchdog.suspicious:
            continue
        before = watchdog.trouble
        for thorough in (False, True):
            await scheduler.test(replace(recording, thorough=thorough))
        if watchdog.trouble is not None:
            _log.error("the recogniser is broken", why=watchdog.trouble)
        elif before is not None:
            _log.warning("the recogniser understands speech again")
