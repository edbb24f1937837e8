"""What a listener tells and what it asks for: plain values."""

from __future__ import annotations

from dataclasses import dataclass

from voice_service.asr.hypothesis import Hypothesis


@dataclass(frozen=True, slots=True)
class Started:
    """An utterance was noticed, which began at `at_ms`."""

    utterance: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Its speech ended at `at_ms`."""

    utterance: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Partial:
    """What was heard so far. `stable_text` is a prefix of `text` and will not change any more."""

    utterance: int
    revision: int
    start_ms: int
    end_ms: int
    text: str
    stable_text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Final:
    """What was heard; word times count from the start of the session.

    `overheard`: so unsure, and so faint beside the guest's speech or its surroundings, that it may
    be people who talk in the background.
    """

    utterance: int
    revision: int
    start_ms: int
    end_ms: int
    hypothesis: Hypothesis
    overheard: bool = False


@dataclass(frozen=True, slots=True)
class Discarded:
    """An announced utterance in which there were no words, or (`failed`) none could be read."""

    utterance: int
    failed: bool


ListenerEvent = Started | Ended | Partial | Final | Discarded
