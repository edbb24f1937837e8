"""The events of a listener, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from voice_service.asr.hypothesis import Hypothesis


@dataclass(frozen=True, slots=True)
class Started:
    """An utterance was detected; it began at `at_ms`."""

    utterance: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The speech of an utterance ended at `at_ms`."""

    utterance: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class EndLikely:
    """Speech has paused at `at_ms`, and this will be the final if the pause lasts."""

    utterance: int
    at_ms: int
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class EndUnlikely:
    """Speech goes on at `at_ms`, after an `EndLikely`."""

    utterance: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Partial:
    """The text so far. `stable_text` is a prefix of `text` that will not change any more."""

    utterance: int
    revision: int
    start_ms: int
    end_ms: int
    text: str
    stable_text: str
    confidence: float
    language: str = ""


@dataclass(frozen=True, slots=True)
class Final:
    """The transcript of an utterance. Word times count from the start of the session.

    `overheard`: its confidence is so low, and it is so faint beside the guest's speech or the
    background, that it may be other people talking. `lost`: by how many words it is shorter than
    the last partial.
    """

    utterance: int
    revision: int
    start_ms: int
    end_ms: int
    hypothesis: Hypothesis
    overheard: bool = False
    lost: int = 0

    @property
    def language(self) -> str:
        """Return the ISO 639 code of what was spoken; empty if that is not known."""
        return self.hypothesis.language


@dataclass(frozen=True, slots=True)
class Discarded:
    """An announced utterance that has no words, or (`failed`) could not be recognised."""

    utterance: int
    failed: bool


ListenerEvent = Started | EndLikely | EndUnlikely | Ended | Partial | Final | Discarded
