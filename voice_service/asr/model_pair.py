"""Two models that hear one guest: a quick one for partials, a better one for finals."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol

from voice_service.asr.compute import Compute
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.recognizer import Recognizer


class SpeechRecognizer(Protocol):
    """One model or two, as the application sees them.

    `cost` is the time, in seconds, that a quick and a thorough decode of one second of silence take
    together (on a CPU, processor time). `languages` are ISO 639 codes.
    """

    @property
    def compute(self) -> Compute:
        """Return how the models are run."""

    @property
    def languages(self) -> frozenset[str]:
        """Return what can be spoken."""

    @property
    def cost(self) -> float:
        """Return what a guest costs, by the decodes of a second of silence."""

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """Return what was said in each request; called on a worker thread."""

    def prompt_length(self, language: str, bias: str) -> Hashable:
        """Return what requests of one kind must also have in common to share a pass."""


class ModelPair:
    """Quick decodes are `partials`' and thorough ones `finals`', speculative ones included.

    Both have the same `compute`: the threads that decode are shared, not doubled. Raises ValueError
    if they have no language in common.
    """

    def __init__(self, partials: Recognizer, finals: Recognizer) -> None:
        self.partials = partials
        self.finals = finals
        self.compute = finals.compute
        self.languages = partials.languages & finals.languages
        if not self.languages:
            raise ValueError("the two models have no language in common")

    @property
    def cost(self) -> float:
        """Return what a quick and a thorough decode of a second of silence take, in seconds."""
        return self.partials.quick_cost + self.finals.thorough_cost

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """Return what was said in each request; raise ValueError if one exceeds `MAX_SECONDS`."""
        answers: dict[int, Hypothesis] = {}
        for thorough, model in ((False, self.partials), (True, self.finals)):
            places = [i for i, request in enumerate(requests) if request.thorough is thorough]
            found = model.decode([requests[i] for i in places])
            answers.update(zip(places, found, strict=True))
        return [answers[place] for place in range(len(requests))]

    def prompt_length(self, language: str, bias: str) -> Hashable:
        """Return the lengths of the prompt in the tokens of both models."""
        models = (self.partials, self.finals)
        return tuple(model.prompt_length(language, bias) for model in models)
