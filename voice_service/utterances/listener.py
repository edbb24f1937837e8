"""Turn one session's samples into utterances: detect speech, plan decodes, settle finals.

Pure: time is an argument and only orders the needs of many listeners. The caller recognises what
`start_decode` returns and passes the answer to `decoded`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

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
from voice_service.utterances.events import (
    Discarded,
    Ended,
    EndLikely,
    EndUnlikely,
    ListenerEvent,
    Started,
)
from voice_service.utterances.languages import SpokenLanguages
from voice_service.utterances.planning import (
    HOPEFUL_TRIES,
    NOTHING_HEARD,
    InFlight,
    WaitingFinal,
    choose_urgency,
    least_confidence,
)
from voice_service.utterances.settings import ListenerSettings, to_ms
from voice_service.utterances.transcripts import final, partial
from voice_service.utterances.turn_end import Judge, by_marks
from voice_service.utterances.utterance import Timeline, Utterance
from voice_service.utterances.vad import FRAME, SpeechDetector

_MAX_ATTEMPTS = 2
"""Decodes of one final before it is given up, if recognition fails."""


class Listener:
    """See the module. At most one decode is in flight; finals come out in order.

    `judge` tells whether the words before a pause are complete. Decisions are made on the decoder's
    own probabilities, for which their bounds were measured; events carry calibrated confidences.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        detector: SpeechDetector,
        language: str,
        bias: str,
        judge: Judge = by_marks,
        biases: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._detector = detector
        self._languages = SpokenLanguages(language)
        self._bias = bias
        self._biases = biases or {}
        self._judge = judge
        self._framer = Framer(FRAME)
        self._endpointer = Endpointer(settings.endpoint)
        self._timeline = Timeline()
        self._current: Utterance | None = None
        self._waiting: deque[WaitingFinal] = deque()
        self._in_flight: InFlight | None = None
        self._planned: DecodeNeed | None = None
        self._count = 0
        self._ended = 0
        self._audio_end = 0
        self._background = BackgroundModel(settings.background)
        self._noise = False
        """True if the previous utterance was cut because there were no words in it."""

    @property
    def utterances(self) -> int:
        """Return how many utterances have been announced."""
        return self._count

    @property
    def ended(self) -> int:
        """Return how many utterances have ended, announced or not."""
        return self._ended

    @property
    def concluded(self) -> int:
        """Return how many of those have their final, or were discarded."""
        return self._ended - len(self._waiting)

    @property
    def backlog(self) -> int:
        """Return the frames of ended utterances that wait for their final."""
        return sum(len(w.audio) for w in self._waiting) // FRAME

    @property
    def speaking(self) -> bool:
        """Return whether an utterance is in progress."""
        return self._current is not None

    @property
    def settled(self) -> bool:
        """Return whether every utterance has its final or has been discarded."""
        return self._current is None and not self._waiting

    def push(self, samples: Samples, now: float) -> list[ListenerEvent]:
        """Take the next samples; return what they lead to."""
        return self._push_frames(self._framer.push(samples), now)

    def pause(self, now: float) -> list[ListenerEvent]:
        """End the utterance in progress: no audio comes in, so its end cannot be heard."""
        return self._follow(self._endpointer.flush(), now)

    def flush(self, now: float) -> list[ListenerEvent]:
        """Take the rest of the audio and end the utterance in progress: nothing more will come."""
        return [*self._push_frames(self._framer.flush(), now), *self.pause(now)]

    def next_decode(self) -> DecodeNeed | None:
        """Return the decode that is needed next; None if none is, or while one is in flight."""
        if self._in_flight is not None:
            return None
        if self._waiting:
            return self._need(Urgency.FINAL, self._waiting[0].since)
        return self._planned

    def start_decode(self) -> DecodeRequest:
        """Return the newest audio for the need that `next_decode` returns.

        Call `decoded` with the answer. Raises RuntimeError if no decode is needed.
        """
        need = self.next_decode()
        if need is None:
            raise RuntimeError("no decode is needed")
        if need.urgency is Urgency.FINAL:
            waiting = self._waiting[0]
            waiting.attempts += 1
            self._in_flight = InFlight(waiting.utterance, Urgency.FINAL, 0, 0)
            return self._request(waiting.audio, need, waiting.utterance, waiting.utterance.length)
        utterance, self._planned = self._current_utterance(), None
        paused_at, decoded_to = self._endpointer.last_speech, self._endpointer.position
        utterance.decoded_to = decoded_to
        if need.urgency is Urgency.SPECULATIVE:
            utterance.speculated, utterance.settled = paused_at, None
            decoded_to = self._audio_stop(paused_at)
        self._in_flight = InFlight(utterance, need.urgency, decoded_to, paused_at)
        audio = self._timeline.slice(utterance.audio_start, decoded_to)
        spoken_to = paused_at if need.urgency is Urgency.SPECULATIVE else decoded_to
        return self._request(audio, need, utterance, spoken_to - utterance.started)

    def decoded(self, hypothesis: Hypothesis | None, now: float) -> list[ListenerEvent]:
        """Take the answer to `start_decode`; None if recognition failed."""
        decode, self._in_flight = self._in_flight, None
        if decode is None:
            raise RuntimeError("no decode is in flight")
        if decode.utterance.ended is None:
            events = [] if hypothesis is None else self._progress(decode, hypothesis, now)
        elif decode.urgency is Urgency.FINAL or (
            decode.urgency is Urgency.SPECULATIVE and decode.paused_at == decode.utterance.ended
        ):
            events = self._conclude(hypothesis)
        else:
            events = []
        self._plan(now)
        return events

    # Frames

    def _push_frames(self, new: list[Samples], now: float) -> list[ListenerEvent]:
        events: list[ListenerEvent] = []
        for frame in new:
            self._timeline.append(frame)
            power = float(np.mean(np.square(frame)))
            self._background.add(power)
            probability = self._detector.probability(frame)
            events += self._follow(self._endpointer.push(probability), now)
            if self._current is not None:
                self._current.add_frame(power, probability)
                events += self._speech_goes_on(self._current)
        if self._current is None:
            keep = self._settings.pre_roll + self._settings.endpoint.confirm
            self._timeline.forget_before(self._endpointer.position - keep)
        self._plan(now)
        return events

    def _follow(self, changes: list[EndpointEvent], now: float) -> list[ListenerEvent]:
        events: list[ListenerEvent] = []
        for event in changes:
            if isinstance(event, SpeechStarted):
                start = event.at if event.resumed else event.at - self._settings.pre_roll
                self._current = Utterance(event.at, max(start, self._audio_end, 0))
                if event.resumed and self._noise:
                    self._current.unchanged = HOPEFUL_TRIES
                self._timeline.forget_before(self._current.audio_start)
                if not event.resumed:
                    events += self._announce(self._current)
            else:
                events += self._end(event, now)
        return events

    def _end(self, event: SpeechEnded, now: float) -> list[ListenerEvent]:
        utterance, self._current, self._planned = self._current_utterance(), None, None
        utterance.ended, utterance.floor = event.at, self._background.floor
        self._ended += 1
        cut = self._endpointer.started is not None
        self._audio_end = event.at if cut else self._audio_stop(event.at)
        events: list[ListenerEvent] = []
        if utterance.number is not None:
            events.append(Ended(utterance.number, to_ms(event.at)))
        self._noise = cut and utterance.wordless and utterance.unchanged >= NOTHING_HEARD
        if self._noise:
            return events + self._discard(utterance)
        audio = self._timeline.slice(utterance.audio_start, self._audio_end)
        self._waiting.append(WaitingFinal(utterance, audio, now))
        guessed = utterance.settled if utterance.speculated == event.at else None
        if guessed is not None and len(self._waiting) == 1:
            events += self._finish(guessed)
        return events

    def _announce(self, utterance: Utterance) -> list[ListenerEvent]:
        """Announce an utterance, after earlier ones that may yet hold words.

        Their numbers must follow the order of speech.
        """
        events: list[ListenerEvent] = []
        waiting = (w.utterance for w in self._waiting if w.utterance.started < utterance.started)
        for one in [*(u for u in waiting if u.number is None), utterance]:
            self._count += 1
            one.number = self._count
            events.append(Started(one.number, to_ms(one.started)))
            if one.ended is not None:
                events.append(Ended(one.number, to_ms(one.ended)))
        return events

    def _announced(self, utterance: Utterance) -> list[ListenerEvent]:
        return [] if utterance.number is not None else self._announce(utterance)

    # Decodes

    def _plan(self, now: float) -> None:
        urgency = choose_urgency(self._current, self._endpointer, self._settings)
        if urgency is None:
            self._planned = None
        elif self._planned is None or self._planned.urgency is not urgency:
            self._planned = self._need(urgency, now)

    def _need(self, urgency: Urgency, since: float) -> DecodeNeed:
        return DecodeNeed(urgency, since, self._languages.codes, self._bias)

    def _request(
        self, audio: Samples, need: DecodeNeed, utterance: Utterance, spoken: int
    ) -> DecodeRequest:
        """Return a request; somebody speaks for at most `spoken` frames of the audio."""
        thorough, speech_s = need.urgency.thorough, to_ms(spoken) / 1000
        language = self._languages.to_try(utterance.language, final=thorough)
        return DecodeRequest(audio, language, thorough, need.bias, speech_s, biases=self._biases)

    def _progress(
        self, decode: InFlight, hypothesis: Hypothesis, now: float
    ) -> list[ListenerEvent]:
        """Take a hypothesis for the utterance that is still being spoken."""
        utterance = decode.utterance
        least = least_confidence(utterance, self._settings, self._settings.min_partial_confidence)
        sure = utterance.revision or hypothesis.confidence >= least
        # A cut at the hard limit may move the last words to the next utterance: do not make them
        # stable in this one.
        limits = self._settings.endpoint
        promise = decode.decoded_to - utterance.started < limits.hard_limit - limits.cut_window
        events: list[ListenerEvent] = []
        if not decode.urgency.thorough:
            utterance.quick_words = len(hypothesis.text.split())
        if not sure:
            utterance.update_unsure(hypothesis, decode.decoded_to)
        elif utterance.update(hypothesis, decode.decoded_to, promise):
            events += self._announced(utterance)
            confidence = hypothesis.calibrated().confidence
            events.append(partial(utterance, decode.decoded_to, confidence))
        if (
            decode.urgency is Urgency.SPECULATIVE
            and decode.paused_at == self._endpointer.last_speech
        ):
            utterance.settled = hypothesis
            events += self._end_likely(utterance, hypothesis, decode.paused_at)
            events += self._weigh_pause(utterance, hypothesis, now) if sure else []
        return events + self._end_without_progress(utterance, decode.decoded_to, now)

    def _end_likely(
        self, utterance: Utterance, hypothesis: Hypothesis, paused_at: int
    ) -> list[ListenerEvent]:
        """Tell what the final will be, if it will be one, should this pause last."""
        least = least_confidence(utterance, self._settings, self._settings.min_confidence)
        if utterance.number is None or not hypothesis.text or hypothesis.confidence < least:
            return []
        utterance.likely_end = paused_at
        tried = utterance.settle(hypothesis.calibrated())
        return [EndLikely(utterance.number, to_ms(paused_at), tried.text, tried.confidence)]

    def _speech_goes_on(self, utterance: Utterance) -> list[ListenerEvent]:
        last_speech = self._endpointer.last_speech
        if utterance.likely_end is None or last_speech <= utterance.likely_end:
            return []
        utterance.likely_end = None
        return [EndUnlikely(utterance.number or 0, to_ms(last_speech - 1))]

    def _weigh_pause(
        self, utterance: Utterance, hypothesis: Hypothesis, now: float
    ) -> list[ListenerEvent]:
        """Decide by the words before this pause how long to wait for more."""
        words = utterance.settle(hypothesis).text
        hangover = self._settings.turn_end_policy.hangover(
            self._judge(words), hypothesis.confidence
        )
        if hangover is None:
            return []
        return self._follow(self._endpointer.override_hangover(hangover), now)

    def _end_without_progress(
        self, utterance: Utterance, decoded_to: int, now: float
    ) -> list[ListenerEvent]:
        """End an utterance in which noise keeps the detector on, but no new words come."""
        still_for = decoded_to - utterance.changed_at
        if utterance.agreeing_decodes < NOTHING_HEARD or still_for < self._settings.no_progress:
            return []
        # Of mere noise, only the newest part is kept: a word may just be beginning in it.
        kept = (
            utterance.changed_at if utterance.text else decoded_to - self._settings.no_progress // 2
        )
        return self._follow(self._endpointer.cut(kept + self._settings.post_roll), now)

    # Finals

    def _conclude(self, hypothesis: Hypothesis | None) -> list[ListenerEvent]:
        """Take the answer for the utterance that has waited longest."""
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
        least = least_confidence(utterance, self._settings, self._settings.min_confidence)
        heard = hypothesis.text and hypothesis.confidence >= least
        if not heard and not shown:
            return self._discard(utterance)
        overheard = self._background.is_background(
            utterance.power, utterance.floor, hypothesis.confidence
        )
        self._languages.conclude(hypothesis.language)
        told = self._announced(utterance)
        return [*told, final(utterance, hypothesis.calibrated(), overheard=overheard)]

    def _discard(self, utterance: Utterance) -> list[ListenerEvent]:
        return [] if utterance.number is None else [Discarded(utterance.number, failed=False)]

    # Places

    def _audio_stop(self, speech_end: int) -> int:
        return min(self._endpointer.position, speech_end + self._settings.post_roll)

    def _current_utterance(self) -> Utterance:
        if self._current is None:
            raise RuntimeError("no utterance is in progress")
        return self._current
