"""Decode the audio of all sessions on a few worker threads, the most urgent need first.

Sessions do not queue audio here. A free worker asks the session with the most urgent need for its
audio as it is at that moment, so a partial that had to wait is never stale, and a session has at
most one decode in flight. Other needs that fit into the same batch go with it, if the policy has
room for them.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog

from voice_service.asr.batching import BatchPolicy, next_batch
from voice_service.asr.capacity import Capacity
from voice_service.asr.decode_threads import DecodeHangsError, in_thread
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.needs import DecodeNeed, Urgency
from voice_service.asr.watchdog import Watchdog
from voice_service.audio.formats import SAMPLE_RATE
from voice_service.metrics import VoiceMetrics

_log = structlog.get_logger(__name__)


class Source(Protocol):
    """A session as the scheduler sees it."""

    def next_decode(self) -> DecodeNeed | None:
        """Return the decode that is needed next; None if none is."""

    def start_decode(self) -> DecodeRequest:
        """Return the audio to recognise now."""

    def deliver(self, hypothesis: Hypothesis | None) -> None:
        """Take the answer to `start_decode`; None if recognition failed."""


class SpeechDecoder(Protocol):
    """The recogniser as the scheduler sees it."""

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """Return an answer to each request; called on a worker thread."""

    def prompt_length(self, language: str, bias: str) -> Hashable:
        """Return what requests of one kind must also have in common to share a pass."""


@dataclass(frozen=True, slots=True)
class _StartedDecode:
    """A request that a worker has, and the source that waits for the answer."""

    source: Source
    urgency: Urgency
    request: DecodeRequest


class Scheduler:
    """Decodes on `workers` threads. Call all methods on the event loop's thread.

    A decode that takes longer than `patience` seconds is answered by None, and its worker is lost
    until it comes back. `watchdog` follows the answers and says if the recogniser is broken.
    """

    def __init__(
        self,
        decoder: SpeechDecoder,
        workers: int,
        policy: BatchPolicy,
        metrics: VoiceMetrics,
        capacity: Capacity,
        patience: float,
    ) -> None:
        self.watchdog = Watchdog()
        self._patience = patience
        self._decoder = decoder
        self._policy = policy
        self._metrics = metrics
        self._capacity = capacity
        self._workers = workers
        self._idle = workers
        self._closed = False
        self._lost = 0
        self._test_hangs = False
        self._waiting: set[Source] = set()
        metrics.decode_waiting.set_function(lambda: len(self._waiting))
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def stuck(self) -> bool:
        """Return whether every worker is lost: until one comes back, nothing is decoded."""
        return self._lost == self._workers

    def update(self, source: Source) -> None:
        """Ask a source again: it may need a decode now, or no longer."""
        self._note(source)
        self._dispatch()

    def forget(self, source: Source) -> None:
        """Drop a source. A decode of it that is in flight is still delivered."""
        self._waiting.discard(source)

    async def test(self, request: DecodeRequest) -> None:
        """Decode a recording of known speech beside the sessions' audio; tell the watchdog."""
        if self._closed or self._test_hangs:
            return
        answer: Hypothesis | None = None
        try:
            [answer] = await self._answers([request])
        except DecodeHangsError as hang:
            self._test_hangs = True
            self._give_up(hang, self._test_came_back)
        self.watchdog.tested(request, answer)
        self._metrics.self_tests.labels("heard" if answer and answer.text else "failed").inc()

    async def close(self, seconds: float) -> None:
        """Start no more decodes, and wait at most `seconds` for those in flight."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                _log.error("a decode did not come back")
                task.cancel()

    def _note(self, source: Source) -> None:
        if source.next_decode() is None:
            self._waiting.discard(source)
        else:
            self._waiting.add(source)

    def _dispatch(self) -> None:
        now = asyncio.get_running_loop().time()
        if self.stuck:
            self._turn_away()
        while self._idle and self._waiting and not self._closed:
            needs = [(need, source) for source in self._waiting if (need := source.next_decode())]
            if not needs:
                self._waiting.clear()
                return
            batch = next_batch(needs, self._policy.size, self._shape)
            wait = self._policy.longest_wait(len(batch), self._workers - self._idle)
            due = batch[0][0].since + wait
            if wait and due > now:
                self._wake_at(due)
                return
            self._start(batch, now)

    def _shape(self, need: DecodeNeed) -> Hashable:
        return need.urgency.thorough, self._decoder.prompt_length(need.language, need.bias)

    def _wake_at(self, due: float) -> None:
        """Dispatch again at `due`, if nothing else causes it earlier."""
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_at(due, self._dispatch, context=contextvars.Context())

    def _start(self, batch: Sequence[tuple[DecodeNeed, Source]], now: float) -> None:
        for need, source in batch:
            self._waiting.discard(source)
            self._note_wait(need, now)
        started = [
            decode
            for need, source in batch
            if (decode := self._start_one(need, source)) is not None
        ]
        if not started:
            return
        self._idle -= 1
        # An empty context: the caller may be another session than those served, and its name must
        # not appear in their log lines.
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._run(started), context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _turn_away(self) -> None:
        """Answer everybody who waits by None: there is nobody left to decode."""
        waiting, self._waiting = self._waiting, set()
        loop = asyncio.get_running_loop()
        for source in waiting:
            need = source.next_decode()
            if need is not None and self._start_one(need, source) is not None:
                loop.call_soon(source.deliver, None, context=contextvars.Context())

    def _start_one(self, need: DecodeNeed, source: Source) -> _StartedDecode | None:
        """Take the source's request; None if the source fails to make one."""
        try:
            return _StartedDecode(source, need.urgency, source.start_decode())
        except Exception:  # noqa: BLE001
            # The boundary to a session's own code: its fault must cost neither another session its
            # answer nor us a worker. It is told later, as it may need another decode at once.
            _log.exception("a session could not say what to decode")
            loop = asyncio.get_running_loop()
            loop.call_soon(source.deliver, None, context=contextvars.Context())
            return None

    def _note_wait(self, need: DecodeNeed, now: float) -> None:
        waited = now - need.since
        self._metrics.decode_wait.labels(need.urgency.name.lower()).observe(waited)
        if need.urgency is Urgency.FINAL:
            self._capacity.waited(waited, now)

    async def _run(self, decodes: Sequence[_StartedDecode]) -> None:
        started = time.perf_counter()
        requests = [decode.request for decode in decodes]
        came_back = True
        try:
            try:
                answers = await self._answers(requests)
            except DecodeHangsError as hang:
                came_back = False
                self._lost += 1
                self._give_up(hang, self._worker_came_back)
                answers = [None] * len(decodes)
            else:
                self._note_cost(decodes, time.perf_counter() - started)
            self._note_answers(_kind(requests[0]), [a for a in answers if a is not None])
            for decode, answer in zip(decodes, answers, strict=True):
                self._metrics.decode_empty.inc(self.watchdog.answered(decode.request, answer))
                decode.source.deliver(answer)
        finally:
            self._idle += came_back
        # Note all of them before dispatching: they may share the next batch.
        for decode in decodes:
            self._note(decode.source)
        self._dispatch()

    def _give_up(self, hang: DecodeHangsError, came_back: Callable[[], None]) -> None:
        _log.error("a decode has not come back and is given up", seconds=self._patience)
        self._metrics.decode_failures.inc()
        self._metrics.decodes_hanging.inc()
        self.watchdog.given_up()
        hang.late.add_done_callback(partial(self._came_back, came_back))

    def _came_back(self, then: Callable[[], None], late: asyncio.Future[Any]) -> None:
        # Its answer, or its error, is nobody's any more.
        _log.warning("a decode that was given up has come back", error=late.exception())
        self._metrics.decodes_hanging.dec()
        self.watchdog.came_back()
        then()

    def _worker_came_back(self) -> None:
        self._lost -= 1
        self._idle += 1
        self._dispatch()

    def _test_came_back(self) -> None:
        self._test_hangs = False

    async def _answers(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis | None]:
        """Return what was heard; None for a request that cannot be decoded.

        A batch that fails is decoded one by one: no session may cost another its answer. Raises
        DecodeHangsError.
        """
        try:
            return [*await in_thread(self._decoder.decode, requests, self._patience)]
        except DecodeHangsError:
            raise
        except Exception:  # noqa: BLE001
            # The boundary to third-party code: whatever it raises, the sessions need an answer.
            _log.exception("decode failed", kind=_kind(requests[0]), batch=len(requests))
            self._metrics.decode_failures.inc()
        if len(requests) == 1:
            return [None]
        return [answer for request in requests for answer in await self._answers([request])]

    def _note_cost(self, decodes: Sequence[_StartedDecode], seconds: float) -> None:
        kind = _kind(decodes[0].request)
        audio = sum(len(decode.request.audio) for decode in decodes) / SAMPLE_RATE
        self._metrics.decode_seconds.labels(kind).observe(seconds)
        self._metrics.decode_audio_seconds.labels(kind).inc(audio)
        owed = sum(decode.urgency is not Urgency.PARTIAL for decode in decodes)
        if owed:
            now = asyncio.get_running_loop().time()
            self._capacity.spent(seconds * owed / len(decodes), now)

    def _note_answers(self, kind: str, answers: Sequence[Hypothesis]) -> None:
        for why, count in Counter(why for answer in answers for why in answer.retries).items():
            self._metrics.decode_repeats.labels(why).inc(count)
        for size, rows in Counter(answer.batch_size for answer in answers).items():
            for _ in range(rows // size):
                self._metrics.batch_size.labels(kind).observe(size)


def _kind(request: DecodeRequest) -> str:
    return "thorough" if request.thorough else "quick"
