"""Decodes of many sessions, on real threads and a real event loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from voice_service.asr.batching import BatchPolicy
from voice_service.asr.capacity import Capacity
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis, Retry
from voice_service.asr.needs import DecodeNeed, Urgency
from voice_service.asr.scheduler import Scheduler
from voice_service.metrics import VoiceMetrics

TIMEOUT = 10


class Session:
    """A source with a list of needs; `name` is the bias of its requests."""

    def __init__(self, name: str, *needs: DecodeNeed) -> None:
        self.name = name
        self.needs = list(needs)
        self.flying = 0
        self.most = 0
        self.answers: list[Hypothesis | None] = []
        self.done = asyncio.Event()

    def next_decode(self) -> DecodeNeed | None:
        return self.needs[0] if self.needs and not self.flying else None

    def start_decode(self) -> DecodeRequest:
        need = self.needs.pop(0)
        self.flying += 1
        self.most = max(self.most, self.flying)
        return DecodeRequest(np.zeros(1_600, np.float32), "en", need.urgency.thorough, self.name)

    def deliver(self, hypothesis: Hypothesis | None) -> None:
        self.flying -= 1
        self.answers.append(hypothesis)
        if not self.needs:
            self.done.set()


class Recogniser:
    """Answers each request with the name of its session, or with what `answer` returns."""

    def __init__(self, answer: Callable[[DecodeRequest], Hypothesis] | None = None) -> None:
        self._answer = answer or (lambda request: Hypothesis(request.bias, 1.0))
        self.batches: list[list[str]] = []

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        self.batches.append([request.bias for request in requests])
        answers = [self._answer(request) for request in requests]
        return [replace(answer, batch_size=len(requests)) for answer in answers]

    def prompt_length(self, language: str, bias: str) -> int:
        return len(language)


class GatedRecogniser(Recogniser):
    """A recogniser that decodes only when its gate is opened, and records the order."""

    def __init__(self, answer: Callable[[DecodeRequest], Hypothesis] | None = None) -> None:
        super().__init__(answer)
        self.order: list[str] = []
        self.threads: set[str] = set()
        self.gate = threading.Semaphore(0)
        self.busy = threading.Semaphore(0)
        self.most = 0
        self._running = 0
        self._lock = threading.Lock()

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
            self.order += [request.bias for request in requests]
            self.threads.add(threading.current_thread().name)
        self.busy.release()
        assert self.gate.acquire(timeout=TIMEOUT)
        with self._lock:
            self._running -= 1
        return super().decode(requests)

    async def wait_busy(self) -> None:
        assert await asyncio.to_thread(self.busy.acquire, timeout=TIMEOUT)

    def open(self, count: int = 1_000) -> None:
        for _ in range(count):
            self.gate.release()


def make_scheduler(
    recogniser: Recogniser,
    workers: int = 1,
    policy: BatchPolicy | None = None,
    registry: CollectorRegistry | None = None,
    patience: float = 10 * TIMEOUT,
) -> Scheduler:
    metrics = VoiceMetrics(registry or CollectorRegistry())
    capacity = Capacity(workers, 0.1)
    return Scheduler(recogniser, workers, policy or BatchPolicy(), metrics, capacity, patience)


async def finished(*sessions: Session) -> None:
    async with asyncio.timeout(TIMEOUT):
        for session in sessions:
            await session.done.wait()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not holds():  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.01)


async def test_finals_go_first_then_the_older_need() -> None:
    """Guests who have finished speaking go first; of two alike, the one who has waited longer."""
    recogniser = GatedRecogniser()
    scheduler = make_scheduler(recogniser)
    first = Session("busy", DecodeNeed(Urgency.PARTIAL, 0))
    scheduler.update(first)
    await recogniser.wait_busy()
    others = [
        Session("partial, late", DecodeNeed(Urgency.PARTIAL, 3)),
        Session("partial, early", DecodeNeed(Urgency.PARTIAL, 1)),
        Session("speculation", DecodeNeed(Urgency.SPECULATIVE, 2)),
        Session("final, late", DecodeNeed(Urgency.FINAL, 9)),
        Session("final, early", DecodeNeed(Urgency.FINAL, 8)),
    ]
    for session in others:
        scheduler.update(session)
    recogniser.open()
    await finished(first, *others)
    assert recogniser.order == [
        "busy",
        "final, early",
        "final, late",
        "speculation",
        "partial, early",
        "partial, late",
    ]
    await scheduler.close(TIMEOUT)


async def test_one_decode_of_a_session_is_in_flight_however_often_it_asks() -> None:
    """Two at once would give two answers for the same words."""
    recogniser = GatedRecogniser()
    scheduler = make_scheduler(recogniser, workers=3)
    session = Session("one", *[DecodeNeed(Urgency.PARTIAL, n) for n in range(5)])
    for _ in range(4):
        scheduler.update(session)
    await recogniser.wait_busy()
    scheduler.update(session)
    recogniser.open()
    await finished(session)
    assert session.most == 1
    assert recogniser.most == 1
    assert len(session.answers) == 5
    await scheduler.close(TIMEOUT)


async def test_as_many_decodes_run_at_once_as_there_are_workers() -> None:
    """The event loop's thread decodes nothing itself."""
    recogniser = GatedRecogniser()
    scheduler = make_scheduler(recogniser, workers=2)
    sessions = [Session(str(n), DecodeNeed(Urgency.FINAL, n)) for n in range(5)]
    for session in sessions:
        scheduler.update(session)
    await recogniser.wait_busy()
    await recogniser.wait_busy()
    recogniser.open()
    await finished(*sessions)
    assert recogniser.most == 2
    assert threading.current_thread().name not in recogniser.threads
    await scheduler.close(TIMEOUT)


