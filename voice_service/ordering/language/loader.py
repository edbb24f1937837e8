"""Loads the language packs: a TOML file beside this module for each language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from pydantic import TypeAdapter

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

LANGUAGES = ("en", "es")
"""ISO 639 codes of the languages in which orders are understood."""
_Part = TypeVar("_Part")


@cache
def language(tags: str) -> Language:
    """Return the pack for a BCP 47 tag, or for several with commas between: "es, en".

    Raises ValueError where there is none.
    """
    for tag in tags.split(","):
        if not understood(primary(tag)):
            raise ValueError(f"language: {tag!r} is not understood, only {', '.join(LANGUAGES)}")
    return _mixed(tuple(dict.fromkeys(map(primary, tags.split(",")))))


@cache
def _mixed(codes: tuple[str, ...]) -> Language:
    return mixed([_pack(code) for code in codes])


def primary(tag: str) -> str:
    """Return the ISO 639 code that a BCP 47 tag begins with."""
    return tag.partition("-")[0].strip().lower()


def understood(code: str) -> bool:
    """Return whether there is a pack for a language."""
    return code in LANGUAGES


@cache
def _pack(code: str) -> Language:
    text = resources.files(__package__).joinpath(f"{code}.toml").read_text("utf-8")
    pack = tomllib.loads(text)
    names, remarks = pack["names"], pack["remarks"]
    glossary = {plain(name): said for name, said in names["glossary"].items()}
    patterns, exceptions = _by_cue(remarks["patterns"]), _by_cue(remarks["exceptions"])
    return Language(
        code=pack["code"],
        cues=_cues(pack),
        numbers=_part(Numbers, pack["numbers"]),
        morphology=_part(Morphology, pack["morphology"]),
        spelling=_part(Spelling, pack["spelling"]),
        names=_part(Names, {**names, "glossary": glossary}),
        allergies=_part(Allergies, pack["allergies"]),
        entities=_entities(pack["entities"]),
        repetition=_part(Repetition, pack["repetition"]),
        remarks=_part(Remarks, {**remarks, "patterns": patterns, "exceptions": exceptions}),
        texts=pack["texts"],
    )


def _part(kind: type[_Part], table: Mapping[str, Any]) -> _Part:
    """Return a part of a pack, with its lists as the tuples and sets that the part has."""
    return TypeAdapter(kind).validate_python(table)


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


def _entities(table: Mapping[str, Any]) -> Entities:
    words = {kind: tuple(map(plain, said)) for kind, said in table.items()}
    fields: dict[str, Any] = {kind: Phrases.of(said) for kind, said in words.items()}
    for kind in ("zeros", "given_names"):
        fields[kind] = frozenset(words[kind])
    return Entities(**{**fields, "verb_endings": words["verb_endings"]})
