"""Languages that guests mix in one utterance, as one: "dame two tacos with salsa verde"."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from itertools import chain
from typing import Any, TypeVar

from voice_service.ordering.language.pack import (
    Allergies,
    Entities,
    Language,
    Names,
    Phrases,
    Repetition,
)

_T = TypeVar("_T")
_Part = TypeVar("_Part", Allergies, Entities, Names, Repetition)


def mixed(packs: Sequence[Language]) -> Language:
    """Return one language with the cues and numbers of all `packs`, and the first one's texts.

    What means something else in the first language keeps that meaning: "soy" is an allergen, and
    not "I am", where English comes before Spanish. `Language.packs` has the languages one by one.
    """
    first, *others = packs
    if not others:
        return first
    taken = _words_of(first)
    spelling = replace(
        first.spelling,
        abbreviations=_united([pack.spelling.abbreviations for pack in packs], taken),
        contractions=_merged([pack.spelling.contractions for pack in packs], taken),
    )
    words = _merged([pack.numbers.words for pack in packs], taken)
    ordinals = _merged([pack.numbers.ordinals for pack in packs], taken)
    scales = _merged([pack.numbers.scales for pack in packs], taken)
    cues = {
        cue: tuple(chain.from_iterable(pack.cues.get(cue, ()) for pack in packs))
        for cue in first.cues
    }
    return replace(
        first,
        cues=cues,
        numbers=replace(first.numbers, words=words, ordinals=ordinals, scales=scales),
        names=replace(first.names, **_sets_united([p.names for p in packs], taken)),
        allergies=replace(first.allergies, **_sets_united([p.allergies for p in packs], taken)),
        entities=replace(first.entities, **_sets_united([p.entities for p in packs], taken)),
        repetition=replace(first.repetition, **_sets_united([p.repetition for p in packs], taken)),
        # Each language alone writes words as the mixture does, so that tokens fit all of them.
        mixed=tuple(
            replace(p, spelling=replace(spelling, sound_rules=p.spelling.sound_rules))
            for p in packs
        ),
        spelling=spelling,
    )


def _words_of(language: Language) -> frozenset[str]:
    """Return single words that mean something in a language."""
    names = language.names
    synonyms = chain.from_iterable((*names.synonyms, *names.said_for))
    return language.allergies.allergens.union(
        names.contrast_words, synonyms, *language.cues.values()
    )


def _merged(tables: Sequence[Mapping[str, _T]], taken: Collection[str]) -> dict[str, _T]:
    """Return the first table with what the others add to it, but for words that are `taken`."""
    own, *others = tables
    return {w: v for table in others for w, v in table.items() if w not in taken} | dict(own)


def _united(sets: Sequence[frozenset[str]], taken: Collection[str]) -> frozenset[str]:
    own, *others = sets
    return own.union(*(other.difference(taken) for other in others))


def _sets_united(parts: Sequence[_Part], taken: Collection[str]) -> dict[str, Any]:
    """Return those fields of `parts` that are sets of phrases, united."""
    united: dict[str, Any] = {}
    for name in (field.name for field in fields(parts[0])):
        own, *others = (getattr(part, name) for part in parts)
        if isinstance(own, frozenset):
            united[name] = _united([own, *others], taken)
        elif isinstance(own, Phrases):
            united[name] = Phrases.of(_united([own.said, *(p.said for p in others)], taken))
    return united
