"""Words that were heard as others: what a name may have been, and which slips are put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voice_service.ordering.language.pack import Cue, Language
from voice_service.ordering.language.spelling import Slip
from voice_service.ordering.language.tokens import Token, key_of
from voice_service.ordering.menu.lexicon import Candidate, Lexicon

_NEAR, _NEAR_IDLE = 0.6, 0.75  # how near a word is to that of a name, which the others say
_SHORTEST, _SHORTEST_IDLE = 3, 4  # letters of such a word
_MOST_WORDS = 3
_NO_CUES: frozenset[Cue] = frozenset()
_JOINING = frozenset({Cue.AND, Cue.WITH, Cue.A, Cue.THE, Cue.FOR, Cue.ON, Cue.FILLER})
"""Words that may stand between any two others: "with", "and"."""


@dataclass(frozen=True, slots=True)
class Amid:
    """A name of which one word was heard as another: `text` as it is on the menu."""

    text: str
    candidates: tuple[Candidate, ...]
    nearness: float


class Misheard:
    """Finds what was meant, for one menu and one language. `cues`: what each phrase may do."""

    def __init__(
        self, lexicon: Lexicon, language: Language, cues: Mapping[str, frozenset[Cue]]
    ) -> None:
        self._lexicon = lexicon
        self._language = language
        self._cues = cues

    def amid(self, part: Sequence[Token], language: Language, *, idle: bool) -> Amid | None:
        """Return the names that `part` says but for one word.

        What was heard for it means nothing ("wheat toes"), or if `idle`, fills the sentence ("meat
        later").
        """
        strange = [i for i, t in enumerate(part) if self._is_strange(t)]
        if language is not self._language or len(strange) != 1:
            return None
        [at] = strange
        heard = part[at].text
        shortest, near = (_SHORTEST_IDLE, _NEAR_IDLE) if idle else (_SHORTEST, _NEAR)
        wanted = {Cue.FILLER} if idle else set()
        fits = self._cues.get(heard, _NO_CUES) == wanted and heard.isalpha()
        if len(heard) < shortest or not fits:
            return None
        slip = self._lexicon.find_amid([t.key for t in part], at, heard)
        if slip is None or slip.nearness < near:
            return None
        words = [slip.word if i == at else t.text for i, t in enumerate(part)]
        key = "".join(key_of(word, language) for word in words)
        found = self._lexicon.find(key, " ".join(words), language)
        return Amid(" ".join(words), found, slip.nearness) if found else None

    def _is_strange(self, token: Token) -> bool:
        """Return whether a word is in no name; "toes" are not the "to" of "Add to Omelette"."""
        steers = token.key in self._cues and not self._lexicon.writes(token.text)
        return steers or not self._lexicon.knows(token.key)

    def misspelt(self, part: Sequence[Token], language: Language) -> tuple[Candidate, ...]:
        """Return the names that `part` may be a slip for, if it has a word that is unknown."""
        cued = [t.text in self._cues for t in part]
        known = [self._lexicon.knows(t.key) for t in part]
        if len(part) > _MOST_WORDS or all(c or k for c, k in zip(cued, known, strict=True)):
            return ()
        short = [len(t.text) < _SHORTEST for t in part]
        if any(c and (s or not k) for c, s, k in zip(cued, short, known, strict=True)):
            return ()
        if len(part) == 1 and self._is_everyday(part[0].text):
            return ()
        for key in ("".join(t.key for t in part), "".join(t.text for t in part)):
            found = self._lexicon.find_misspelt(key, language)
            if found:
                return found
        return ()

    def mends(self, slip: Slip, *, led: bool, beside: bool) -> bool:
        """Return whether a slip is put right where it stands, `beside` a name or not.

        After "no" and "a", which have `led` to it, only names are meant, and what stands beside a
        name describes it.
        """
        joins = self._cues.get(slip.word, _NO_CUES) <= _JOINING
        return self._names(slip.word) or (not led and (slip.sure or joins or not beside))

    def _names(self, word: str) -> bool:
        """Return whether a word occurs in a name on the menu."""
        return self._lexicon.knows(key_of(word, self._language))

    def _is_everyday(self, heard: str) -> bool:
        """Return whether a word is nearest to one that names nothing: "pleaze"."""
        slip = self._lexicon.slips.find(heard)
        return slip is not None and not self._names(slip.word)
