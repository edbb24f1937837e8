"""One utterance from its first speech to its final, with what was heard and shown so far."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from voice_service.asr.hypothesis import Hypothesis, Word
from voice_service.audio.formats import Samples
from voice_service.utterances.stable_prefix import StablePrefix, same_words


class Timeline:
    """The latest frames of a session, addressed by their number from its start."""

    def __init__(self) -> None:
        self._frames: deque[Samples] = deque()
        self._first = 0

    def append(self, frame: Samples) -> None:
        self._frames.append(frame)

    def forget_before(self, position: int) -> None:
        """Drop the frames before `position`, which nothing will ask for any more."""
        while self._first < position and self._frames:
            self._frames.popleft()
            self._first += 1

    def slice(self, start: int, stop: int) -> Samples:
        """Return the read-only samples of frames `start` to `stop` (exclusive) that are kept."""
        low = max(0, start - self._first)
        high = max(low, stop - self._first)
        frames = [f for i, f in enumerate(self._frames) if low <= i < high]
        samples = np.concatenate(frames) if frames else np.zeros(0, np.float32)
        samples.flags.writeable = False
        return samples


@dataclass(slots=True)
class Utterance:
    """The state of one utterance. Positions are frame numbers of the session.

    `number` is None until the utterance has been announced to the client.
    """

    started: int
    audio_start: int
    number: int | None = None
    revision: int = 0
    ended: int | None = None
    text: str = ""
    quick_words: int = 0
    """Words of the last quick decode."""
    unsure_text: str = ""
    """The latest text whose confidence was too low to be shown."""
    peak: float = 0.0
    """The highest speech probability of its frames."""
    power: float = 0.0
    """The mean power of its frames, weighted by their speech probabilities."""
    floor: float = 0.0
    """The background level when it ended, which its speech had to stand out from."""
    weight: float = 0.0
    decoded_to: int = 0
    """End of the audio of the latest quick decode."""
    changed_at: int = 0
    """End of the audio of the decode that last changed the text."""
    unchanged: int = 0
    """Decodes in a row that did not change the text."""
    speculated: int | None = None
    """Where speech had paused when the final was last tried."""
    settled: Hypothesis | None = None
    """The answer to that decode: the final, if the pause lasts."""
    language: str = ""
    """The language that it was last heard in, if it was."""
    likely_end: int | None = None
    """Where speech had paused when its end was last told to be likely."""
    stable: StablePrefix = field(default_factory=StablePrefix)

    def __post_init__(self) -> None:
        self.changed_at = self.started

    @property
    def length(self) -> int:
        """Return the frames from its first speech to its last, once it has ended."""
        return 0 if self.ended is None else self.ended - self.started

    @property
    def wordless(self) -> bool:
        """Return whether nothing was heard that might be words."""
        return not self.text and not self.unsure_text

    @property
    def agreeing_decodes(self) -> int:
        """Return how many successive decodes have heard the same."""
        return self.unchanged + (not self.wordless)

    def add_frame(self, power: float, probability: float) -> None:
        """Add the next frame's power and speech probability to the loudness and the peak."""
        self.peak = max(self.peak, probability)
        self.weight += probability
        if self.weight:
            share = probability / self.weight
            self.power += share * (power - self.power)

    def update(self, hypothesis: Hypothesis, decoded_to: int, promise: bool = True) -> bool:
        """Take a hypothesis for the audio so far; return whether the text to show has changed.

        Without `promise`, it makes no further word stable.
        """
        words = hypothesis.text.split()
        if not words:
            self.unchanged += not self.text
            return False
        before = (self.text, self.stable.text)
        self.language = hypothesis.language or self.language
        if promise:
            shown = self.stable.extend(words, hypothesis.confidence)
        else:
            shown = self.stable.merge(words)
        if same_words(shown, self.text.split()):
            self.unchanged += 1
        else:
            self.unchanged = 0
            self.changed_at = decoded_to
        self.text = " ".join(shown)
        return (self.text, self.stable.text) != before

    def update_unsure(self, hypothesis: Hypothesis, decoded_to: int) -> None:
        """Take a hypothesis whose confidence is too low to show: it may be words or mere noise."""
        if hypothesis.text and hypothesis.text != self.unsure_text:
            self.unsure_text = hypothesis.text
            self.unchanged = 0
            self.changed_at = decoded_to
        else:
            self.unchanged += 1

    def settle(self, hypothesis: Hypothesis) -> Hypothesis:
        """Return the final for a thorough hypothesis: its words, the stable ones as first shown."""
        words = hypothesis.text.split()
        shown = self.stable.merge(words)
        if shown == words:
            return hypothesis
        text = " ".join(shown)
        if len(hypothesis.words) != len(words):
            return replace(hypothesis, text=text, words=())
        stable = len(self.stable.words)
        behind = len(words) - (len(shown) - stable)
        kept = _kept(shown[:stable], hypothesis.words[:behind], hypothesis.confidence)
        return replace(hypothesis, text=text).with_words((*kept, *hypothesis.words[behind:]))


def _kept(shown: list[str], heard: tuple[Word, ...], confidence: float) -> list[Word]:
    """Return the stable words, with the times of what the last decode heard in their place.

    Where that decode heard another word, the stable one is right only if the decode is wrong, so
    its confidence is the complement of the decode's.
    """
    if len(shown) == len(heard):
        return [
            replace(
                word,
                text=text,
                confidence=word.confidence
                if same_words([text], [word.text])
                else 1.0 - word.confidence,
            )
            for text, word in zip(shown, heard, strict=True)
        ]
    start = heard[0].start_ms if heard else 0
    end = heard[-1].end_ms if heard else start
    step = (end - start) / len(shown)
    doubted = 1.0 - confidence if heard else min(confidence, 1.0 - confidence)
    return [
        Word(text, round(start + i * step), round(start + (i + 1) * step), doubted)
        for i, text in enumerate(shown)
    ]
