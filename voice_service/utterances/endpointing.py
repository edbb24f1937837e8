"""Where speech starts and ends, from a speech probability per frame.

Pure: knows neither audio nor clock. Positions are frame counts from the start of the session.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """All lengths in frames.

    Speech begins at the probability `onset` and goes on at `offset`, which is lower: a detector is
    less sure of quiet syllables and of telephone speech. `confirm` frames of speech begin an
    utterance; `hangover` frames of pause end it, unless `wait` is told otherwise, and
    `short_hangover` once it is longer than `soft_limit`.
    At `hard_limit` it is cut at the least speech-like of its last `cut_window` frames.
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
    """Speech began at frame `at`. `resumed`: it goes on where the utterance before was cut."""

    at: int
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The last frame of speech is the one before `at`."""

    at: int


EndpointEvent = SpeechStarted | SpeechEnded


@dataclass(slots=True)
class Endpointer:
    """Turns one probability per frame into alternating `SpeechStarted` and `SpeechEnded`."""

    settings: EndpointSettings
    position: int = 0
    """Frames seen so far."""
    started: int | None = None
    """Where the utterance in progress began; None between utterances."""
    last_speech: int = 0
    """The frame after the last one that was speech."""
    _hangover: int | None = None
    """What ends the pause that speech is in now, if it was told."""
    _run: int = 0
    _recent: deque[float] = field(default_factory=deque)

    @property
    def pause(self) -> int:
        """Frames since speech was last detected in the utterance in progress; 0 outside one."""
        return 0 if self.started is None else self.position - self.last_speech

    def push(self, probability: float) -> list[EndpointEvent]:
        """Take the next frame's speech probability, 0 to 1."""
        self.position += 1
        return self._between(probability) if self.started is None else self._within(probability)

    def wait(self, hangover: int) -> list[EndpointEvent]:
        """Let the pause that speech is in now end the utterance once it has lasted `hangover`."""
        if self.started is None or not self.pause:
            return []
        self._hangover = hangover
        length = self.position - self.started
        return [self._end(self.last_speech)] if self._has_paused(length) else []

    def flush(self) -> list[EndpointEvent]:
        """No more frames: an utterance in progress ends with its last speech."""
        return [] if self.started is None else [self._end(self.last_speech)]

    def cut(self, at: int) -> list[EndpointEvent]:
        """End the utterance in progress at frame `at` and begin the next one there.

        Each has at least one frame; of an utterance of a single frame nothing can be cut.
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
        assert self.started is not None  # noqa: S101  the caller's branch, for the type checker
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
        """Whether the pause is long enough to end an utterance of this length."""
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