async def test_many_sessions_all_get_every_answer_and_their_own() -> None:
    """Thirty sessions, two workers, needs of several urgencies."""
    recogniser = GatedRecogniser()
    recogniser.open()
    scheduler = make_scheduler(recogniser, workers=2)
    kinds = list(Urgency)
    sessions = [
        Session(str(n), *[DecodeNeed(kinds[(n + k) % 3], k) for k in range(4)]) for n in range(30)
    ]
    for session in sessions:
        scheduler.update(session)
    await finished(*sessions)
    for session in sessions:
        assert [a and a.text for a in session.answers] == [session.name] * 4
        assert session.most == 1
    await scheduler.close(TIMEOUT)


@pytest.mark.parametrize(
    "error", [RuntimeError("CUDA"), ValueError("shape"), MemoryError(), IndexError("token")]
)
async def test_a_failure_is_delivered_as_none_and_the_worker_goes_on(error: Exception) -> None:
    """A decode that raises must neither leave its session waiting nor cost us the worker."""
    failures = iter([error])

    def decode(request: DecodeRequest) -> Hypothesis:
        for failure in failures:
            raise failure
        return Hypothesis(request.bias, 1.0)

    scheduler = make_scheduler(Recogniser(decode))
    failing = Session("one", DecodeNeed(Urgency.FINAL, 0), DecodeNeed(Urgency.FINAL, 0))
    other = Session("two", DecodeNeed(Urgency.PARTIAL, 0))
    scheduler.update(failing)
    scheduler.update(other)
    await finished(failing, other)
    assert failing.answers[0] is None
    assert failing.answers[1] == Hypothesis("one", 1.0)
    assert other.answers == [Hypothesis("two", 1.0)]
    await scheduler.close(TIMEOUT)


