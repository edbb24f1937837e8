"""Spoken quantities: which tokens are a number, and which only look like one."""

from __future__ import annotations

from voice_service.ordering.language import Language
from voice_service.ordering.text import Token

_LARGEST = 999_999_999


def number_at(tokens: list[Token], start: int, language: Language) -> tuple[int, int] | None:
    """The whole number that begins at `start` and how many tokens it takes, or None.

    "twenty five" is one number, "three seven" is two, "2.5" and "zero" are none.
    """
    phrase = _phrase_at(tokens, start, language)
    if phrase is not None:
        return phrase
    value = _value(tokens[start], language)
    if value is None or value == 0:
        return None
    length = 1
    if tokens[start].text in language.tens and start + 1 < len(tokens):
        linked = start + 2 < len(tokens) and tokens[start + 1].text == language.tens_link
        after = start + 1 + linked
        unit = _value(tokens[after], language)
        if unit is not None and 0 < unit < 10 and not tokens[after].text.isdigit():
            value, length = value + unit, after + 1 - start
    following = start + length
    if value < 10 and following < len(tokens) and tokens[following].text == language.hundred:
        value, length = value * 100, length + 1
    return (value, length) if value <= _LARGEST else None


def _value(token: Token, language: Language) -> int | None:
    if token.text.isascii() and token.text.isdigit() and len(token.text) <= 9:
        return int(token.text)
    return language.number_words.get(token.text)


def _phrase_at(tokens: list[Token], start: int, language: Language) -> tuple[int, int] | None:
    for length in (3, 2, 1):
        words = tokens[start : start + length]
        if len(words) == length:
            value = language.number_phrases.get(" ".join(t.text for t in words))
            if value is not None:
                return value, length
    return None
