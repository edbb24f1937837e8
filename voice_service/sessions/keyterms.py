"""The words that a client asks a session to listen for, beside those of the menu. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from voice_service.ordering.language.loader import language, primary, understood

MOST_TERMS: Final = 50
LONGEST_TERM: Final = 64
"""Characters."""
_LETTERS: Final = 400
"""Of all terms: about half of what the recogniser's prompt has room for. The rest is the menu's."""
_CONTROL: Final = "<|"
"""Begins the names of the model's own tokens, which would command it."""
_JOINT: Final = len(" and ")


@dataclass(frozen=True, slots=True)
class Keyterms:
    """The terms that are listened for, and what to tell the client about the others."""

    terms: tuple[str, ...]
    warnings: tuple[str, ...]

    def before(self, bias: str, tag: str) -> str:
        """Return the recogniser's prompt: the terms in a sentence, and then the menu's text.

        The end of a prompt that is too long is cut, so the terms come first.
        """
        return f"{self._sentence(tag)} {bias}".strip() if self.terms else bias

    def _sentence(self, tag: str) -> str:
        """Return an order of all terms: Whisper goes on in the style of its prompt."""
        if not understood(primary(tag)):
            return " ".join(f"{term}." for term in self.terms)
        texts = language(tag).texts
        return texts["expected"].format(orders=f" {texts['and']} ".join(self.terms))


def fitting(given: Sequence[str]) -> Keyterms:
    """Return as many terms as there is room for, in the order given, with warnings for the rest."""
    terms = [" ".join(term.split()) for term in given]
    kept: dict[str, None] = {}
    too_long = sum(len(term) > LONGEST_TERM for term in terms)
    room = _LETTERS
    left_out = 0
    commands = sum(_CONTROL in term for term in terms if len(term) <= LONGEST_TERM)
    plain = (t for t in terms if t and len(t) <= LONGEST_TERM and _CONTROL not in t)
    for term in dict.fromkeys(plain):
        room -= len(term) + _JOINT
        if room >= 0 and len(kept) < MOST_TERMS:
            kept[term] = None
        else:
            left_out += 1
    warnings: list[str] = []
    if too_long:
        warnings.append(
            f"keyterms: {too_long} left out, since they have more than {LONGEST_TERM} characters"
        )
    if commands:
        warnings.append(
            f"keyterms: {commands} left out, since the recogniser takes {_CONTROL} for a command"
        )
    if left_out:
        warnings.append(
            f"keyterms: the last {left_out} left out; there is room for {MOST_TERMS}, or about "
            f"{_LETTERS} characters in all"
        )
    return Keyterms(tuple(kept), tuple(warnings))