@pytest.mark.parametrize("size", [1, 3])
async def test_a_session_that_fails_to_ask_costs_no_worker_and_no_other_its_answer(
    size: int,
) -> None:
    """It is delivered None and goes on; the others in its batch get their answers."""

    class Confused(Session):
        def start_decode(self) -> DecodeRequest:
            request = super().start_decode()
            if len(self.needs) == 1:
                raise KeyError("menu")
            return request

    recogniser = GatedRecogniser()
    scheduler = make_scheduler(recogniser, policy=BatchPolicy(size=size))
    busy, calm = (
        Session("busy", DecodeNeed(Urgency.FINAL, 0)),
        Session("calm", DecodeNeed(Urgency.FINAL, 2)),
    )
    confused = Confused("confused", DecodeNeed(Urgency.FINAL, 1), DecodeNeed(Urgency.FINAL, 3))
    for session in (busy, confused, calm):
        scheduler.update(session)
    recogniser.open()
    await finished(busy, calm)
    scheduler.update(confused)
    await finished(confused)
    assert calm.answers == [Hypothesis("calm", 1.0)]
    assert confused.answers == [None, Hypothesis("confused", 1.0)]
    await scheduler.close(TIMEOUT)


async def test_a_need_that_is_withdrawn_is_not_decoded() -> None:
    """A partial is of no use once its utterance has ended."""
    recogniser = GatedRecogniser()
    scheduler = make_scheduler(recogniser)
    busy, fickle = (
        Session("busy", DecodeNeed(Urgency.FINAL, 0)),
        Session("x", DecodeNeed(Urgency.PARTIAL, 0)),
    )
    scheduler.update(busy)
    await recogniser.wait_busy()
    scheduler.update(fickle)
    fickle.needs.clear()
    recogniser.open()
    await finished(busy)
    await scheduler.close(TIMEOUT)
    assert recogniser.order == ["busy"]
    assert fickle.answers == []


async def test_a_forgotten_session_is_not_decoded_any_more() -> None:
    """A decode that is already in flight is still delivered."""
    recogniser = GatedRecogniser()
    scheduler = make_scheduler(recogniser)
    busy = Session("busy", DecodeNeed(Urgency.FINAL, 0))
    gone = Session("gone", DecodeNeed(Urgency.FINAL, 0))
    scheduler.update(busy)
    await recogniser.wait_busy()
    scheduler.update(gone)
    scheduler.forget(gone)
    scheduler.forget(busy)
    recogniser.open()
    await finished(busy)
    await scheduler.close(TIMEOUT)
    assert recogniser.order == ["busy"]
    assert len(busy.answers) == 1


async def test_close_waits_for_what_is_in_flight_and_starts_no_more() -> None:
    """No thread may be decoding when the server stops and the model is freed."""
    recogniser = GatedRecogniser()
    scheduler = make_scheduler(recogniser)
    session = Session("one", *[DecodeNeed(Urgency.FINAL, n) for n in range(4)])
    scheduler.update(session)
    await recogniser.wait_busy()
    closing = asyncio.create_task(scheduler.close(TIMEOUT))
    await asyncio.sleep(0)
    recogniser.open()
    async with asyncio.timeout(TIMEOUT):
        await closing
    assert len(session.answers) == 1
    scheduler.update(session)
    assert len(session.needs) == 3
    assert recogniser.order == ["one"]


async def test_close_does_not_wait_for_ever_for_a_decode_that_hangs() -> None:
    """A device that has stopped answering must not keep the store from being closed."""
    recogniser = GatedRecogniser()
    scheduler = make_scheduler(recogniser)
    session = Session("one", DecodeNeed(Urgency.FINAL, 0))
    scheduler.update(session)
    await recogniser.wait_busy()
    async with asyncio.timeout(TIMEOUT):
        await scheduler.close(0.01)
    assert session.answers == []
    recogniser.open()


