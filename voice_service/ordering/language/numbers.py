"""Spoken numbers: which tokens are a number, and which only look like one."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.language.pack import Language
from voice_service.ordering.language.tokens import Token

_LARGEST = 999_999_999
"""Whatever is more is as good as this: nobody can be served so many."""
_SMALLEST_SCALE = 100
"""From here on, a smaller number may follow and is added: "a hundred and one"."""


def number_at(tokens: Sequence[Token], start: int, language: Language) -> tuple[int, int] | None:
    """Return the whole number that begins at `start` and how many tokens it takes, or None.

    "twenty five" and "eighteen thousand" are one number, "three seven" is two, "2.5" and "zero" are
    none.
    """
    found = (_number_at(tokens, start, pack) for pack in language.packs)
    return next((number for number in found if number is not None), None)


def _number_at(tokens: Sequence[Token], start: int, language: Language) -> tuple[int, int] | None:
    found = _phrase_at(tokens, start, language) or _below_a_hundred(tokens, start, language)
    value, length = found or (1, 0)
    while start + length < len(tokens):
        scale = language.numbers.scales.get(tokens[start + length].text)
        if scale is None:
            break
        value, length = value * scale, length + 1
    if not length:
        return None
    rest = _rest(value, tokens, start + length, language)
    if rest is not None:
        value, length = value + rest[0], rest[1] - start
    return min(value, _LARGEST), length


def _rest(
    value: int, tokens: Sequence[Token], start: int, language: Language
) -> tuple[int, int] | None:
    """Return what "and one" adds to "a hundred", and where it ends."""
    if value % _SMALLEST_SCALE or start >= len(tokens) or tokens[start - 1].text.isdigit():
        return None
    after = start + (tokens[start].text == language.numbers.scale_link)
    if after >= len(tokens) or tokens[after].text in language.numbers.scales:
        return None
    if _below_a_hundred(tokens, after, language) is None:
        return None
    rest = _number_at(tokens, after, language)
    if rest is None or value % 10 ** len(str(rest[0])):
        return None
    return rest[0], after + rest[1]


def _below_a_hundred(
    tokens: Sequence[Token], start: int, language: Language
) -> tuple[int, int] | None:
    """Return what one word says, or a ten and its unit."""
    value = _value(tokens[start], language)
    if not value:
        return None
    if tokens[start].text in language.numbers.tens and start + 1 < len(tokens):
        linked = start + 2 < len(tokens) and tokens[start + 1].text == language.numbers.tens_link
        after = start + 1 + linked
        unit = _value(tokens[after], language)
        if unit is not None and 0 < unit < 10 and not tokens[after].text.isdigit():
            return value + unit, after + 1 - start
    return value, 1


def _value(token: Token, language: Language) -> int | None:
    if token.text.isascii() and token.text.isdigit():
        return min(int(token.text), _LARGEST)
    return language.numbers.words.get(token.text)


def _phrase_at(tokens: Sequence[Token], start: int, language: Language) -> tuple[int, int] | None:
    for length in (3, 2, 1):
        words = tokens[start : start + length]
        if len(words) == length:
            value = language.numbers.phrases.get(" ".join(t.text for t in words))
            if value is not None:
                return value, length
    return None
