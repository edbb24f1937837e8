"""The listener, with audio and recogniser answers made up by the tests.

Every frame carries its own number (negative where nobody speaks), so a hypothesis can name exactly
the frames it was decoded from, and lost or doubled audio shows as lost or doubled words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from voice_service.asr.calibration import Calibration
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis, Word
from voice_service.asr.needs import Urgency
from voice_service.utterances.background import BackgroundSettings
from voice_service.utterances.endpointing import EndpointSettings
from voice_service.utterances.events import (
    Discarded,
    Ended,
    EndLikely,
    EndUnlikely,
    Final,
    ListenerEvent,
    Partial,
    Started,
)
from voice_service.utterances.listener import Listener
from voice_service.utterances.settings import ListenerSettings, to_ms
from voice_service.utterances.turn_end import Judge, TurnEnd, TurnEndPolicy
from voice_service.utterances.vad import FRAME

SETTINGS = ListenerSettings(
    endpoint=EndpointSettings(
        onset=0.5,
        offset=0.35,
        confirm=2,
        hangover=8,
        short_hangover=3,
        soft_limit=60,
        hard_limit=90,
        cut_window=20,
    ),
    pre_roll=3,
    post_roll=3,
    first_partial=5,
    first_partial_retry=5,
    partial_interval=5,
    speculate=3,
    turn_end_policy=TurnEndPolicy(finished=4, open=14, confidence=0.5),
    no_progress=30,
    min_confidence=0.3,
    min_partial_confidence=0.3,
    clear_speech=0.6,
    unclear_confidence=0.6,
    background=BackgroundSettings(
        stand_out_db=4.0, faint_db=8.0, faint_confidence=0.8, unclear_confidence=0.6
    ),
)
Pattern = list[tuple[bool, int]]
Answer = Callable[[DecodeRequest], Hypothesis | None]
NOTHING = Hypothesis("", 0.0)


def unsure(_: str) -> TurnEnd:
    """A judge that never decides."""
    return TurnEnd.UNKNOWN


class Marked:
    """A detector that hears speech in frames whose mark is positive."""

    def probability(self, frame: NDArray[np.float32]) -> float:
        return float(frame[0] > 0)


def marked(pattern: Pattern, first: int = 0) -> list[NDArray[np.float32]]:
    """Return frames numbered from `first`, with speech where the pattern says so."""
    spoken = [speaking for speaking, count in pattern for _ in range(count)]
    return [
        np.full(FRAME, (n + 1) / 8192 * (1 if speaking else -1), np.float32)
        for n, speaking in enumerate(spoken, first)
    ]


def frames_of(request: DecodeRequest) -> list[int]:
    """Return the numbers of the frames in a request; fail if one is incomplete."""
    rows = request.audio.reshape(-1, FRAME)
    assert (rows == rows[:, :1]).all()
    return [round(abs(float(row[0])) * 8192) - 1 for row in rows]


def ideal(request: DecodeRequest) -> Hypothesis:
    """Return a word per frame of speech, as a perfect recogniser would."""
    rows = request.audio.reshape(-1, FRAME)[:, 0]
    spoken = [f"w{round(float(m) * 8192) - 1}" for m in rows if m > 0]
    words = tuple(Word(w, i, i, 0.9) for i, w in enumerate(spoken)) if request.thorough else ()
    return Hypothesis(" ".join(spoken), 0.9, words)


class Run:
    """A listener whose decodes are answered by `answer`, each after `latency` frames."""

    def __init__(
        self,
        answer: Answer = ideal,
        latency: Iterator[int] | None = None,
        settings: ListenerSettings = SETTINGS,
        judge: Judge = unsure,
    ) -> None:
        self.listener = Listener(settings, Marked(), "en", "menu words", judge)
        self.events: list[ListenerEvent] = []
        self.requests: list[DecodeRequest] = []
        self._answer = answer
        self._latency = repeat(0) if latency is None else latency
        self._due: float | None = None
        self.at = 0

    def feed(self, pattern: Pattern) -> Run:
        for frame in marked(pattern, self.at):
            self.at += 1
            self.events += self.listener.push(frame, float(self.at))
            self._serve()
        return self

    def finish(self) -> Run:
        self.events += self.listener.flush(float(self.at))
        while self._due is not None or self.listener.next_decode() is not None:
            self.at += 1
            self._serve()
        return self

    def _serve(self) -> None:
        while True:
            if self._due is None and self.listener.next_decode() is not None:
                self.requests.append(self.listener.start_decode())
                assert self.listener.next_decode() is None
                self._due = self.at + next(self._latency, 0)
            if self._due is None or self._due > self.at:
                return
            self._due = None
            self.events += self.listener.decoded(self._answer(self.requests[-1]), float(self.at))

    def of(self, kind: type[ListenerEvent]) -> list[ListenerEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def texts(self) -> list[str]:
        return [e.hypothesis.text for e in self.events if isinstance(e, Final)]


def spoken_words(pattern: Pattern) -> list[str]:
    speaking = [s for s, count in pattern for _ in range(count)]
    return [f"w{n}" for n, s in enumerate(speaking) if s]


def assert_consistent(events: list[ListenerEvent]) -> None:
    """Assert what every client may rely on, whatever was said and however it was recognised."""
    numbers = [e.utterance for e in events if isinstance(e, Started)]
    assert numbers == list(range(1, len(numbers) + 1))
    concluded = [e.utterance for e in events if isinstance(e, Final | Discarded)]
    assert sorted(concluded) == numbers
    finals = [e for e in events if isinstance(e, Final)]
    assert [f.utterance for f in finals] == sorted(f.utterance for f in finals)
    assert [f.start_ms for f in finals] == sorted(f.start_ms for f in finals)
    for number in numbers:
        own = [e for e in events if e.utterance == number]
        assert isinstance(own[0], Started)
        assert isinstance(own[-1], Final | Discarded)
        assert [type(e) for e in own].count(Ended) == 1
        ended = next(i for i, e in enumerate(own) if isinstance(e, Ended))
        assert not any(isinstance(e, Partial) for e in own[ended:])
        partials = [e for e in own if isinstance(e, Partial)]
        assert [p.revision for p in partials] == list(range(1, len(partials) + 1))
        assert not (partials and isinstance(own[-1], Discarded) and not own[-1].failed)
        promised = ""
        for partial in partials:
            assert partial.stable_text.startswith(promised)
            assert partial.text.startswith(partial.stable_text)
            assert 0 <= partial.start_ms <= partial.end_ms
            promised = partial.stable_text
        if isinstance(own[-1], Final):
            assert own[-1].hypothesis.text.startswith(promised)
            assert own[-1].revision == len(partials) + 1
            assert own[-1].start_ms <= own[-1].end_ms


patterns = st.lists(st.tuples(st.booleans(), st.integers(2, 45)), min_size=1, max_size=9).map(
    lambda runs: [(False, 2), *runs]
)
latencies = st.lists(st.sampled_from([0, 1, 3, 7, 20]), max_size=40)


@given(patterns, latencies, st.lists(st.sampled_from(TurnEnd), max_size=20))
def test_every_spoken_frame_is_in_exactly_one_final_however_slow_recognition_is(
    pattern: Pattern, latency: list[int], endings: list[TurnEnd]
) -> None:
    """Nothing is lost or doubled: at pauses, however they are judged, at cuts, and at the end."""
    judged = iter(endings)
    run = Run(ideal, iter(latency), judge=lambda _: next(judged, TurnEnd.UNKNOWN))
    run.feed(pattern).finish()
    assert " ".join(run.texts).split() == spoken_words(pattern)
    assert_consistent(run.events)
    assert run.listener.settled
    assert run.listener.backlog == 0


TEXTS = ["", "two", "two burgers", "two burgers, please", "too", "and a cola", "- two"]
answers = st.lists(
    st.one_of(
        st.none(),
        st.builds(Hypothesis, st.sampled_from(TEXTS), st.sampled_from([0.0, 0.2, 0.5, 0.9])),
    ),
    max_size=60,
)


@given(patterns, answers, latencies)
def test_whatever_the_recogniser_answers_every_utterance_is_concluded_once(
    pattern: Pattern, script: list[Hypothesis | None], latency: list[int]
) -> None:
    """Silence, doubt, nonsense or failure: each announced one gets one final or one discard."""
    scripted = iter(script)
    run = Run(lambda _: next(scripted, NOTHING), iter(latency)).feed(pattern).finish()
    assert_consistent(run.events)
    assert run.listener.settled
    assert run.listener.utterances == len(run.of(Started))


@given(patterns, st.lists(st.integers(1, 3_000), max_size=30))
def test_the_size_of_what_is_pushed_does_not_matter(pattern: Pattern, sizes: list[int]) -> None:
    """Network chunks are not the frames of a detector."""
    stream = np.concatenate(marked(pattern))
    run, at = Run(), 0
    for size in [*sizes, len(stream)]:
        run.events += run.listener.push(stream[at : at + size], 0.0)
        at += size
    run.finish()
    assert " ".join(run.texts).split() == spoken_words(pattern)


def test_an_utterance_from_start_to_final() -> None:
    """Started when noticed, partials as it grows, ended, one final with times of the session."""
    run = Run().feed([(False, 10), (True, 20), (False, 20)])
    assert run.events[0] == Started(1, to_ms(10))
    partials = [e for e in run.events if isinstance(e, Partial)]
    assert [p.revision for p in partials] == list(range(1, len(partials) + 1))
    assert len(partials) >= 3
    assert run.events[-2] == Ended(1, to_ms(30))
    final = run.events[-1]
    assert isinstance(final, Final)
    assert (final.utterance, final.start_ms, final.end_ms) == (1, to_ms(10), to_ms(30))
    assert final.hypothesis.text.split() == [f"w{n}" for n in range(10, 30)]
    assert all(word.start_ms >= to_ms(10) for word in final.hypothesis.words)


def test_audio_has_a_little_of_the_silence_around_the_speech() -> None:
    """The first sound is too soft for the detector, and the last one lingers."""
    run = Run().feed([(False, 10), (True, 20), (False, 20)])
    final = [r for r in run.requests if r.thorough][-1]
    assert frames_of(final) == list(range(7, 33))
    assert final.language == "en"
    assert final.bias == "menu words"


def test_the_final_is_there_when_the_pause_has_lasted_if_speculation_was_in_time() -> None:
    """Decoding overlaps with the hangover: once the utterance has ended, no decode is needed."""
    run = Run().feed([(False, 5), (True, 10), (False, 4)])
    before = len(run.requests)
    assert run.requests[-1].thorough
    assert run.of(Final) == []
    run.feed([(False, 4)])
    assert len(run.requests) == before
    assert len(run.of(Final)) == 1


def test_a_speculation_in_flight_when_the_utterance_ends_becomes_its_final() -> None:
    """It was given the very audio that the final needs."""
    run = Run(latency=iter([0, 0, 7])).feed([(False, 5), (True, 11), (False, 9)])
    assert [e for e in run.events if isinstance(e, Ended)]
    thorough = [r for r in run.requests if r.thorough]
    run.feed([(False, 9)])
    assert len(thorough) == 1
    assert len([r for r in run.requests if r.thorough]) == 1
    assert run.texts == [" ".join(f"w{n}" for n in range(5, 16))]


def test_a_speculation_is_thrown_away_when_speech_goes_on() -> None:
    """The guest was only thinking: the final also has what came after the pause."""
    run = Run().feed([(False, 5), (True, 10), (False, 5), (True, 10), (False, 20)])
    assert len([r for r in run.requests if r.thorough]) == 2
    assert run.texts == [" ".join([f"w{n}" for n in [*range(5, 15), *range(20, 30)]])]


def test_a_speculation_is_not_repeated_during_one_pause() -> None:
    """Its audio would be the same."""
    run = Run().feed([(False, 5), (True, 10), (False, 7)])
    assert len([r for r in run.requests if r.thorough]) == 1


def paused(ending: TurnEnd, latency: int = 0, confidence: float = 0.9) -> Run:
    """Return a run that has heard 10 frames of speech; its judge always returns `ending`."""
    run = Run(
        lambda r: replace(ideal(r), confidence=confidence),
        repeat(latency),
        judge=lambda _: ending,
    )
    return run.feed([(False, 5), (True, 10)])


def test_whole_words_are_final_after_a_short_pause() -> None:
    """A guest who has said everything need not wait as long as one who may go on."""
    assert paused(TurnEnd.FINISHED).feed([(False, 3)]).texts == []
    assert len(paused(TurnEnd.FINISHED).feed([(False, 4)]).texts) == 1
    assert paused(TurnEnd.UNKNOWN).feed([(False, 7)]).texts == []
    assert len(paused(TurnEnd.UNKNOWN).feed([(False, 8)]).texts) == 1


def test_a_judgement_that_comes_after_the_short_pause_ends_it_at_once() -> None:
    """No further frame is needed: the next chunk may be a tenth of a second away."""
    run = paused(TurnEnd.FINISHED, latency=3).feed([(False, 6)])
    assert len(run.texts) == 1
    assert run.listener.next_decode() is None


def test_whole_words_that_were_hardly_understood_end_nothing_sooner() -> None:
    """They may be other words, which are not whole."""
    assert paused(TurnEnd.FINISHED, confidence=0.4).feed([(False, 7)]).texts == []


def test_words_that_break_off_are_waited_for_longer() -> None:
    """A guest who looks for a word has not finished."""
    assert paused(TurnEnd.OPEN).feed([(False, 13)]).texts == []
    assert len(paused(TurnEnd.OPEN).feed([(False, 14)]).texts) == 1
    run = paused(TurnEnd.OPEN).feed([(False, 13), (True, 10), (False, 14)])
    assert run.texts == [" ".join(f"w{n}" for n in [*range(5, 15), *range(28, 38)])]


def test_a_judgement_holds_for_its_own_pause_only() -> None:
    """The words before the next pause are others."""
    endings = iter([TurnEnd.OPEN, TurnEnd.UNKNOWN])
    run = Run(judge=lambda _: next(endings))
    run.feed([(False, 5), (True, 10), (False, 10), (True, 10), (False, 8)])
    assert len(run.texts) == 1


def test_a_judgement_of_words_that_speech_has_left_behind_ends_nothing() -> None:
    """The decode was slow, and the guest goes on already."""
    run = Run(ideal, iter([0, 0, 6]), judge=lambda _: TurnEnd.FINISHED)
    run.feed([(False, 5), (True, 10), (False, 5), (True, 10)])
    assert run.texts == []


def test_the_words_judged_are_those_of_the_final() -> None:
    """With what was promised in place of what the last decode heard instead."""
    judged: list[str] = []

    def judge(text: str) -> TurnEnd:
        judged.append(text)
        return TurnEnd.FINISHED

    run = Run(judge=judge).feed([(False, 5), (True, 30), (False, 10)])
    assert judged == run.texts


def test_partials_come_every_interval_and_with_the_newest_audio() -> None:
    """A decode that had to wait hears what has been said meanwhile."""
    run = Run(latency=iter([12])).feed([(False, 2), (True, 30)])
    ends = [frames_of(r)[-1] for r in run.requests]
    assert ends[:3] == [6, 18, 23]


def test_until_something_is_shown_it_is_tried_again_soon() -> None:
    """The first words are often unsure; a screen must not stay empty for a whole interval more."""
    settings = replace(SETTINGS, first_partial=4, first_partial_retry=2, partial_interval=10)

    def answer(request: DecodeRequest) -> Hypothesis:
        return replace(ideal(request), confidence=0.9 if len(frames_of(request)) > 8 else 0.1)

    run = Run(answer, settings=settings).feed([(False, 2), (True, 30)])
    assert [frames_of(r)[-1] for r in run.requests] == [5, 7, 9, 19, 29]


def test_where_no_words_are_heard_it_is_not_tried_so_often() -> None:
    """Noise must not cost more than speech."""
    settings = replace(SETTINGS, first_partial=4, first_partial_retry=2, partial_interval=10)
    run = Run(lambda _: NOTHING, settings=settings).feed([(False, 2), (True, 20)])
    assert [frames_of(r)[-1] for r in run.requests] == [5, 7, 9, 11, 21]


def test_an_ended_utterance_goes_before_the_partials_of_the_next() -> None:
    """Finals first: partials of the speech in progress can wait."""
    run = Run(latency=iter([30, 0]))
    run.feed([(False, 2), (True, 10), (False, 9), (True, 18)])
    assert [r.thorough for r in run.requests[:2]] == [False, True]
    assert frames_of(run.requests[1])[-1] == 14


def urgencies(answer: Answer, latency: Iterator[int], pattern: Pattern) -> list[Urgency]:
    """Return the urgency of each decode that a listener needs."""
    run, seen = Run(answer, latency), []
    start = run.listener.start_decode

    def record() -> DecodeRequest:
        need = run.listener.next_decode()
        assert need is not None
        seen.append(need.urgency)
        return start()

    run.listener.start_decode = record  # type: ignore[method-assign]
    run.feed(pattern)
    return seen


def test_the_decode_that_may_end_an_utterance_in_noise_does_not_wait_behind_all_partials() -> None:
    """Its guest waits for the final, while on a busy machine partials may wait for ever."""

    def answer(request: DecodeRequest) -> Hypothesis:
        words = [f"w{n}" for n in frames_of(request) if 5 <= n < 20]
        return Hypothesis(" ".join(words), 0.9)

    # The decode that hears the last word ends at frame 19; 30 more frames pass before any hurry.
    needed = urgencies(answer, repeat(0), [(False, 5), (True, 45)])
    expected = [Urgency.FIRST_PARTIAL, *[Urgency.PARTIAL] * 7, Urgency.STALLED, Urgency.FINAL]
    assert needed[: len(expected)] == expected
    # If the only partial so far came early, twice that time passes first.
    needed = urgencies(answer, iter([65, 0]), [(False, 5), (True, 72)])
    assert needed == [Urgency.FIRST_PARTIAL, Urgency.STALLED]


def test_a_lane_of_mere_noise_is_not_always_in_a_hurry() -> None:
    """Each cut begins an utterance although nobody has begun to speak."""
    needed = urgencies(lambda _: NOTHING, repeat(0), [(False, 5), (True, 300)])
    assert needed.count(Urgency.FIRST_PARTIAL) == 4
    assert needed.count(Urgency.STALLED) <= 300 // (SETTINGS.no_progress // 2)


def test_the_stream_may_end_without_silence() -> None:
    """The last words are not lost with the connection that carried them."""
    run = Run().feed([(False, 5), (True, 17)]).finish()
    assert run.texts == [" ".join(f"w{n}" for n in range(5, 22))]


def test_the_last_samples_need_not_fill_a_frame() -> None:
    """Less than 32 ms at the very end still belong to the last word."""
    run = Run(lambda r: Hypothesis(str(len(r.audio)), 0.9))
    run.events += run.listener.push(np.concatenate(marked([(True, 10)])), 0.0)
    run.events += run.listener.push(np.full(200, 0.01, np.float32), 0.0)
    run.finish()
    assert run.texts == [str(11 * FRAME)]


def test_pause_ends_the_utterance_in_progress() -> None:
    """When no audio comes any more, its end cannot be heard."""
    run = Run().feed([(False, 5), (True, 12)])
    run.events += run.listener.pause(20.0)
    run.feed([(True, 12), (False, 12)])
    assert [t.split()[0] for t in run.texts] == ["w5", "w17"]
    assert_consistent(run.events)


@pytest.mark.parametrize("text", ["", "uh"])
def test_what_nobody_said_is_discarded(text: str) -> None:
    """Noise that the detector takes for speech gives no transcript."""
    run = Run(lambda _: Hypothesis(text, 0.1)).feed([(False, 5), (True, 10), (False, 20)])
    assert [type(e) for e in run.events] == [Started, Ended, Discarded]
    assert run.events[-1] == Discarded(1, failed=False)


def test_what_was_shown_is_never_discarded() -> None:
    """A client that has seen a partial gets a final, though the last decode doubts it."""
    sure = iter([Hypothesis("two burgers", 0.9)])
    run = Run(lambda _: next(sure, NOTHING)).feed([(False, 5), (True, 10), (False, 20)])
    assert len(run.of(Partial)) == 1
    assert len(run.of(Final)) == 1


def test_a_failed_final_is_tried_again_once() -> None:
    """One lost decode costs no words."""
    failing = iter([None])

    def answer(request: DecodeRequest) -> Hypothesis | None:
        return next(failing, ideal(request)) if request.thorough else NOTHING

    settings = replace(SETTINGS, speculate=100)
    run = Run(answer, settings=settings).feed([(False, 5), (True, 10), (False, 20)])
    assert run.texts == [" ".join(f"w{n}" for n in range(5, 15))]


def test_a_final_that_fails_twice_is_given_up_and_said_to_have_failed() -> None:
    """The client is told that there was speech that could not be recognised."""
    run = Run(lambda _: None).feed([(False, 5), (True, 10), (False, 20)])
    assert run.events[-1] == Discarded(1, failed=True)
    assert run.listener.settled


def test_what_fails_behind_a_cut_is_said_to_have_failed_as_well() -> None:
    """It has not been announced, but the guest may have said something there."""
    run = Run(lambda r: None if r.thorough and frames_of(r)[0] > 20 else ideal(r))
    run.feed([(False, 5), (True, 120), (False, 20)]).finish()
    assert Discarded(2, failed=True) in run.events
    assert_consistent(run.events)


def test_failed_partials_cost_nothing_but_themselves() -> None:
    """The next one comes at the next interval."""
    results = iter([None, None])
    run = Run(lambda r: next(results, ideal(r))).feed([(False, 5), (True, 30), (False, 20)])
    assert run.texts == [" ".join(f"w{n}" for n in range(5, 35))]


def test_events_carry_calibrated_confidences_but_decisions_use_the_decoders_own() -> None:
    """Calibration explains confidences; it neither lets noise through nor holds words back."""
    hopeful, gloomy = Calibration(offset=3.0), Calibration(offset=-3.0)
    pattern = [(False, 5), (True, 20), (False, 20)]
    doubted = Run(lambda _: Hypothesis("thank you", 0.2, calibration=hopeful)).feed(pattern)
    assert doubted.texts == []
    run = Run(lambda request: replace(ideal(request), calibration=gloomy)).feed(pattern)
    told = [e.hypothesis.words[0].confidence for e in run.events if isinstance(e, Final)]
    told += [e.hypothesis.confidence for e in run.events if isinstance(e, Final)]
    told += [e.confidence for e in run.events if isinstance(e, Partial)]
    assert len(told) > 3
    assert told == pytest.approx([gloomy(0.9)] * len(told))


def test_an_utterance_without_new_words_is_ended_although_the_detector_hears_speech() -> None:
    """With a running engine in the lane, no detector hears a pause."""

    def answer(request: DecodeRequest) -> Hypothesis:
        heard = [n for n in frames_of(request) if 5 <= n < 20]
        words = " ".join(f"w{n}" for n in heard)
        return Hypothesis(words, 0.9 if words else 0.0)

    run = Run(answer).feed([(False, 5), (True, 70)])
    assert run.texts == [" ".join(f"w{n}" for n in range(5, 20))]
    run.feed([(True, 80), (False, 20)]).finish()
    assert len(run.of(Started)) == 1
    assert_consistent(run.events)


def test_words_after_an_end_without_progress_are_announced_when_they_come() -> None:
    """The noise goes on, then the guest speaks again: a new utterance without a new onset."""

    def answer(request: DecodeRequest) -> Hypothesis:
        words = [f"w{n}" for n in frames_of(request) if 5 <= n < 20 or 90 <= n < 110]
        return Hypothesis(" ".join(words), 0.9 if words else 0.0)

    run = Run(answer).feed([(False, 5), (True, 120), (False, 20)]).finish()
    expected = [" ".join(f"w{n}" for n in part) for part in (range(5, 20), range(90, 110))]
    assert run.texts == expected
    assert len(run.of(Started)) == 2
    assert_consistent(run.events)


def test_numbers_count_in_the_order_of_speech_when_a_late_one_turns_out_to_be_words() -> None:
    """Clients drop a final that is not newer than the last one they have."""
    # Noise after a cut ends in a pause, and its words are only found by the final decode, when the
    # next utterance has begun.
    found = range(60, 66)

    def answer(request: DecodeRequest) -> Hypothesis:
        numbers = frames_of(request)
        heard = [n for n in numbers if 5 <= n < 20 or n >= 75 or (request.thorough and n in found)]
        return Hypothesis(" ".join(f"w{n}" for n in heard), 0.9 if heard else 0.0)

    def latency() -> Iterator[int]:
        while True:
            yield 25 if run.at > 62 else 0

    run = Run(answer, latency(), replace(SETTINGS, speculate=100))
    run.feed([(False, 5), (True, 61), (False, 9), (True, 20), (False, 20)]).finish()
    assert "w60" in " ".join(run.texts)
    assert_consistent(run.events)


def test_speech_without_a_pause_is_cut_and_nothing_of_it_is_lost() -> None:
    """Whisper hears 30 s at most; a speech of an hour is many utterances."""
    pattern = [(False, 5), (True, 400), (False, 20)]
    run = Run().feed(pattern).finish()
    assert len(run.texts) >= 4
    assert " ".join(run.texts).split() == spoken_words(pattern)
    assert all(len(r.audio) <= 95 * FRAME for r in run.requests)


def test_speech_that_was_cut_before_any_decode_came_back_is_still_recognised() -> None:
    """A busy machine is late, but must not take undecoded audio for noise."""
    pattern = [(False, 5), (True, 120), (False, 20)]
    run = Run(latency=iter([150])).feed(pattern).finish()
    assert " ".join(run.texts).split() == spoken_words(pattern)
    assert_consistent(run.events)


def test_steady_noise_costs_no_more_the_longer_it_lasts() -> None:
    """Audio without words is dropped; otherwise every decode would cover half a minute."""
    run = Run(lambda _: NOTHING).feed([(False, 5), (True, 1_000)])
    assert max(len(r.audio) for r in run.requests) < 2 * SETTINGS.no_progress * FRAME
    assert [type(e) for e in run.events] == [Started, Ended, Discarded]


def test_silence_needs_no_decode_and_keeps_no_audio() -> None:
    """An idle lane costs no decode, and its audio is forgotten."""
    run = Run().feed([(False, 2_000)])
    assert run.events == []
    assert run.requests == []
    assert len(run.listener._timeline._frames) <= 10


def test_backlog_counts_what_waits_for_finals() -> None:
    """Sessions refuse audio when it grows too large."""
    run = Run(latency=repeat(10_000))
    run.feed([(False, 5), (True, 10), (False, 10), (True, 10), (False, 10)])
    assert run.listener.backlog >= 20
    assert run.listener.speaking is False
    assert run.listener.settled is False


def test_answers_without_a_question_are_our_own_mistake() -> None:
    """A faulty caller is found at once."""
    with pytest.raises(RuntimeError):
        Run().listener.start_decode()
    with pytest.raises(RuntimeError):
        Run().listener.decoded(NOTHING, 0.0)


def test_unclear_speech_needs_a_higher_confidence() -> None:
    """A horn that the detector half takes for speech must not become "Thank you."."""
    for confidence, told in ((0.5, []), (0.8, ["thank you"])):
        listener = Listener(SETTINGS, Level(), "en", "", unsure)
        said: list[str] = []
        chunk = np.full(FRAME, 0.55, np.float32)
        pause = np.zeros(FRAME, np.float32)
        for frame in [chunk] * 20 + [pause] * 20:
            for event in listener.push(frame, 0.0):
                said += [event.hypothesis.text] if isinstance(event, Final) else []
            while listener.next_decode() is not None:
                listener.start_decode()
                for event in listener.decoded(Hypothesis("thank you", confidence), 0.0):
                    said += [event.hypothesis.text] if isinstance(event, Final) else []
        assert said == told


class Level:
    """A detector for which the level of a frame is its speech probability."""

    def probability(self, frame: NDArray[np.float32]) -> float:
        return float(frame.max())


@pytest.mark.parametrize(
    ("amplitude", "confidence", "heard"),
    [(0.1, 0.7, False), (0.1, 0.9, True), (0.3, 0.5, True), (0.5, 0.5, True)],
)
def test_what_is_much_fainter_than_the_guest_is_told_as_overheard_unless_it_is_sure(
    amplitude: float, confidence: float, heard: bool
) -> None:
    """People in the background talk as well; their words are still sent."""
    events = spoken([(0.5, 0.9), (amplitude, confidence)], noise=0.001)
    assert overheard(events) == [False, not heard]
    assert not any(isinstance(e, Discarded) for e in events)


@pytest.mark.parametrize(
    ("level", "lead", "confidence", "heard"),
    [
        (0.12, 100, 0.5, False),
        (0.12, 100, 0.7, True),
        (0.2, 100, 0.5, True),
        (0.12, 20, 0.5, True),
    ],
)
def test_what_does_not_stand_out_before_the_guest_speaks_is_overheard_if_it_is_unsure(
    level: float, lead: int, confidence: float, heard: bool
) -> None:
    """Babble is taken for speech; the noise has an amplitude of 0.1.

    While little has been heard, there is nothing to stand out from.
    """
    assert overheard(spoken([(level, confidence)], noise=0.1, lead=lead)) == [not heard]


@pytest.mark.parametrize(
    ("level", "noise", "confidence", "heard"),
    [
        (0.12, 0.1, 0.7, False),
        (0.12, 0.1, 0.9, True),
        (0.19, 0.1, 0.7, True),
        (0.12, 0.001, 0.7, True),
    ],
)
def test_what_neither_stands_out_nor_is_as_loud_as_the_guest_is_overheard_if_it_is_unsure(
    level: float, noise: float, confidence: float, heard: bool
) -> None:
    """The guest has an amplitude of 0.2. In a quiet room, faint speech is the guest's."""
    events = spoken([(0.2, 0.9), (level, confidence)], noise=noise, lead=100)
    assert overheard(events) == [False, not heard]