async def test_a_decode_that_hangs_is_given_up_and_the_other_worker_goes_on() -> None:
    """Its session is told, the operator sees it, and its answer is nobody's when it comes late."""
    recogniser, registry = GatedRecogniser(), CollectorRegistry()
    scheduler = make_scheduler(recogniser, workers=2, registry=registry, patience=0.01)
    hangs = Session("hangs", DecodeNeed(Urgency.FINAL, 0))
    scheduler.update(hangs)
    await finished(hangs)
    assert hangs.answers == [None]
    assert "hangs" in (scheduler.watchdog.trouble or "")
    assert registry.get_sample_value("voice_decodes_hanging") == 1
    assert not scheduler.stuck
    recogniser.open()
    other = Session("other", DecodeNeed(Urgency.FINAL, 0))
    await until(lambda: scheduler.watchdog.trouble is None)
    scheduler.update(other)
    await finished(other)
    assert len(hangs.answers) == 1
    await scheduler.close(TIMEOUT)


async def test_when_all_workers_hang_nobody_waits() -> None:
    """Also who asks for the first time; when one comes back, the next guests are heard again."""
    recogniser = GatedRecogniser()
    scheduler = make_scheduler(recogniser, patience=0.01)
    needs = (DecodeNeed(Urgency.FINAL, 0), DecodeNeed(Urgency.PARTIAL, 1))
    hangs, waits = Session("hangs", needs[0]), Session("waits", *needs)
    for session in (hangs, waits):
        scheduler.update(session)
    await finished(hangs)
    assert scheduler.stuck
    await asyncio.sleep(0)
    scheduler.update(waits)
    await finished(waits)
    assert (hangs.answers, waits.answers) == ([None], [None, None])
    recogniser.open()
    await until(lambda: not scheduler.stuck)
    assert scheduler.watchdog.trouble is None
    await scheduler.close(TIMEOUT)


async def test_a_self_test_that_hangs_is_given_up_and_not_started_again() -> None:
    """Each one would take a thread and a part of the model for good."""
    recogniser, registry = GatedRecogniser(), CollectorRegistry()
    scheduler = make_scheduler(recogniser, registry=registry, patience=0.01)
    known = DecodeRequest(np.zeros(16, np.float32), "en", thorough=True, bias="known")
    for _ in range(3):
        async with asyncio.timeout(TIMEOUT):
            await scheduler.test(known)
    assert recogniser.order == ["known"]
    assert "hangs" in (scheduler.watchdog.trouble or "")
    recogniser.open()
    await until(lambda: not registry.get_sample_value("voice_decodes_hanging"))
    # A late answer says no more than that the thread is back; the next test decides.
    assert scheduler.watchdog.suspicious
    await scheduler.close(TIMEOUT)


