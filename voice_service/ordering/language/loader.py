"""Loads the language packs: a TOML file beside this module for each language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from voice_service.ordering.language.mixing import mixed
from voice_service.ordering.language.pack import (
    Allergies,
    Cue,
    Entities,
    Language,
    Morphology,
    Names,
    Numbers,
    Phrases,
    Remarks,
    Repetition,
    Spelling,
)
from voice_service.ordering.language.tokens import plain

_PACKS = ("en", "es")


@cache
def language(tags: str) -> Language:
    """Return the pack for a BCP 47 tag, or for several with commas between: "es, en".

    Raises ValueError where there is none.
    """
    for tag in tags.split(","):
        if not understood(primary(tag)):
            raise ValueError(f"language: {tag!r} is not understood, only {', '.join(_PACKS)}")
    return _mixed(tuple(dict.fromkeys(map(primary, tags.split(",")))))


@cache
def _mixed(codes: tuple[str, ...]) -> Language:
    return mixed([_pack(code) for code in codes])


def primary(tag: str) -> str:
    """Return the ISO 639 code that a BCP 47 tag begins with."""
    return tag.partition("-")[0].strip().lower()


def understood(code: str) -> bool:
    """Return whether there is a pack for a language."""
    return code in _PACKS


@cache
def _pack(code: str) -> Language:
    text = resources.files(__package__).joinpath(f"{code}.toml").read_text("utf-8")
    pack = tomllib.loads(text)
    return Language(
        code=pack["code"],
        cues=_cues(pack),
        numbers=_numbers(pack["numbers"]),
        morphology=_morphology(pack["morphology"]),
        spelling=_spelling(pack["spelling"]),
        names=_names(pack["names"]),
        allergies=_allergies(pack["allergies"]),
        entities=_entities(pack["entities"]),
        repetition=Repetition(**{k: frozenset(said) for k, said in pack["repetition"].items()}),
        remarks=_remarks(pack["remarks"]),
        texts=pack["texts"],
    )


def _cues(pack: Mapping[str, Any]) -> dict[Cue, tuple[str, ...]]:
    """Return each cue's phrases; allergens and ordinals are phrases as well.

    For every allergen there are the ways to ask for something free of it.
    """
    cues = _by_cue(pack["cues"])
    allergies = pack["allergies"]
    free = (p.format(allergen=a) for p in allergies["free_of"] for a in allergies["allergens"])
    return cues | {
        Cue.CONDITION: (*cues[Cue.CONDITION], *free),
        Cue.ORDINAL: tuple(pack["numbers"]["ordinals"]),
    }


def _by_cue(table: Mapping[str, Sequence[str]]) -> dict[Cue, tuple[str, ...]]:
    return {Cue[name.upper()]: tuple(phrases) for name, phrases in table.items()}


def _remarks(table: Mapping[str, Any]) -> Remarks:
    return Remarks(
        classes={name: tuple(words) for name, words in table["classes"].items()},
        patterns=_by_cue(table["patterns"]),
        exceptions=_by_cue(table["exceptions"]),
    )


def _numbers(table: Mapping[str, Any]) -> Numbers:
    return Numbers(**{**table, "tens": frozenset(table["tens"])})


def _morphology(table: Mapping[str, Any]) -> Morphology:
    return Morphology(
        stem_from=table["stem_from"],
        plural_endings=_pairs(table["plural_endings"]),
        unstemmed=frozenset(table["unstemmed"]),
        plurals=_pairs(table["plurals"]),
        diminutives=_pairs(table["diminutives"]),
        noun_ends=frozenset(table["noun_ends"]),
        inflects_all=table["inflects_all"],
        head_first=table["head_first"],
    )


def _spelling(table: Mapping[str, Any]) -> Spelling:
    return Spelling(
        abbreviations=frozenset(table["abbreviations"]),
        contractions=table["contractions"],
        junctures=table["junctures"],
        sound_rules=_pairs(table["sound_rules"]),
    )


def _names(table: Mapping[str, Any]) -> Names:
    return Names(
        optional_words=frozenset(table["optional_words"]),
        ordinary_words=frozenset(table["ordinary_words"]),
        contrast_words=frozenset(table["contrast_words"]),
        synonyms=tuple(tuple(group) for group in table["synonyms"]),
        said_for=tuple(tuple(group) for group in table["said_for"]),
        numbered_names=tuple(table["numbered_names"]),
        glossary={plain(name): tuple(names) for name, names in table["glossary"].items()},
    )


def _allergies(table: Mapping[str, Any]) -> Allergies:
    return Allergies(
        allergens=frozenset(table["allergens"]),
        denials=frozenset(table["denials"]),
        denial_links=frozenset(table["denial_links"]),
    )


def _entities(table: Mapping[str, Any]) -> Entities:
    words = {kind: tuple(map(plain, said)) for kind, said in table.items()}
    fields: dict[str, Any] = {kind: Phrases.of(said) for kind, said in words.items()}
    for kind in ("zeros", "given_names"):
        fields[kind] = frozenset(words[kind])
    return Entities(**{**fields, "verb_endings": words["verb_endings"]})


def _pairs(rows: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in rows)
