"""Complaints and calls for a person, taken out before a question, talk or an order swallows one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import Act, Aside, Problem
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.reasons import ReasonCode


def extract_service(spans: Sequence[Span]) -> tuple[list[Act], list[Span]]:
    """Return what is said to staff, and the spans without it; a stop takes its place.

    A complaint that says what is right is a correction: "that's wrong, I wanted a cola".
    """
    acts: list[Act] = []
    rest: list[Span] = []
    for index, span in enumerate(spans):
        puts_right = any(s.candidates for s in spans[index + 1 :])
        if span.has(Cue.STAFF):
            acts.append(Aside(ReasonCode.STAFF_REQUESTED, span.text))
        elif span.has(Cue.COMPLAINT) and puts_right:
            rest.append(replace(span, cues=frozenset({Cue.CORRECT})))
            continue
        elif span.has(Cue.COMPLAINT):
            acts.append(Problem(ReasonCode.COMPLAINT, span.text))
        else:
            rest.append(span)
            continue
        rest.append(replace(span, text=".", cues=frozenset({Cue.STOP})))
    return acts, rest