def test_a_process_whose_decode_hangs_can_end() -> None:
    """Threads of a pool are waited for when the interpreter ends: SIGTERM would not stop it."""
    code = (
        "import asyncio, threading\n"
        "from voice_service.asr.decode_threads import DecodeHangsError, in_thread\n"
        "try:\n"
        "    asyncio.run(in_thread(lambda event: event.wait(), threading.Event(), 0.01))\n"
        "except DecodeHangsError:\n"
        "    print('given up')\n"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "given up\n"


async def test_decodes_are_measured() -> None:
    """Capacity is planned by the real-time factor."""
    registry = CollectorRegistry()
    scheduler = make_scheduler(Recogniser(), registry=registry)
    session = Session("one", DecodeNeed(Urgency.FINAL, 0), DecodeNeed(Urgency.PARTIAL, 0))
    scheduler.update(session)
    await finished(session)
    await scheduler.close(TIMEOUT)
    for kind in ("thorough", "quick"):
        assert registry.get_sample_value("voice_decode_seconds_count", {"kind": kind}) == 1
        assert registry.get_sample_value("voice_decode_batch_size_sum", {"kind": kind}) == 1
        value = registry.get_sample_value("voice_decode_audio_seconds_total", {"kind": kind})
        assert value == pytest.approx(0.1)
    for urgency in ("final", "partial"):
        assert registry.get_sample_value("voice_decode_wait_seconds_count", {"urgency": urgency})


async def test_needs_of_the_same_kind_that_wait_behind_a_decode_share_a_batch() -> None:
    """Finals still go before partials; a batch never mixes kinds."""
    recogniser = GatedRecogniser()
    registry = CollectorRegistry()
    scheduler = make_scheduler(recogniser, policy=BatchPolicy(size=3), registry=registry)
    busy = Session("busy", DecodeNeed(Urgency.PARTIAL, 0))
    scheduler.update(busy)
    await recogniser.wait_busy()
    others = [
        Session("partial", DecodeNeed(Urgency.PARTIAL, 0)),
        Session("final 4", DecodeNeed(Urgency.FINAL, 4)),
        Session("final 1", DecodeNeed(Urgency.FINAL, 1)),
        Session("speculation", DecodeNeed(Urgency.SPECULATIVE, 0)),
        Session("first partial", DecodeNeed(Urgency.FIRST_PARTIAL, 2)),
        Session("final 3", DecodeNeed(Urgency.FINAL, 3)),
    ]
    for session in others:
        scheduler.update(session)
    recogniser.open()
    await finished(busy, *others)
    assert recogniser.batches == [
        ["busy"],
        ["final 1", "final 3", "final 4"],
        ["first partial", "partial"],
        ["speculation"],
    ]
    assert all(session.answers == [Hypothesis(session.name, 1.0)] for session in others)
    sizes = {"kind": "thorough"}
    assert registry.get_sample_value("voice_decode_batch_size_sum", sizes) == 4
    assert registry.get_sample_value("voice_decode_batch_size_count", sizes) == 2
    await scheduler.close(TIMEOUT)


async def test_only_requests_that_shared_a_pass_count_as_a_batch() -> None:
    """Some are handed over together but decoded apart; batches are tuned by shared passes."""

    class Picky(GatedRecogniser):
        def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
            sizes = (3, 1, 3, 3) if len(requests) == 4 else (1,)
            answers = zip(super().decode(requests), sizes, strict=True)
            return [replace(answer, batch_size=size) for answer, size in answers]

    registry, recogniser = CollectorRegistry(), Picky()
    scheduler = make_scheduler(recogniser, policy=BatchPolicy(size=4), registry=registry)
    busy, *others = (Session(str(n), DecodeNeed(Urgency.FINAL, 0)) for n in range(5))
    scheduler.update(busy)
    await recogniser.wait_busy()
    for session in others:
        scheduler.update(session)
    recogniser.open()
    await finished(busy, *others)
    await scheduler.close(TIMEOUT)
    sizes = {"kind": "thorough"}
    assert registry.get_sample_value("voice_decode_batch_size_count", sizes) == 3
    assert registry.get_sample_value("voice_decode_batch_size_sum", sizes) == 5


async def test_a_lone_need_is_decoded_at_once_however_patient_the_policy_is() -> None:
    """While nothing runs, nothing is gained by waiting."""
    scheduler = make_scheduler(Recogniser(), workers=2, policy=BatchPolicy(size=8, wait=1e6))
    session = Session("one", DecodeNeed(Urgency.FINAL, asyncio.get_running_loop().time()))
    scheduler.update(session)
    await finished(session)
    await scheduler.close(TIMEOUT)


async def test_beside_a_running_decode_a_batch_waits_until_it_is_full() -> None:
    """And no longer, since the second worker is free all the time."""
    recogniser = GatedRecogniser()
    scheduler = make_scheduler(recogniser, workers=2, policy=BatchPolicy(size=2, wait=1e6))
    now = asyncio.get_running_loop().time()
    busy, first, second = (Session(str(n), DecodeNeed(Urgency.FINAL, now + n)) for n in range(3))
    scheduler.update(busy)
    await recogniser.wait_busy()
    scheduler.update(first)
    assert first.flying == 0
    scheduler.update(second)
    assert (first.flying, second.flying) == (1, 1)
    recogniser.open()
    await finished(busy, first, second)
    assert [batch for batch in recogniser.batches if len(batch) > 1] == [["1", "2"]]
    await scheduler.close(TIMEOUT)


async def test_a_batch_that_stays_small_starts_when_its_time_is_up() -> None:
    """Even though the other decode still runs and nothing else happens."""
    recogniser = GatedRecogniser()
    scheduler = make_scheduler(recogniser, workers=2, policy=BatchPolicy(size=8, wait=0.03))
    busy = Session("busy", DecodeNeed(Urgency.FINAL, 0))
    scheduler.update(busy)
    await recogniser.wait_busy()
    patient = Session("patient", DecodeNeed(Urgency.FINAL, asyncio.get_running_loop().time()))
    scheduler.update(patient)
    assert patient.flying == 0
    await recogniser.wait_busy()
    assert patient.flying == 1
    assert patient.answers == busy.answers == []
    recogniser.open()
    await finished(busy, patient)
    await scheduler.close(TIMEOUT)


async def test_a_batch_that_fails_is_decoded_one_by_one() -> None:
    """One guest's audio must not cost the others their answers."""

    def decode(request: DecodeRequest) -> Hypothesis:
        if request.bias == "bad":
            raise RuntimeError("CUDA")
        return Hypothesis(request.bias, 1.0)

    recogniser = GatedRecogniser(decode)
    scheduler = make_scheduler(recogniser, policy=BatchPolicy(size=4))
    sessions = [
        Session(name, DecodeNeed(Urgency.FINAL, 0)) for name in ("busy", "good", "bad", "fine")
    ]
    for session in sessions:
        scheduler.update(session)
    recogniser.open()
    await finished(*sessions)
    assert sorted(map(len, recogniser.batches)) == [1, 1, 1, 1, 3]
    assert [session.answers for session in sessions] == [
        [None if session.name == "bad" else Hypothesis(session.name, 1.0)] for session in sessions
    ]
    await scheduler.close(TIMEOUT)


async def test_a_batch_costs_its_worker_once() -> None:
    """Admission counts worker time; further partials in the batch are not charged."""

    class Book(Capacity):
        charged = 0.0

        def spent(self, seconds: float, now: float) -> None:
            self.charged += seconds
            super().spent(seconds, now)

    registry, book, recogniser = CollectorRegistry(), Book(1, 0.1), GatedRecogniser()
    metrics = VoiceMetrics(registry)
    scheduler = Scheduler(recogniser, 1, BatchPolicy(size=4), metrics, book, 10 * TIMEOUT)
    sessions = [Session(name, DecodeNeed(Urgency.PARTIAL, 0)) for name in ("busy", "a", "b", "c")]
    sessions.append(Session("first", DecodeNeed(Urgency.FIRST_PARTIAL, 0)))
    for session in sessions:
        scheduler.update(session)
    recogniser.open()
    await finished(*sessions)
    await scheduler.close(TIMEOUT)
    assert [set(batch) for batch in recogniser.batches] == [{"busy"}, {"first", "a", "b", "c"}]
    total = registry.get_sample_value("voice_decode_seconds_sum", {"kind": "quick"})
    assert total is not None
    assert 0 < book.charged <= total / 4


async def test_decodes_done_twice_are_counted() -> None:
    """A repeat costs four times a decode: operators must see when a lane's noise causes many."""
    registry = CollectorRegistry()
    recogniser = Recogniser(
        lambda request: Hypothesis(
            "text", 1.0, retries=(Retry.DOUBT, Retry.LOOP) if request.bias == "noisy" else ()
        )
    )
    scheduler = make_scheduler(recogniser, registry=registry)
    sessions = [Session(name, DecodeNeed(Urgency.FINAL, 0)) for name in ("noisy", "calm", "noisy")]
    for session in sessions:
        scheduler.update(session)
    await finished(*sessions)
    await scheduler.close(TIMEOUT)
    for why, count in ((Retry.DOUBT, 2), (Retry.LOOP, 2), (Retry.PROMPT, None)):
        assert registry.get_sample_value("voice_decode_repeats_total", {"why": why}) == count