def spoken(said: list[tuple[float, float]], *, noise: float, lead: int = 0) -> list[ListenerEvent]:
    """Return the events of utterances (amplitude, confidence) in noise, after `lead` frames."""
    listener = Listener(SETTINGS, Marked(), "en", "", unsure)
    events = listener.push(np.full(lead * FRAME, -noise, np.float32), 0.0)
    for level, confidence in said:
        for value in [level] * 20 + [-noise] * 20:
            events += listener.push(np.full(FRAME, value, np.float32), 0.0)
            while listener.next_decode() is not None:
                listener.start_decode()
                events += listener.decoded(Hypothesis("a burger", confidence), 0.0)
    return events


def overheard(events: list[ListenerEvent]) -> list[bool]:
    """Return, for each final, whether it is marked as overheard."""
    return [e.overheard for e in events if isinstance(e, Final)]


def signs(run: Run) -> list[ListenerEvent]:
    """Return what was told of the ends of utterances."""
    return [e for e in run.events if isinstance(e, EndLikely | EndUnlikely | Ended)]


def test_a_final_is_told_in_advance_while_it_is_tried() -> None:
    """A reply can be prepared during the rest of the pause; the text is the final's."""
    run = Run().feed([(True, 10), (False, 20)]).finish()
    likely, ended = signs(run)
    [final] = [e for e in run.events if isinstance(e, Final)]
    assert isinstance(likely, EndLikely)
    assert (likely.utterance, likely.at_ms) == (1, to_ms(10))
    assert likely.text == final.hypothesis.text
    assert likely.confidence == pytest.approx(0.9)
    assert ended == Ended(1, to_ms(10))
    assert run.events.index(likely) < run.events.index(ended) < run.events.index(final)


