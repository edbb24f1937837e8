"""Tell the service's own voice, as the guest's microphone hears it, from the guest's. Pure.

Times are milliseconds of the session's audio. Between a prompt and the client's word that it has
been said, a microphone may hear it through the loudspeaker.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from rapidfuzz import fuzz, process

_REMEMBERED = 4
"""Prompts whose echo may still come: a final is late by the time that it takes to recognise it."""
_LONGEST_MS_PER_WORD = 700
_SPARE_MS = 4_000
"""Together, how long a prompt lasts at most if the client never says that it is over."""
_TAIL_MS = 700
"""How long its end may take to reach the server: sound, buffers, network."""
_ALIKE = 75.0
"""From which likeness (0 to 100) a recognised word is one that was said."""
_JUMP = 1
"""Words of the prompt that recognition may miss between two words of an echo."""
OWN_WORDS = 2
"""Words of the guest's own that interrupt a prompt."""


@dataclass(slots=True)
class _Spoken:
    id: str
    words: tuple[str, ...]
    from_ms: int
    to_ms: int
    over: bool = False


class Echo:
    """The prompts that a microphone may hear."""

    def __init__(self) -> None:
        self._spoken: deque[_Spoken] = deque(maxlen=_REMEMBERED)

    def began(self, say_id: str, text: str, at_ms: int) -> None:
        """Note that a prompt is being said from now on."""
        words = _words(text)
        longest = _SPARE_MS + _LONGEST_MS_PER_WORD * len(words)
        self._spoken.append(_Spoken(say_id, words, at_ms, at_ms + longest))

    def ended(self, say_id: str, at_ms: int) -> None:
        """Note that a prompt is over: it has been said, or was interrupted."""
        for spoken in self._spoken:
            if spoken.id == say_id and not spoken.over:
                spoken.to_ms, spoken.over = min(spoken.to_ms, at_ms), True

    def interrupted_by(self, text: str, end_ms: int) -> str | None:
        """Return the id of the prompt that these words, heard up to `end_ms`, interrupt, if any."""
        spoken = self._spoken[-1] if self._spoken else None
        if spoken is None or spoken.over or not spoken.from_ms <= end_ms <= spoken.to_ms:
            return None
        heard = _words(text)
        own = len(heard) - sum(_repeated(heard, spoken.words))
        return spoken.id if own >= OWN_WORDS else None

    def echoed(self, words: Sequence[str], times: Sequence[tuple[int, int]]) -> list[bool]:
        """Return which words of a final are an echo; `times` are when each was heard."""
        echo: set[int] = set()
        for spoken in self._spoken:
            during = [
                i
                for i, (start, end) in enumerate(times)
                if start <= spoken.to_ms + _TAIL_MS and end >= spoken.from_ms
            ]
            parts = [(i, part) for i in during for part in _words(words[i])]
            repeated = _repeated([part for _, part in parts], spoken.words)
            again = {i for (i, _), known in zip(parts, repeated, strict=True) if known}
            others = [i for i in during if i not in again]
            if len(others) >= max(OWN_WORDS, len(again) + 1) or not again:
                continue  # a guest, who uses a word of the prompt
            if spoken.over and all(times[i][0] >= spoken.to_ms for i in again):
                continue  # a guest, who answers with a word of the prompt
            echo |= again
            # Words that recognition made of the echo, and nobody said: too few to interrupt it.
            # What begins once it is over is an answer.
            misheard = [i for i in others if times[i][0] < spoken.to_ms]
            if len(misheard) < OWN_WORDS:
                echo.update(misheard)
        return [i in echo for i in range(len(words))]


def _repeated(heard: Sequence[str], said: Sequence[str]) -> list[bool]:
    """Return which of the words heard repeat what was said, in its order.

    A word alone, far from its neighbour in the prompt, is the guest's: "What size: small, medium or
    large?" "… what size large please".
    """
    known = [_nearest(word, said) for word in heard]
    repeated = [False] * len(heard)
    end = None
    for block in SequenceMatcher(None, known, said, autojunk=False).get_matching_blocks():
        far = end is not None and block.b - end > _JUMP
        if block.size > 1 or (block.size == 1 and not far):
            repeated[block.a : block.a + block.size] = [True] * block.size
            end = block.b + block.size
    return repeated


def _nearest(word: str, said: Sequence[str]) -> str:
    found = process.extractOne(word, said, scorer=fuzz.ratio, score_cutoff=_ALIKE)
    return word if found is None else str(found[0])


@lru_cache(maxsize=4_096)
def _words(text: str) -> tuple[str, ...]:
    """Return the words of a text as they sound alike, however they are written."""
    return tuple(re.findall(r"\w+", re.sub(r"['\u2019]", "", text.lower())))
