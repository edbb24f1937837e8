"""Decodes of many sessions on real threads, on a real event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from voice_service.asr.batching import BatchPolicy
from voice_service.asr.capacity import Capacity
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.needs import DecodeNeed, Urgency
from voice_service.asr.scheduler import Scheduler
from voice_service.metrics import VoiceMetrics

TIMEOUT = 10


class Session:
    """Wishes in order; `name` is what its decodes are asked for by."""

    def __init__(self, name: str, *wishes: DecodeNeed) -> None:
        self.name = name
        self.wishes = list(wishes)
        self.flying = 0
        self.most = 0
        self.answers: list[Hypothesis | None] = []
        self.done = asyncio.Event()

    def next_decode(self) -> DecodeNeed | None:
        return self.wishes[0] if self.wishes and not self.flying else None

    def start_decode(self) -> DecodeRequest:
        wish = self.wishes.pop(0)
        self.flying += 1
        self.most = max(self.most, self.flying)
        return DecodeRequest(np.zeros(1_600, np.float32), "en", wish.urgency.thorough, self.name)

    def deliver(self, hypothesis: Hypothesis | None) -> None:
        self.flying -= 1
        self.answers.append(hypothesis)
        if not self.wishes:
            self.done.set()


class Recogniser:
    """Answers each request with the name of who asked, or as `answer` says."""

    def __init__(self, answer: Callable[[DecodeRequest], Hypothesis] | None = None) -> None:
        self._answer = answer or (lambda request: Hypothesis(request.bias, 1.0))
        self.batches: list[list[str]] = []

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        self.batches.append([request.bias for request in requests])
        answers = [self._answer(request) for request in requests]
        return [replace(answer, together=len(requests)) for answer in answers]

    def prompt_length(self, language: str, bias: str) -> int:
        return len(language)


class Desk(Recogniser):
    """A recogniser that decodes when it is let, and remembers who came in which order."""

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


def scheduler(
    recogniser: Recogniser,
    workers: int = 1,
    policy: BatchPolicy | None = None,
    registry: CollectorRegistry | None = None,
) -> Scheduler:
    metrics = VoiceMetrics(registry or CollectorRegistry())
    return Scheduler(recogniser, workers, policy or BatchPolicy(), metrics, Capacity(workers, 0.1))


async def finished(*sessions: Session) -> None:
    async with asyncio.timeout(TIMEOUT):
        for session in sessions:
            await session.done.wait()


async def test_finals_go_first_then_the_older_wish() -> None:
    """Whoever has finished speaking waits least; of two alike, who has waited longest."""
    desk = Desk()
    plan = scheduler(desk)
    first = Session("busy", DecodeNeed(Urgency.PARTIAL, 0))
    plan.update(first)
    await desk.wait_busy()
    others = [
        Session("partial, late", DecodeNeed(Urgency.PARTIAL, 3)),
        Session("partial, early", DecodeNeed(Urgency.PARTIAL, 1)),
        Session("speculation", DecodeNeed(Urgency.SPECULATIVE, 2)),
        Session("final, late", DecodeNeed(Urgency.FINAL, 9)),
        Session("final, early", DecodeNeed(Urgency.FINAL, 8)),
    ]
    for session in others:
        plan.update(session)
    desk.open()
    await finished(first, *others)
    assert desk.order == [
        "busy",
        "final, early",
        "final, late",
        "speculation",
        "partial, early",
        "partial, late",
    ]
    await plan.close(TIMEOUT)


async def test_one_decode_of_a_session_is_in_flight_however_often_it_asks() -> None:
    """Two at once would be two opinions about the same words."""
    desk = Desk()
    plan = scheduler(desk, workers=3)
    session = Session("one", *[DecodeNeed(Urgency.PARTIAL, n) for n in range(5)])
    for _ in range(4):
        plan.update(session)
    await desk.wait_busy()
    plan.update(session)
    desk.open()
    await finished(session)
    assert session.most == 1
    assert desk.most == 1
    assert len(session.answers) == 5
    await plan.close(TIMEOUT)


async def test_workers_decode_side_by_side_and_no_more_than_there_are() -> None:
    """The event loop decodes nothing itself."""
    desk = Desk()
    plan = scheduler(desk, workers=2)
    sessions = [Session(str(n), DecodeNeed(Urgency.FINAL, n)) for n in range(5)]
    for session in sessions:
        plan.update(session)
    await desk.wait_busy()
    await desk.wait_busy()
    desk.open()
    await finished(*sessions)
    assert desk.most == 2
    assert threading.current_thread().name not in desk.threads
    await plan.close(TIMEOUT)


async def test_many_sessions_all_get_every_answer_and_their_own() -> None:
    """Thirty sessions, two workers, mixed wishes."""
    desk = Desk()
    desk.open()
    plan = scheduler(desk, workers=2)
    kinds = list(Urgency)
    sessions = [
        Session(str(n), *[DecodeNeed(kinds[(n + k) % 3], k) for k in range(4)]) for n in range(30)
    ]
    for session in sessions:
        plan.update(session)
    await finished(*sessions)
    for session in sessions:
        assert [a and a.text for a in session.answers] == [session.name] * 4
        assert session.most == 1
    await plan.close(TIMEOUT)


@pytest.mark.parametrize(
    "error", [RuntimeError("CUDA"), ValueError("shape"), MemoryError(), IndexError("token")]
)
async def test_a_failure_is_delivered_as_none_and_the_worker_goes_on(error: Exception) -> None:
    """A decode that raises must not leave its session waiting, nor the worker lost."""
    failures = iter([error])

    def decode(request: DecodeRequest) -> Hypothesis:
        for failure in failures:
            raise failure
        return Hypothesis(request.bias, 1.0)

    plan = scheduler(Recogniser(decode))
    failing = Session("one", DecodeNeed(Urgency.FINAL, 0), DecodeNeed(Urgency.FINAL, 0))
    other = Session("two", DecodeNeed(Urgency.PARTIAL, 0))
    plan.update(failing)
    plan.update(other)
    await finished(failing, other)
    assert failing.answers[0] is None
    assert failing.answers[1] == Hypothesis("one", 1.0)
    assert other.answers == [Hypothesis("two", 1.0)]
    await plan.close(TIMEOUT)


@pytest.mark.parametrize("size", [1, 3])
async def test_a_session_that_fails_to_ask_costs_no_worker_and_no_other_its_answer(
    size: int,
) -> None:
    """It is told that there is no answer, and goes on; whoever shares its batch has one."""

    class Confused(Session):
        def start_decode(self) -> DecodeRequest:
            request = super().start_decode()
            if len(self.wishes) == 1:
                raise KeyError("menu")
            return request

    desk = Desk()
    plan = scheduler(desk, policy=BatchPolicy(size=size))
    busy, calm = (
        Session("busy", DecodeNeed(Urgency.FINAL, 0)),
        Session("calm", DecodeNeed(Urgency.FINAL, 2)),
    )
    confused = Confused("confused", DecodeNeed(Urgency.FINAL, 1), DecodeNeed(Urgency.FINAL, 3))
    for session in (busy, confused, calm):
        plan.update(session)
    desk.open()
    await finished(busy, calm)
    plan.update(confused)
    await finished(confused)
    assert calm.answers == [Hypothesis("calm", 1.0)]
    assert confused.answers == [None, Hypothesis("confused", 1.0)]
    await plan.close(TIMEOUT)


async def test_a_wish_that_is_withdrawn_is_not_decoded() -> None:
    """A partial whose utterance has ended meanwhile is of no use."""
    desk = Desk()
    plan = scheduler(desk)
    busy, fickle = (
        Session("busy", DecodeNeed(Urgency.FINAL, 0)),
        Session("x", DecodeNeed(Urgency.PARTIAL, 0)),
    )
    plan.update(busy)
    await desk.wait_busy()
    plan.update(fickle)
    fickle.wishes.clear()
    desk.open()
    await finished(busy)
    await plan.close(TIMEOUT)
    assert desk.order == ["busy"]
    assert fickle.answers == []


async def test_a_forgotten_session_is_not_decoded_any_more() -> None:
    """It is gone; what is in flight is still delivered, for it is owed."""
    desk = Desk()
    plan = scheduler(desk)
    busy = Session("busy", DecodeNeed(Urgency.FINAL, 0))
    gone = Session("gone", DecodeNeed(Urgency.FINAL, 0))
    plan.update(busy)
    await desk.wait_busy()
    plan.update(gone)
    plan.forget(gone)
    plan.forget(busy)
    desk.open()
    await finished(busy)
    await plan.close(TIMEOUT)
    assert desk.order == ["busy"]
    assert len(busy.answers) == 1


async def test_close_waits_for_what_is_in_flight_and_starts_no_more() -> None:
    """The server stops: no thread may be decoding when the model is freed."""
    desk = Desk()
    plan = scheduler(desk)
    session = Session("one", *[DecodeNeed(Urgency.FINAL, n) for n in range(4)])
    plan.update(session)
    await desk.wait_busy()
    closing = asyncio.create_task(plan.close(TIMEOUT))
    await asyncio.sleep(0)
    desk.open()
    async with asyncio.timeout(TIMEOUT):
        await closing
    assert len(session.answers) == 1
    plan.update(session)
    assert len(session.wishes) == 3
    assert desk.order == ["one"]


async def test_close_does_not_wait_for_ever_for_a_decode_that_hangs() -> None:
    """A device that answers no more must not keep the store from being closed."""
    desk = Desk()
    plan = scheduler(desk)
    session = Session("one", DecodeNeed(Urgency.FINAL, 0))
    plan.update(session)
    await desk.wait_busy()
    async with asyncio.timeout(TIMEOUT):
        await plan.close(0.01)
    assert session.answers == []
    desk.open()


async def test_decodes_are_measured() -> None:
    """The real-time factor is what capacity is planned by."""
    registry = CollectorRegistry()
    plan = scheduler(Recogniser(), registry=registry)
    session = Session("one", DecodeNeed(Urgency.FINAL, 0), DecodeNeed(Urgency.PARTIAL, 0))
    plan.update(session)
    await finished(session)
    await plan.close(TIMEOUT)
    for kind in ("thorough", "quick"):
        assert registry.get_sample_value("voice_decode_seconds_count", {"kind": kind}) == 1
        assert registry.get_sample_value("voice_decode_batch_size_sum", {"kind": kind}) == 1
        value = registry.get_sample_value("voice_decode_audio_seconds_total", {"kind": kind})
        assert value == pytest.approx(0.1)
    for urgency in ("final", "partial"):
        assert registry.get_sample_value("voice_decode_wait_seconds_count", {"urgency": urgency})


async def test_who_waits_behind_a_decode_goes_together_with_others_of_the_same_kind() -> None:
    """Finals before partials, as ever; a batch has no place for one of the other kind."""
    desk = Desk()
    registry = CollectorRegistry()
    plan = scheduler(desk, policy=BatchPolicy(size=3), registry=registry)
    busy = Session("busy", DecodeNeed(Urgency.PARTIAL, 0))
    plan.update(busy)
    await desk.wait_busy()
    others = [
        Session("partial", DecodeNeed(Urgency.PARTIAL, 0)),
        Session("final 4", DecodeNeed(Urgency.FINAL, 4)),
        Session("final 1", DecodeNeed(Urgency.FINAL, 1)),
        Session("speculation", DecodeNeed(Urgency.SPECULATIVE, 0)),
        Session("first partial", DecodeNeed(Urgency.FIRST_PARTIAL, 2)),
        Session("final 3", DecodeNeed(Urgency.FINAL, 3)),
    ]
    for session in others:
        plan.update(session)
    desk.open()
    await finished(busy, *others)
    assert desk.batches == [
        ["busy"],
        ["final 1", "final 3", "final 4"],
        ["first partial", "partial"],
        ["speculation"],
    ]
    assert all(session.answers == [Hypothesis(session.name, 1.0)] for session in others)
    sizes = {"kind": "thorough"}
    assert registry.get_sample_value("voice_decode_batch_size_sum", sizes) == 4
    assert registry.get_sample_value("voice_decode_batch_size_count", sizes) == 2
    await plan.close(TIMEOUT)


async def test_what_shared_no_pass_is_no_batch() -> None:
    """Handed over together, decoded apart: batches are tuned by what shares a pass."""

    class Picky(Desk):
        def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
            sizes = (3, 1, 3, 3) if len(requests) == 4 else (1,)
            answers = zip(super().decode(requests), sizes, strict=True)
            return [replace(answer, together=size) for answer, size in answers]

    registry, desk = CollectorRegistry(), Picky()
    plan = scheduler(desk, policy=BatchPolicy(size=4), registry=registry)
    busy, *others = (Session(str(n), DecodeNeed(Urgency.FINAL, 0)) for n in range(5))
    plan.update(busy)
    await desk.wait_busy()
    for session in others:
        plan.update(session)
    desk.open()
    await finished(busy, *others)
    await plan.close(TIMEOUT)
    sizes = {"kind": "thorough"}
    assert registry.get_sample_value("voice_decode_batch_size_count", sizes) == 3
    assert registry.get_sample_value("voice_decode_batch_size_sum", sizes) == 5


async def test_a_lone_wish_is_decoded_at_once_however_patient_the_policy_is() -> None:
    """Nothing runs: there is nothing to be gained by waiting."""
    plan = scheduler(Recogniser(), workers=2, policy=BatchPolicy(size=8, wait=1e6))
    session = Session("one", DecodeNeed(Urgency.FINAL, asyncio.get_running_loop().time()))
    plan.update(session)
    await finished(session)
    await plan.close(TIMEOUT)


async def test_beside_a_decode_that_runs_a_batch_waits_until_it_is_full() -> None:
    """And no longer: the second worker is free all the time."""
    desk = Desk()
    plan = scheduler(desk, workers=2, policy=BatchPolicy(size=2, wait=1e6))
    now = asyncio.get_running_loop().time()
    busy, first, second = (Session(str(n), DecodeNeed(Urgency.FINAL, now + n)) for n in range(3))
    plan.update(busy)
    await desk.wait_busy()
    plan.update(first)
    assert first.flying == 0
    plan.update(second)
    assert (first.flying, second.flying) == (1, 1)
    desk.open()
    await finished(busy, first, second)
    assert [batch for batch in desk.batches if len(batch) > 1] == [["1", "2"]]
    await plan.close(TIMEOUT)


async def test_a_batch_that_stays_small_starts_when_its_time_is_up() -> None:
    """Although the other decode still runs, and nothing else happens."""
    desk = Desk()
    plan = scheduler(desk, workers=2, policy=BatchPolicy(size=8, wait=0.03))
    busy = Session("busy", DecodeNeed(Urgency.FINAL, 0))
    plan.update(busy)
    await desk.wait_busy()
    patient = Session("patient", DecodeNeed(Urgency.FINAL, asyncio.get_running_loop().time()))
    plan.update(patient)
    assert patient.flying == 0
    await desk.wait_busy()
    assert patient.flying == 1
    assert patient.answers == busy.answers == []
    desk.open()
    await finished(busy, patient)
    await plan.close(TIMEOUT)


async def test_a_batch_that_fails_is_decoded_one_by_one() -> None:
    """What one guest's audio does must not cost the others their answer."""

    def decode(request: DecodeRequest) -> Hypothesis:
        if request.bias == "bad":
            raise RuntimeError("CUDA")
        return Hypothesis(request.bias, 1.0)

    desk = Desk(decode)
    plan = scheduler(desk, policy=BatchPolicy(size=4))
    sessions = [
        Session(name, DecodeNeed(Urgency.FINAL, 0)) for name in ("busy", "good", "bad", "fine")
    ]
    for session in sessions:
        plan.update(session)
    desk.open()
    await finished(*sessions)
    assert sorted(map(len, desk.batches)) == [1, 1, 1, 1, 3]
    assert [session.answers for session in sessions] == [
        [None if session.name == "bad" else Hypothesis(session.name, 1.0)] for session in sessions
    ]
    await plan.close(TIMEOUT)


