"""Samples of one session to utterances: detects speech, plans decodes, settles finals.

Pure: time is an argument and only orders the wishes of many listeners. The caller recognises what
`start_decode` gives out and hands the answer to `decoded`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from voice_service.asr.calibration import RAW, Calibration
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.needs import DecodeNeed, Urgency
from voice_service.audio.formats import Framer, Samples
from voice_service.utterances.background import BackgroundModel
from voice_service.utterances.endpointing import (
    Endpointer,
    EndpointEvent,
    SpeechEnded,
    SpeechStarted,
)
from voice_service.utterances.events import Discarded, Ended, Final, ListenerEvent, Partial, Started
from voice_service.utterances.settings import ListenerSettings, to_ms
from voice_service.utterances.turn_end import Judge, by_marks
from voice_service.utterances.utterance import Timeline, Utterance
from voice_service.utterances.vad import FRAME, SpeechDetector

_MAX_ATTEMPTS = 2
"""Decodes of one final, if recognition fails."""
_FALLBACK_CONFIDENCE = 0.2
_NOTHING_HEARD = 2
"""Quick decodes in a row without a new word, before it is believed that there is none."""


@dataclass(slots=True)
class _Waiting:
    """An ended utterance whose final is still to be recognised."""

    utterance: Utterance
    audio: Samples
    since: float
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class _InFlight:
    """The decode in flight: of what, how far it listens and where speech had paused."""

    utterance: Utterance
    urgency: Urgency
    heard_to: int
    paused_at: int


class Listener:
    """See the module. One decode at a time is in flight; finals come out in order.

    `judge` says how the words before a pause stand.
    Decisions are taken on the decoder's own probabilities, on which their bounds were measured;
    what is told has calibrated confidences.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        detector: SpeechDetector,
        language: str,
        bias: str,
        judge: Judge = by_marks,
        calibration: Calibration = RAW,
    ) -> None:
        self._calibration = calibration
        self._settings = settings
        self._detector = detector
        self._language = language
        self._bias = bias
        self._judge = judge
        self._framer = Framer(FRAME)
        self._endpointer = Endpointer(settings.endpoint)
        self._timeline = Timeline()
        self._current: Utterance | None = None
        self._waiting: deque[_Waiting] = deque()
        self._in_flight: _InFlight | None = None
        self._planned: DecodeNeed | None = None
        self._count = 0
        self._audio_end = 0
        self._surroundings = BackgroundModel(settings.surroundings)
        self._noise = False
        """Whether the utterance before was cut because there were no words in it."""

    @property
    def utterances(self) -> int:
        """How many utterances have been announced."""
        return self._count

    @property
    def backlog(self) -> int:
        """Frames of ended utterances that wait for their final."""
        return sum(len(w.audio) for w in self._waiting) // FRAME

    @property
    def speaking(self) -> bool:
        """Whether an utterance is in progress."""
        return self._current is not None

    @property
    def settled(self) -> bool:
        """Whether no final is owed."""
        return self._current is None and not self._waiting

    def push(self, samples: Samples, now: float) -> list[ListenerEvent]:
        """Take the next audio."""
        return self._hear(self._framer.push(samples), now)

    def pause(self, now: float) -> list[ListenerEvent]:
        """End the utterance in progress: no audio comes, so its end cannot be heard."""
        return self._follow(self._endpointer.flush(), now)

    def flush(self, now: float) -> list[ListenerEvent]:
        """Take what is left of the audio and end the utterance in progress: nothing more comes."""
        return [*self._hear(self._framer.flush(), now), *self.pause(now)]

    def next_decode(self) -> DecodeNeed | None:
        """The decode that is wanted next; None while one is in flight."""
        if self._in_flight is not None:
            return None
        if self._waiting:
            return self._want(Urgency.FINAL, self._waiting[0].since)
        return self._planned

    def start_decode(self) -> DecodeRequest:
        """The newest audio for what `next_decode` names. Call `decoded` with the answer."""
        wish = self.next_decode()
        if wish is None:
            raise RuntimeError("nothing is wanted")
        if wish.urgency is Urgency.FINAL:
            waiting = self._waiting[0]
            waiting.attempts += 1
            self._in_flight = _InFlight(waiting.utterance, Urgency.FINAL, 0, 0)
            return self._request(waiting.audio, wish)
        utterance, self._planned = self._speaking_utterance(), None
        paused_at, heard_to = self._endpointer.last_speech, self._endpointer.position
        utterance.heard_to = heard_to
        if wish.urgency is Urgency.SPECULATIVE:
            utterance.speculated, utterance.settled = paused_at, None
            heard_to = self._audio_stop(paused_at)
        self._in_flight = _InFlight(utterance, wish.urgency, heard_to, paused_at)
        audio = self._timeline.slice(utterance.audio_start, heard_to)
        return self._request(audio, wish)

    def decoded(self, hypothesis: Hypothesis | None, now: float) -> list[ListenerEvent]:
        """Take the answer to `start_decode`; None if recognition failed."""
        job, self._in_flight = self._in_flight, None
        if job is None:
            raise RuntimeError("no decode is in flight")
        if job.utterance.ended is None:
            events = [] if hypothesis is None else self._progress(job, hypothesis, now)
        elif job.urgency is Urgency.FINAL or (
            job.urgency is Urgency.SPECULATIVE and job.paused_at == job.utterance.ended
        ):
            events = self._conclude(hypothesis)
        else:
            events = []
        self._plan(now)
        return events

    # Frames

    def _hear(self, new: list[Samples], now: float) -> list[ListenerEvent]:
        events: list[ListenerEvent] = []
        for frame in new:
            self._timeline.append(frame)
            power = float(np.mean(np.square(frame)))
            self._surroundings.hear(power)
            probability = self._detector.probability(frame)
            events += self._follow(self._endpointer.push(probability), now)
            if self._current is not None:
                self._current.sound(power, probability)
        if self._current is None:
            keep = self._settings.pre_roll + self._settings.endpoint.confirm
            self._timeline.forget_before(self._endpointer.position - keep)
        self._plan(now)
        return events

    def _follow(self, events: list[EndpointEvent], now: float) -> list[ListenerEvent]:
        told: list[ListenerEvent] = []
        for event in events:
            if isinstance(event, SpeechStarted):
                start = event.at if event.resumed else event.at - self._settings.pre_roll
                self._current = Utterance(event.at, max(start, self._audio_end, 0))
                if event.resumed and self._noise:
                    self._current.unchanged = _NOTHING_HEARD
                self._timeline.forget_before(self._current.audio_start)
                if not event.resumed:
                    told += self._announce(self._current)
            else:
                told += self._end(event, now)
        return told

    def _end(self, event: SpeechEnded, now: float) -> list[ListenerEvent]:
        utterance, self._current, self._planned = self._speaking_utterance(), None, None
        utterance.ended, utterance.floor = event.at, self._surroundings.floor
        cut = self._endpointer.started is not None
        self._audio_end = event.at if cut else self._audio_stop(event.at)
        told: list[ListenerEvent] = []
        if utterance.number is not None:
            told.append(Ended(utterance.number, to_ms(event.at)))
        self._noise = cut and utterance.wordless and utterance.unchanged >= _NOTHING_HEARD
        if self._noise:
            return told + self._discard(utterance)
        audio = self._timeline.slice(utterance.audio_start, self._audio_end)
        self._waiting.append(_Waiting(utterance, audio, now))
        guessed = utterance.settled if utterance.speculated == event.at else None
        if guessed is not None and len(self._waiting) == 1:
            told += self._finish(guessed)
        return told

    def _announce(self, utterance: Utterance) -> list[ListenerEvent]:
        """Numbers count in the order of speech: earlier ones that may yet hold words come first."""
        told: list[ListenerEvent] = []
        waiting = (w.utterance for w in self._waiting if w.utterance.started < utterance.started)
        for one in [*(u for u in waiting if u.number is None), utterance]:
            self._count += 1
            one.number = self._count
            told.append(Started(one.number, to_ms(one.started)))
            if one.ended is not None:
                told.append(Ended(one.number, to_ms(one.ended)))
        return told

    def _announced(self, utterance: Utterance) -> list[ListenerEvent]:
        return [] if utterance.number is not None else self._announce(utterance)

    # Decodes

    def _plan(self, now: float) -> None:
        urgency = self._choose_urgency()
        if urgency is None:
            self._planned = None
        elif self._planned is None or self._planned.urgency is not urgency:
            self._planned = self._want(urgency, now)

    def _choose_urgency(self) -> Urgency | None:
        utterance = self._current
        if utterance is None:
            return None
        settings = self._settings
        position, pause = self._endpointer.position, self._endpointer.pause
        if pause >= settings.speculate:
            done = utterance.speculated == self._endpointer.last_speech
            return None if done else Urgency.SPECULATIVE
        hopeful = not utterance.revision and utterance.unchanged < _NOTHING_HEARD
        interval = settings.first_partial if hopeful else settings.partial_interval
        if position - max(utterance.heard_to, utterance.started) < interval:
            return None
        if hopeful:
            return Urgency.FIRST_PARTIAL
        # Where partials are late anyway, no new text says little: it may not have been looked for.
        patience = settings.no_progress * (1 if utterance.unchanged else 2)
        stalled = position - utterance.changed_at >= patience
        return Urgency.STALLED if stalled else Urgency.PARTIAL

    def _want(self, urgency: Urgency, since: float) -> DecodeNeed:
        return DecodeNeed(urgency, since, self._language, self._bias)

    def _request(self, audio: Samples, wish: DecodeNeed) -> DecodeRequest:
        return DecodeRequest(audio, wish.language, wish.urgency.thorough, wish.bias)

    def _progress(self, job: _InFlight, hypothesis: Hypothesis, now: float) -> list[ListenerEvent]:
        """A hypothesis for the utterance that is still being spoken."""
        utterance = job.utterance
        least = self._least_confidence(utterance, self._settings.min_partial_confidence)
        sure = utterance.revision or hypothesis.confidence >= least
        # What a cut at the hard limit may put into the next utterance is not promised in this one.
        limits = self._settings.endpoint
        promise = job.heard_to - utterance.started < limits.hard_limit - limits.cut_window
        told: list[ListenerEvent] = []
        if not sure:
            utterance.doubt(hypothesis, job.heard_to)
        elif utterance.hear(hypothesis, job.heard_to, promise):
            told += self._announced(utterance)
            told.append(self._partial(utterance, job.heard_to, hypothesis))
        if job.urgency is Urgency.SPECULATIVE and job.paused_at == self._endpointer.last_speech:
            utterance.settled = hypothesis
            told += self._weigh_pause(utterance, hypothesis, now) if sure else []
        return told + self._end_without_progress(utterance, job.heard_to, now)

    def _weigh_pause(
        self, utterance: Utterance, hypothesis: Hypothesis, now: float
    ) -> list[ListenerEvent]:
        """The words before this pause are known: they say how long to wait for more."""
        words = utterance.settle(hypothesis).text
        hangover = self._settings.patience.hangover(self._judge(words), hypothesis.confidence)
        return [] if hangover is None else self._follow(self._endpointer.wait(hangover), now)

    def _partial(self, utterance: Utterance, heard_to: int, hypothesis: Hypothesis) -> Partial:
        utterance.revision += 1
        return Partial(
            utterance=utterance.number or 0,
            revision=utterance.revision,
            start_ms=to_ms(utterance.started),
            end_ms=to_ms(heard_to),
            text=utterance.text,
            stable_text=utterance.stable.text,
            confidence=hypothesis.calibrated(self._calibration).confidence,
        )

    def _end_without_progress(
        self, utterance: Utterance, heard_to: int, now: float
    ) -> list[ListenerEvent]:
        """The second way to end an utterance: noise keeps the detector on, but no words come."""
        still_for = heard_to - utterance.changed_at
        if utterance.agreeing < _NOTHING_HEARD or still_for < self._settings.no_progress:
            return []
        # Of mere noise only the newest part is kept, in which a word may just be beginning.
        kept = (
            utterance.changed_at if utterance.text else heard_to - self._settings.no_progress // 2
        )
        events = self._endpointer.cut(kept + self._settings.post_roll)
        return self._follow(events, now)

    # Finals

    def _conclude(self, hypothesis: Hypothesis | None) -> list[ListenerEvent]:
        """The answer for the utterance that waits longest."""
        waiting = self._waiting[0]
        if hypothesis is None:
            if waiting.attempts < _MAX_ATTEMPTS:
                return []
            utterance = self._waiting.popleft().utterance
            return [*self._announced(utterance), Discarded(utterance.number or 0, failed=True)]
        return self._finish(hypothesis)

    def _finish(self, hypothesis: Hypothesis) -> list[ListenerEvent]:
        utterance = self._waiting.popleft().utterance
        shown = utterance.revision > 0
        least = self._least_confidence(utterance, self._settings.min_confidence)
        heard = hypothesis.text and hypothesis.confidence >= least
        if not heard and not shown:
            return self._discard(utterance)
        end = utterance.started if utterance.ended is None else utterance.ended
        overheard = self._surroundings.is_background(
            utterance.power, utterance.floor, hypothesis.confidence
        )
        hypothesis = hypothesis.calibrated(self._calibration)
        if not hypothesis.text and utterance.text:
            # The thorough decode went round in circles: better what was shown than nothing.
            hypothesis = Hypothesis(utterance.text, _FALLBACK_CONFIDENCE)
        told = self._announced(utterance)
        shift = to_ms(utterance.audio_start)
        hypothesis = utterance.settle(hypothesis)
        utterance.revision += 1
        final = Final(
            utterance=utterance.number or 0,
            revision=utterance.revision,
            start_ms=to_ms(utterance.started),
            end_ms=to_ms(end),
            hypothesis=hypothesis.placed(shift, to_ms(utterance.started)),
            overheard=overheard,
        )
        return [*told, final]

    def _least_confidence(self, utterance: Utterance, otherwise: float) -> float:
        """The confidence at which text counts as heard, by how clearly there was speech at all."""
        if utterance.peak >= self._settings.clear_speech:
            return otherwise
        return max(otherwise, self._settings.unclear_confidence)

    def _discard(self, utterance: Utterance) -> list[ListenerEvent]:
        return [] if utterance.number is None else [Discarded(utterance.number, failed=False)]

    # Places

    def _audio_stop(self, speech_end: int) -> int:
        return min(self._endpointer.position, speech_end + self._settings.post_roll)

    def _speaking_utterance(self) -> Utterance:
        if self._current is None:
            raise RuntimeError("no utterance is in progress")
        return self._current
