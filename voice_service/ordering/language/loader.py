"""The language packs that come with us: a TOML file beside this module for each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from voice_service.ordering.language.pack import Cue, Language
from voice_service.ordering.language.tokens import plain

_PACKS = ("en", "es")


@cache
def language(tag: str) -> Language:
    """The pack for a BCP 47 tag. Raises ValueError where there is none."""
    code = tag.partition("-")[0].lower()
    if code not in _PACKS:
        raise ValueError(f"language: {tag!r} is not understood, only {', '.join(_PACKS)}")
    text = resources.files(__package__).joinpath(f"{code}.toml").read_text("utf-8")
    pack = tomllib.loads(text)
    numbers = pack["numbers"]
    return Language(
        code=pack["code"],
        cues={**_cues(pack), Cue.ORDINAL: tuple(numbers["ordinals"])},
        contractions=pack["contractions"],
        number_words=numbers["words"],
        tens=frozenset(numbers["tens"]),
        hundred=numbers["hundred"],
        hundred_link=numbers["hundred_link"],
        number_phrases=numbers["phrases"],
        number_sounds=numbers["sounds"],
        ordinals=numbers["ordinals"],
        plural_endings=_pairs(pack["plural_endings"]),
        stem_from=pack["stem_from"],
        plurals=_pairs(pack["plurals"]),
        noun_ends=frozenset(pack["noun_ends"]),
        inflects_all=pack["inflects_all"],
        unstemmed=frozenset(pack["unstemmed"]),
        abbreviations=frozenset(pack["abbreviations"]),
        synonyms=tuple(tuple(group) for group in pack["synonyms"]),
        said_for=tuple(tuple(group) for group in pack["said_for"]),
        contrast_words=frozenset(pack["contrast_words"]),
        ordinary_words=frozenset(pack["ordinary_words"]),
        optional_words=frozenset(pack["optional_words"]),
        glossary={plain(name): tuple(said) for name, said in pack["glossary"].items()},
        numbered_names=tuple(pack["numbered_names"]),
        allergens=frozenset(pack["allergens"]),
        denials=frozenset(pack["denials"]),
        denial_links=frozenset(pack["denial_links"]),
        tens_link=numbers["tens_link"],
        sound_rules=_pairs(pack["sound_rules"]),
        texts=pack["texts"],
    )


def _cues(pack: Mapping[str, Any]) -> dict[Cue, tuple[str, ...]]:
    """Each cue's phrases, and for every allergen the ways to ask for something free of it."""
    cues = {Cue[name.upper()]: tuple(phrases) for name, phrases in pack["cues"].items()}
    free = (said.format(allergen=a) for said in pack["free_of"] for a in pack["allergens"])
    return cues | {Cue.CONDITION: (*cues[Cue.CONDITION], *free)}


def _pairs(rows: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in rows)
