"""Turns text into tokens: what a recogniser writes, made uniform without losing a word.

A token knows which whitespace-separated word of the text it came from, so that the recogniser's
confidence can be looked up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from voice_service.ordering.language.pack import Language

_PIECE = re.compile(
    r"^-(?=\d)|\d{1,3}(?:,\d{3})+|\d+'?s\b|\d+(?:\.\d+)?"
    r"|w/o?\b|w/|[^\W\d_]+(?:'[^\W\d_]+)*'?|[.,;:!?&%$\"#]"
)
_PRICE = re.compile(r"\$(\d+)(?![\d.,]*\d)")
_STOPS = {".": ".", "!": ".", ";": ".", "?": "?", ",": ",", ":": ","}
_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'", "\u201c": '"', "\u201d": '"'})
_QUOTED = re.compile(r'(?<!\d)"')  # after a number it is the sign for inches


@dataclass(frozen=True, slots=True)
class Token:
    """A word in lower case.

    `key`: the form under which names are compared. `word`: the index of the word of the text that
    it came from.
    """

    text: str
    key: str
    word: int


def plain(text: str) -> str:
    """Return text in lower case, without accents, with straight apostrophes."""
    straight = _QUOTED.sub(" ", text.translate(_QUOTES))
    if straight.isascii():
        return straight.lower()
    decomposed = unicodedata.normalize("NFKD", straight)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lower()


@lru_cache(maxsize=20_000)
def _stem(word: str, language: Language) -> str:
    if word in language.morphology.unstemmed or len(word) < language.morphology.stem_from:
        return word
    for ending, replacement in language.morphology.plural_endings:
        if word.endswith(ending) and len(word) > len(ending):
            return word[: len(word) - len(ending)] + replacement
    return word


@lru_cache(maxsize=20_000)
def key_of(word: str, language: Language) -> str:
    """Return the form under which a word is compared: singular, number words as digits."""
    stem = _stem(word, language)
    value = language.numbers.words.get(word, language.numbers.words.get(stem))
    return stem.replace("'", "") if value is None else str(value)


def plural(name: str, language: Language) -> str:
    """Return the plural of a name; what is a plural already stays.

    The noun comes before "with" and the like; where `inflects_all`, its adjectives follow it.
    """
    words = name.split(" ")
    stops = (i for i, word in enumerate(words) if plain(word) in language.morphology.noun_ends)
    end = next(stops, len(words))
    first = 0 if language.morphology.inflects_all else max(0, end - 1)
    return " ".join([*words[:first], *(_many(w, language) for w in words[first:end]), *words[end:]])


def several(word: str, language: Language) -> bool:
    """Return whether a word has a plural ending: "colas", but not "pie" or "hummus"."""
    key = key_of(word, language)
    return key != word and not key.isdigit() and _many(word, language) == word


def undiminished(token: Token, language: Language) -> Iterator[Token]:
    """Yield the words that a token may be a diminutive of: "taquitos" are "tacos"."""
    for ending, replacement in language.morphology.diminutives:
        if token.key.endswith(ending):
            word = token.key.removesuffix(ending) + replacement
            text = plural(word, language) if several(token.text, language) else word
            yield Token(text, key_of(text, language), token.word)


def _many(word: str, language: Language) -> str:
    bare = plain(word)
    several = tuple(many for _, many in language.morphology.plurals)
    if _stem(bare, language) != bare and bare.endswith(several):
        return word
    for ending, many in language.morphology.plurals:
        if bare.endswith(ending):
            return word[: len(word) - len(ending)] + many
    return word


def _word(written: str) -> str:
    """Strip what only inflects or groups a piece of text: "2s" and "1,000" are numbers."""
    if written[0].isdigit():
        return written.replace(",", "").rstrip("s").rstrip("'")
    return written.rstrip("'") if written[0].isalpha() else written


def tokenize(text: str, language: Language) -> list[Token]:
    """Return all words and punctuation marks of `text`; punctuation has an empty key.

    Never raises. A hyphen or a change between letters and digits separates words.
    """
    tokens: list[Token] = []
    said = _PRICE.sub(r"\1$", text)  # "five dollar box"
    for index, chunk in enumerate(said.split()):
        for written in _PIECE.findall(plain(chunk)):
            word = _word(written)
            if word in _STOPS:
                if word == "." and tokens and tokens[-1].text in language.spelling.abbreviations:
                    continue
                tokens.append(Token(_STOPS[word], "", index))
                continue
            for part in language.spelling.contractions.get(word, word).split():
                tokens.append(Token(part, key_of(part, language), index))
    while tokens and not tokens[-1].key and tokens[-1].text == ",":
        tokens.pop()
    return tokens


def keys_of(phrase: str, language: Language) -> tuple[str, ...]:
    """Return the keys of a phrase's words, without punctuation."""
    return tuple(t.key for t in tokenize(phrase, language) if t.key)


@lru_cache(maxsize=20_000)
def sound_of(key: str, language: Language) -> str:
    """Return a rough consonant skeleton, which most words that sound alike share."""
    sound = key
    for written, spoken in language.spelling.sound_rules:
        sound = sound.replace(written, spoken)
    if not sound:
        return ""
    first = "a" if sound[0] in "aeiou" else sound[0]
    consonants = first + re.sub(r"[aeiou]", "", sound[1:])
    return re.sub(r"(.)\1+", r"\1", consonants)
