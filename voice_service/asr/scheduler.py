"""Decodes of all sessions on a few worker threads: finals first, then whoever has waited longest.

Sessions do not queue audio here. A worker that is free asks the session whose wish is most urgent
for the audio as it is at that moment, so a partial that had to wait is never a stale one, and a
session has at most one decode in flight. With it go others that fit into the same batch, if the
policy has room for any.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import Counter
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import structlog

from voice_service.asr.batching import BatchPolicy, together
from voice_service.asr.capacity import Capacity
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.needs import DecodeNeed, Urgency
from voice_service.audio.formats import SAMPLE_RATE
from voice_service.metrics import VoiceMetrics

_log = structlog.get_logger(__name__)


class Source(Protocol):
    """A session as the scheduler sees it."""

    def next_decode(self) -> DecodeNeed | None:
        """The decode that is wanted next."""

    def start_decode(self) -> DecodeRequest:
        """The audio to recognise now."""

    def deliver(self, hypothesis: Hypothesis | None) -> None:
        """The answer to `start_decode`; None if recognition failed."""


class SpeechDecoder(Protocol):
    """The recogniser as the scheduler sees it."""

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """An answer to each; called on a worker's thread."""

    def prompt_length(self, language: str, bias: str) -> int:
        """What requests must have in common, besides their kind, to share a pass."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A request that a worker has, and who waits for the answer."""

    source: Source
    urgency: Urgency
    request: DecodeRequest


class Scheduler:
    """Decodes on `workers` threads. All methods belong to the event loop's thread."""

    def __init__(
        self,
        decoder: SpeechDecoder,
        workers: int,
        policy: BatchPolicy,
        metrics: VoiceMetrics,
        capacity: Capacity,
    ) -> None:
        self._decoder = decoder
        self._policy = policy
        self._metrics = metrics
        self._capacity = capacity
        self._workers = workers
        self._idle = workers
        self._closed = False
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._wishing: set[Source] = set()
        metrics.decode_waiting.set_function(lambda: len(self._wishing))
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.TimerHandle | None = None

    def update(self, source: Source) -> None:
        """Something happened to the source: it may want a decode now, or no longer."""
        self._note(source)
        self._dispatch()

    def forget(self, source: Source) -> None:
        """The source is gone. A decode of it that is in flight is still delivered."""
        self._wishing.discard(source)

    async def close(self, seconds: float) -> None:
        """Wait for decodes in flight, for a bounded time; start no more."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                _log.error("a decode did not come back")
                task.cancel()
        self._pool.shutdown(wait=False)

    def _note(self, source: Source) -> None:
        if source.next_decode() is None:
            self._wishing.discard(source)
        else:
            self._wishing.add(source)

    def _dispatch(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._idle and self._wishing and not self._closed:
            wishes = [(want, source) for source in self._wishing if (want := source.next_decode())]
            if not wishes:
                self._wishing.clear()
                return
            batch = together(wishes, self._policy.size, self._shape)
            patience = self._policy.patience(len(batch), self._workers - self._idle)
            due = batch[0][0].since + patience
            if patience and due > now:
                self._wake_at(due)
                return
            self._start(batch, now)

    def _shape(self, want: DecodeNeed) -> Hashable:
        return want.urgency.thorough, self._decoder.prompt_length(want.language, want.bias)

    def _wake_at(self, due: float) -> None:
        """Look again, should nothing happen before."""
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_at(due, self._dispatch, context=contextvars.Context())

    def _start(self, batch: Sequence[tuple[DecodeNeed, Source]], now: float) -> None:
        for want, source in batch:
            self._wishing.discard(source)
            self._note_wait(want, now)
        jobs = [job for want, source in batch if (job := self._job(want, source)) is not None]
        if not jobs:
            return
        self._idle -= 1
        # With no context: this may be called by another session than those that are served, and
        # must not lend them its name in the logs.
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._run(jobs), context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _job(self, want: DecodeNeed, source: Source) -> _Job | None:
        """What the source wants; None if it cannot say."""
        try:
            return _Job(source, want.urgency, source.start_decode())
        except Exception:  # noqa: BLE001
            # The boundary to a session's own rules: its fault costs no other session its answer,
            # and no worker. It learns of it later, since it may want something else at once.
            _log.exception("a session could not say what to decode")
            loop = asyncio.get_running_loop()
            loop.call_soon(source.deliver, None, context=contextvars.Context())
            return None

    def _note_wait(self, want: DecodeNeed, now: float) -> None:
        waited = now - want.since
        self._metrics.decode_wait.labels(want.urgency.name.lower()).observe(waited)
        if want.urgency is Urgency.FINAL:
            self._capacity.waited(waited, now)

    async def _run(self, jobs: Sequence[_Job]) -> None:
        started = time.perf_counter()
        try:
            answers = await self._answers([job.request for job in jobs])
            self._note_cost(jobs, time.perf_counter() - started)
            self._note_answers(_kind(jobs[0].request), [a for a in answers if a is not None])
            for job, answer in zip(jobs, answers, strict=True):
                job.source.deliver(answer)
        finally:
            self._idle += 1
        # All of them first: they may be decoded together again.
        for job in jobs:
            self._note(job.source)
        self._dispatch()

    async def _answers(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis | None]:
        """What was heard; None for what cannot be read.

        A batch that fails is decoded one by one: no session may cost another its answer.
        """
        loop = asyncio.get_running_loop()
        try:
            return [*await loop.run_in_executor(self._pool, self._decoder.decode, requests)]
        except Exception:  # noqa: BLE001
            # The boundary to foreign code: whatever it raises, the sessions are owed an answer.
            _log.exception("decode failed", kind=_kind(requests[0]), batch=len(requests))
            self._metrics.decode_failures.inc()
        if len(requests) == 1:
            return [None]
        return [answer for request in requests for answer in await self._answers([request])]

    def _note_cost(self, jobs: Sequence[_Job], seconds: float) -> None:
        kind = _kind(jobs[0].request)
        audio = sum(len(job.request.audio) for job in jobs) / SAMPLE_RATE
        self._metrics.decode_seconds.labels(kind).observe(seconds)
        self._metrics.decode_audio_seconds.labels(kind).inc(audio)
        owed = sum(job.urgency is not Urgency.PARTIAL for job in jobs)
        if owed:
            now = asyncio.get_running_loop().time()
            self._capacity.spent(seconds * owed / len(jobs), now)

    def _note_answers(self, kind: str, answers: Sequence[Hypothesis]) -> None:
        self._metrics.decode_repeats.inc(sum(answer.repeated for answer in answers))
        for size, rows in Counter(answer.together for answer in answers).items():
            for _ in range(rows // size):
                self._metrics.batch_size.labels(kind).observe(size)


def _kind(request: DecodeRequest) -> str:
    return "thorough" if request.thorough else "quick"