async def test_a_batch_costs_its_worker_once() -> None:
    """Admission counts the time of workers; further partials that ride along are not charged."""

    class Book(Capacity):
        charged = 0.0

        def spent(self, seconds: float, now: float) -> None:
            self.charged += seconds
            super().spent(seconds, now)

    registry, book, desk = CollectorRegistry(), Book(1, 0.1), Desk()
    plan = Scheduler(desk, 1, BatchPolicy(size=4), VoiceMetrics(registry), book)
    sessions = [Session(name, DecodeNeed(Urgency.PARTIAL, 0)) for name in ("busy", "a", "b", "c")]
    sessions.append(Session("first", DecodeNeed(Urgency.FIRST_PARTIAL, 0)))
    for session in sessions:
        plan.update(session)
    desk.open()
    await finished(*sessions)
    await plan.close(TIMEOUT)
    assert [set(batch) for batch in desk.batches] == [{"busy"}, {"first", "a", "b", "c"}]
    total = registry.get_sample_value("voice_decode_seconds_sum", {"kind": "quick"})
    assert total is not None
    assert 0 < book.charged <= total / 4


async def test_what_was_decoded_twice_is_counted() -> None:
    """Repeats cost four times a decode: an operator must see when a lane's noise brings many."""
    registry = CollectorRegistry()
    desk = Recogniser(lambda request: Hypothesis("text", 1.0, repeated=request.bias == "noisy"))
    plan = scheduler(desk, registry=registry)
    sessions = [Session(name, DecodeNeed(Urgency.FINAL, 0)) for name in ("noisy", "calm", "noisy")]
    for session in sessions:
        plan.update(session)
    await finished(*sessions)
    await plan.close(TIMEOUT)
    assert registry.get_sample_value("voice_decode_repeats_total") == 2
