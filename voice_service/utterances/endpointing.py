"""Find where speech starts and ends, from one speech probability per frame.

Pure: knows neither audio nor clock. Positions are frame numbers from the start of the session.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """When an utterance begins and ends. All lengths are in frames.

    Speech begins at the probability `onset` and continues down to `offset`, which is lower because
    a detector is less sure of quiet syllables and of telephone speech. `confirm` frames of speech
    begin an utterance. A pause of `hangover` frames ends it, unless `override_hangover` has set
    another length, or a pause of `short_hangover` once it is longer than `soft_limit`. At
    `hard_limit` it is cut at the least speech-like of its last `cut_window` frames.
    """

    onset: float
    offset: float
    confirm: int
    hangover: int
    short_hangover: int
    soft_limit: int
    hard_limit: int
    cut_window: int


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began at frame `at`. `resumed`: it continues where the last utterance was cut."""

    at: int
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Speech ended: its last frame is the one before `at`."""

    at: int


EndpointEvent = SpeechStarted | SpeechEnded


@dataclass(slots=True)
class Endpointer:
    """Turns speech probabilities, one per frame, into alternating starts and ends of speech."""

    settings: EndpointSettings
    position: int = 0
    """Frames seen so far."""
    started: int | None = None
    """First frame of the utterance in progress; None between utterances."""
    last_speech: int = 0
    """The frame after the last one that was speech."""
    _hangover: int | None = None
    """Length of pause that ends the current one, if it has been overridden."""
    _run: int = 0
    _recent: deque[float] = field(default_factory=deque)

    @property
    def pause(self) -> int:
        """Return the frames since the last speech of the utterance in progress; 0 outside one."""
        return 0 if self.started is None else self.position - self.last_speech

    def push(self, probability: float) -> list[EndpointEvent]:
        """Take the speech probability of the next frame, from 0 to 1; return what changed."""
        self.position += 1
        return self._between(probability) if self.started is None else self._within(probability)

    def override_hangover(self, hangover: int) -> list[EndpointEvent]:
        """Let the current pause end the utterance once it has lasted `hangover` frames."""
        if self.started is None or not self.pause:
            return []
        self._hangover = hangover
        length = self.position - self.started
        return [self._end(self.last_speech)] if self._has_paused(length) else []

    def flush(self) -> list[EndpointEvent]:
        """End an utterance in progress with its last speech: no more frames will come."""
        return [] if self.started is None else [self._end(self.last_speech)]

    def cut(self, at: int) -> list[EndpointEvent]:
        """End the utterance in progress at frame `at` and begin the next one there.

        Each gets at least one frame; an utterance of a single frame is not cut.
        """
        if self.started is None or self.position - self.started < 2:
            return []
        at = max(self.started + 1, min(at, self.position - 1))
        ended = self._end(at)
        return [ended, self._start(at, resumed=True)]

    def _between(self, probability: float) -> list[EndpointEvent]:
        self._run = self._run + 1 if probability >= self.settings.onset else 0
        if self._run < self.settings.confirm:
            return []
        return [self._start(self.position - self._run)]

    def _within(self, probability: float) -> list[EndpointEvent]:
        assert self.started is not None  # noqa: S101  checked by the caller; for the type checker
        if probability >= self.settings.offset:
            self.last_speech = self.position
            self._hangover = None
        self._recent.append(probability)
        if len(self._recent) > self.settings.cut_window:
            self._recent.popleft()
        length = self.position - self.started
        if self._has_paused(length):
            return [self._end(self.last_speech)]
        if length >= self.settings.hard_limit:
            quietest = min(range(len(self._recent)), key=self._recent.__getitem__)
            return self.cut(self.position - len(self._recent) + quietest + 1)
        return []

    def _has_paused(self, length: int) -> bool:
        """Return whether the pause is long enough to end an utterance of `length` frames."""
        if length >= self.settings.soft_limit:
            return self.pause >= self.settings.short_hangover
        return self.pause >= (self._hangover or self.settings.hangover)

    def _start(self, at: int, *, resumed: bool = False) -> SpeechStarted:
        self.started = at
        self.last_speech = self.position
        self._hangover = None
        return SpeechStarted(at, resumed)

    def _end(self, at: int) -> SpeechEnded:
        self.started = None
        self._run = 0
        self._recent.clear()
        return SpeechEnded(at)
