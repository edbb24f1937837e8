"""Decodes of all sessions on a few worker threads: finals first, then whoever has waited longest.

Sessions do not queue audio here. A worker that is free asks the session whose wish is most urgent
for the audio as it is at that moment, so a partial that had to wait is never a stale one, and a
session has at most one decode in flight.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog

from voice_service.audio import SAMPLE_RATE
from voice_service.capacity import Capacity
from voice_service.heard import Urgency, Want
from voice_service.hypothesis import DecodeRequest, Hypothesis
from voice_service.metrics import VoiceMetrics

_log = structlog.get_logger(__name__)


class Source(Protocol):
    """A session as the scheduler sees it."""

    def wanted(self) -> Want | None:
        """The decode that is wanted next."""

    def take(self) -> DecodeRequest:
        """The audio to recognise now."""

    def deliver(self, hypothesis: Hypothesis | None) -> None:
        """The answer to `take`; None if recognition failed."""


class Scheduler:
    """Runs `decode` on `workers` threads. All methods belong to the event loop's thread."""

    def __init__(
        self,
        decode: Callable[[DecodeRequest], Hypothesis],
        workers: int,
        metrics: VoiceMetrics,
        capacity: Capacity,
    ) -> None:
        self._decode = decode
        self._metrics = metrics
        self._capacity = capacity
        self._idle = workers
        self._closed = False
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._wishing: set[Source] = set()
        metrics.decode_waiting.set_function(lambda: len(self._wishing))
        self._tasks: set[asyncio.Task[None]] = set()

    def update(self, source: Source) -> None:
        """Something happened to the source: it may want a decode now, or no longer."""
        if source.wanted() is None:
            self._wishing.discard(source)
        else:
            self._wishing.add(source)
        self._dispatch()

    def forget(self, source: Source) -> None:
        """The source is gone. A decode of it that is in flight is still delivered."""
        self._wishing.discard(source)

    async def close(self) -> None:
        """Wait for decodes in flight; start no more."""
        self._closed = True
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._pool.shutdown(wait=False)

    def _dispatch(self) -> None:
        loop = asyncio.get_running_loop()
        while self._idle and self._wishing and not self._closed:
            wants = [(want, source) for source in self._wishing if (want := source.wanted())]
            if not wants:
                self._wishing.clear()
                return
            want, source = min(wants, key=lambda entry: (entry[0].urgency, entry[0].since))
            self._wishing.discard(source)
            self._note_wait(want, loop.time())
            self._idle -= 1
            # With no context: this may be called by another session than the one that is served,
            # and must not lend it its name in the logs.
            task = loop.create_task(
                self._run(source, source.take(), want.urgency), context=contextvars.Context()
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _note_wait(self, want: Want, now: float) -> None:
        waited = now - want.since
        self._metrics.decode_wait.labels(want.urgency.name.lower()).observe(waited)
        if want.urgency is Urgency.FINAL:
            self._capacity.waited(waited, now)

    async def _run(self, source: Source, request: DecodeRequest, urgency: Urgency) -> None:
        loop = asyncio.get_running_loop()
        kind = "thorough" if request.thorough else "quick"
        hypothesis: Hypothesis | None = None
        started = time.perf_counter()
        try:
            hypothesis = await loop.run_in_executor(self._pool, self._decode, request)
        except Exception:  # noqa: BLE001
            # The boundary to foreign code: whatever it raises, the session is owed an answer.
            _log.exception("decode failed", kind=kind)
            self._metrics.decode_failures.inc()
        finally:
            self._idle += 1
        seconds = time.perf_counter() - started
        self._metrics.decode_seconds.labels(kind).observe(seconds)
        self._metrics.decode_audio_seconds.labels(kind).inc(len(request.audio) / SAMPLE_RATE)
        if urgency is not Urgency.PARTIAL:
            self._capacity.spent(seconds, loop.time())
        source.deliver(hypothesis)
        self.update(source)
