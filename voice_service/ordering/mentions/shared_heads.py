"""Names that share their last word: "black and green olives", "a cheese and a fruit scone"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.language.cue_sets import (
    CHANGES_TOPPINGS,
    DETERMINERS,
    PUNCTUATION,
    SEPARATES,
)
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.mentions.mention import candidates_of
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.menu.match import FULL


def with_shared_heads(spans: Sequence[Span], menu: CompiledMenu) -> list[Span]:
    """Complete each name of a list by the last word of the list, where that gives a name."""
    completed = list(spans)
    head = ""
    for index in range(len(spans) - 1, -1, -1):
        span = completed[index]
        if head and (span.has(*SEPARATES) or _determines(span)):
            continue
        whole = _completed(completed, index, head, menu) if head else ()
        if whole:
            completed[index] = replace(span, candidates=whole, cues=frozenset(), value=None)
        else:
            head = _head(span, menu)
    return completed


def _head(span: Span, menu: CompiledMenu) -> str:
    """Return the last word of a name of several, if it says what kind of thing that is."""
    words, morphology = span.text.split(), menu.language.morphology
    named = bool(candidates_of(span, "item") or candidates_of(span, "modifier"))
    ends = not morphology.head_first and morphology.noun_ends.isdisjoint(words)
    return words[-1] if named and ends and len(words) > 1 else ""


def _determines(span: Span) -> bool:
    """Return whether a phrase stands before a name: "a", "two", "large"."""
    sized = bool(span.candidates) and all(s.kind == "size" for s in span.candidates)
    return sized or (not span.candidates and span.has(*DETERMINERS))


def _completed(
    spans: Sequence[Span], index: int, head: str, menu: CompiledMenu
) -> tuple[Candidate, ...]:
    """Return what a phrase names with the last word of the list that it begins; empty if nothing.

    What is a name by itself shares it only if both have a number or an article.
    """
    span = spans[index]
    end = index + 1
    while end < len(spans) and spans[end].has(*SEPARATES):
        end += 1
    if end in (index + 1, len(spans)) or span.has(*PUNCTUATION) or head in span.text.split():
        return ()
    other = next(s for s in spans[end:] if not _determines(s))
    phrase = f"{span.text} {head}"
    found = menu.lexicon.find("".join(keys_of(phrase, menu.language)), phrase)
    kinds = {(s.kind, s.group) for s in other.candidates}
    whole = [s for s in found if s.match >= FULL and (s.kind, s.group) in kinds]
    on_it = index > 0 and spans[index - 1].has(*CHANGES_TOPPINGS)  # "no tomato and a tomato soup"
    if on_it and any(s.kind == "modifier" and s.match >= FULL for s in span.candidates):
        whole = [s for s in whole if s.kind == "modifier"]
    counted = index > 0 and _determines(spans[index - 1])
    parallel = counted and _determines(spans[end])
    if not whole or (_own(span, other, menu) and not parallel):
        return ()
    return tuple(whole)


def _own(span: Span, other: Span, menu: CompiledMenu) -> bool:
    """Return whether a phrase is a name by itself, and no modifier that the other cannot have."""
    items = candidates_of(other, "item")[:1]
    return any(
        s.match >= FULL and (s.kind != "modifier" or not items or menu.offers(items[0].id, s))
        for s in span.candidates
    )
