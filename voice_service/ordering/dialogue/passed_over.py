"""Words amid an order that nothing uses: one of the menu may have been misheard there.

In "a good coffee with homemade" both words can be just that, or "drip" and "whole milk". How surely
they were heard tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from voice_service.ordering.language.cue_sets import DESCRIBES, DETERMINERS, PUNCTUATION
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.segmentation import Span

_IDLE = frozenset({Cue.FILLER, Cue.SOFT, Cue.ON, Cue.OFF})
"""What has no effect, unless something uses it."""
_BEGINS = (*DETERMINERS, Cue.AND)
_LEADS_ON = (*_BEGINS, *DESCRIBES)
"""After these, something of the menu follows."""


def passed_over(spans: Sequence[Span], used: Set[int]) -> Mapping[int, Set[int]]:
    """Return the indexes of such words, each with those of the used words right beside it.

    `used`: the indexes of the words that order something.
    """
    phrases = [span for span in spans if not span.has(*PUNCTUATION)]
    found: dict[int, Set[int]] = {}
    for place, span in enumerate(phrases):
        if not _is_idle(span, used):
            continue
        before = next((s for s in reversed(phrases[:place]) if not _is_idle(s, used)), None)
        after = next((s for s in phrases[place + 1 :] if not _is_idle(s, used)), None)
        if before is None or not (_is_used(before, used) or _leads_on(before)):
            continue
        if _leads_on(before) if after is None else _is_used(after, used) or _leads_on(after):
            first, last = span.words[0], span.words[-1]
            begins = after is not None and before.has(*_BEGINS)
            earlier = max((word for word in used if word < first and not begins), default=-1)
            later = min((word for word in used if word > last), default=-1)
            found |= {word: {earlier, later} for word in span.words}
    return found


def _is_idle(span: Span, used: Set[int]) -> bool:
    return bool(span.cues) and span.cues <= _IDLE and not _is_used(span, used)


def _leads_on(span: Span) -> bool:
    return span.value is not None or span.has(*_LEADS_ON)


def _is_used(span: Span, used: Set[int]) -> bool:
    return not used.isdisjoint(span.words)
