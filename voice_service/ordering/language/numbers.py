"""Spoken numbers: which tokens are a number, and which only look like one."""

from __future__ import annotations

from voice_service.ordering.language.pack import Language
from voice_service.ordering.language.tokens import Token

_LARGEST = 999_999_999


def number_at(tokens: list[Token], start: int, language: Language) -> tuple[int, int] | None:
    """Return the whole number that begins at `start` and how many tokens it takes, or None.

    "twenty five" is one number, "three seven" is two, "2.5" and "zero" are none.
    """
    found = (_number_at(tokens, start, pack) for pack in language.packs)
    return next((number for number in found if number is not None), None)


def _number_at(tokens: list[Token], start: int, language: Language) -> tuple[int, int] | None:
    found = _phrase_at(tokens, start, language) or _below_a_thousand(tokens, start, language)
    if found is None:
        return None
    value, length = found
    rest = _behind_hundreds(value, tokens[start + length :], language)
    if rest is not None:
        value, length = value + rest[0], length + rest[1]
    return (value, length) if value <= _LARGEST else None


def _behind_hundreds(value: int, tokens: list[Token], language: Language) -> tuple[int, int] | None:
    """Return what "and one" adds to "a hundred", and how many tokens it takes."""
    if (
        value == 0
        or value % 100
        or len(tokens) < 2
        or tokens[0].text != language.numbers.hundred_link
    ):
        return None
    rest = _below_a_thousand(tokens, 1, language)
    return (rest[0], rest[1] + 1) if rest is not None and rest[0] < 100 else None


def _below_a_thousand(
    tokens: list[Token], start: int, language: Language
) -> tuple[int, int] | None:
    value = _value(tokens[start], language)
    if value is None or value == 0:
        return None
    length = 1
    if tokens[start].text in language.numbers.tens and start + 1 < len(tokens):
        linked = start + 2 < len(tokens) and tokens[start + 1].text == language.numbers.tens_link
        after = start + 1 + linked
        unit = _value(tokens[after], language)
        if unit is not None and 0 < unit < 10 and not tokens[after].text.isdigit():
            value, length = value + unit, after + 1 - start
    following = start + length
    if (
        value < 10
        and following < len(tokens)
        and tokens[following].text == language.numbers.hundred
    ):
        value, length = value * 100, length + 1
    return value, length


def _value(token: Token, language: Language) -> int | None:
    if token.text.isascii() and token.text.isdigit() and len(token.text) <= 9:
        return int(token.text)
    return language.numbers.words.get(token.text)


def _phrase_at(tokens: list[Token], start: int, language: Language) -> tuple[int, int] | None:
    for length in (3, 2, 1):
        words = tokens[start : start + length]
        if len(words) == length:
            value = language.numbers.phrases.get(" ".join(t.text for t in words))
            if value is not None:
                return value, length
    return None