def test_a_pause_that_does_not_last_is_taken_back() -> None:
    """Once, where speech goes on; the end itself is told once and is final."""
    run = Run().feed([(True, 10), (False, 5), (True, 10), (False, 20)]).finish()
    kinds = [type(sign) for sign in signs(run)]
    assert kinds == [EndLikely, EndUnlikely, EndLikely, Ended]
    assert signs(run)[1] == EndUnlikely(1, to_ms(15))


def test_what_would_not_be_final_is_not_told_to_be() -> None:
    """Nor is a pause in which nothing was understood."""

    def mumbled(request: DecodeRequest) -> Hypothesis:
        return replace(ideal(request), confidence=0.1 if request.thorough else 0.9)

    run = Run(mumbled).feed([(True, 10), (False, 5), (True, 3), (False, 20)]).finish()
    assert [type(sign) for sign in signs(run)] == [Ended]


@given(st.lists(st.tuples(st.integers(1, 25), st.integers(1, 12)), min_size=1, max_size=6))
def test_likely_and_unlikely_take_turns_and_the_end_comes_once(
    stretches: list[tuple[int, int]],
) -> None:
    """Whatever the pauses: nothing is taken back that was not told, nor after the end."""
    pattern = [p for said, quiet in stretches for p in ((True, said), (False, quiet))]
    run = Run().feed([*pattern, (False, 20)]).finish()
    for number in range(1, run.listener.utterances + 1):
        told = [type(s) for s in signs(run) if s.utterance == number]
        assert told.count(Ended) == 1
        assert told[-1] is Ended
        pairs = told[:-1]
        assert pairs[::2] == [EndLikely] * len(pairs[::2])
        assert pairs[1::2] == [EndUnlikely] * len(pairs[1::2])


def test_a_final_tells_how_many_words_that_were_shown_are_gone() -> None:
    """A decoder that stops too early writes half an order; the partials had more of it."""

    def stops_early(request: DecodeRequest) -> Hypothesis:
        return Hypothesis("a coke" if request.thorough else "a coke with lemon", 0.4)

    for answer, lost in ((stops_early, 2), (ideal, 0)):
        run = Run(answer).feed([(False, 2), (True, 12), (False, 10)])
        [final] = [event for event in run.events if isinstance(event, Final)]
        assert final.lost == lost
