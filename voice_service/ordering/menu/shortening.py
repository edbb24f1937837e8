"""The ways in which guests say a name: with other words for the same, or with fewer words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from voice_service.ordering.doubt import Doubt
from voice_service.ordering.language.pack import Cue, Language
from voice_service.ordering.language.tokens import key_of, keys_of, tokenize
from voice_service.ordering.menu.match import SYNONYM

HEADLESS = 0.1
"""How much less a name matches without the word that says what it is."""
_MOST_WORDS = 6  # longer names are neither shortened nor tried with synonyms


def measured(
    keys: tuple[str, ...], kind: str, group: str, language: Language
) -> Iterator[tuple[str, ...]]:
    """Yield a size or modifier as a measure before what it measures: "cup of", "can of".

    A modifier may say what that is, or its `group` may: an espresso shot is a "shot of espresso",
    and a double shot of the espresso shots a "double espresso shot".
    """
    if kind not in ("size", "modifier"):
        return
    measures = sorted({keys_of(phrase, language) for phrase in language.cues[Cue.MEASURE]})
    *what, noun = keys_of(group, language) or ("",)
    for measure in (m for m in measures if len(m) == 2 and m[0] == keys[-1]):
        yield (*keys, *measure[1:])
        if kind == "modifier" and len(keys) > 1:
            yield (*measure, *keys[:-1])
        if what and noun == keys[-1] and what != [*keys[:-1]]:
            yield (*keys, *measure[1:], *what)
            yield (*keys[:-1], *what, noun)


def surface(phrase: str, language: Language) -> str:
    """Return the letters of a phrase as it is said, "PB&J" as "pbandj"."""
    return "".join(t.text.replace("'", "") for t in tokenize(phrase, language) if t.key)


def variants(keys: tuple[str, ...], language: Language) -> Iterator[tuple[str, ...]]:
    """Yield the phrase with one or two words replaced by synonyms."""
    if len(keys) > _MOST_WORDS:
        return
    first = [*_replaced(keys, language), *_said_for(keys, language)]
    seen = {keys}
    for variant in first + [v2 for v1 in first for v2 in _replaced(v1, language)]:
        if variant not in seen:
            seen.add(variant)
            yield variant


def _replaced(keys: tuple[str, ...], language: Language) -> Iterator[tuple[str, ...]]:
    for group in language.names.synonyms:
        members = [keys_of(phrase, language) for phrase in group]
        yield from _swapped(keys, members, members)


def _said_for(keys: tuple[str, ...], language: Language) -> Iterator[tuple[str, ...]]:
    for first, *others in language.names.said_for:
        yield from _swapped(
            keys, [keys_of(first, language)], [keys_of(other, language) for other in others]
        )


def _swapped(
    keys: tuple[str, ...], named: list[tuple[str, ...]], replacements: list[tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """Yield `keys` with the longest of `named` in it replaced by each of `replacements`."""
    hits = [
        (len(member), start, member)
        for member in named
        for start in range(len(keys) - len(member) + 1)
        if keys[start : start + len(member)] == member
    ]
    if not hits:
        return
    length, start, member = max(hits)
    for other in replacements:
        if other != member:
            yield keys[:start] + other + keys[start + length :]


def parts(
    keys: tuple[str, ...], language: Language
) -> Iterator[tuple[tuple[str, ...], float, Doubt | None]]:
    """Yield shorter ways to say a name, how well they match, and what is doubtful about them."""
    if not 1 < len(keys) <= _MOST_WORDS:
        return
    letters = sum(len(k) for k in keys)
    head = head_of(keys, language)
    for size in range(1, len(keys)):
        bare = range(len(keys) - size, len(keys)) if head == 0 else range(size)
        for chosen in combinations(range(len(keys)), size):
            part = tuple(keys[i] for i in chosen)
            ends = {part[0], part[-1]}
            if ends & set(language.names.optional_words) or part[0] in _link_keys(language):
                continue  # "and cheese" is no way to say "mac and cheese"
            # In "sausage in batter" and "mac and cheese" the last word is not what it is.
            aside = any(k in _link_keys(language) for k in keys[: chosen[0]])
            headless = head not in chosen
            if headless and (chosen != tuple(bare) or _weak(part[-1], language)):
                continue
            if all(_weak(k, language) for k in part):
                continue
            dropped = [keys[i] for i in range(len(keys)) if i not in chosen]
            if all(k in language.names.optional_words for k in dropped):
                yield part, SYNONYM, None
                continue
            share = sum(len(k) for k in part) / letters
            doubt = Doubt.HEADLESS_NAME if headless or aside else Doubt.PART_OF_NAME
            if headless and 2 * size < len(keys):
                doubt = Doubt.BARELY_NAMED
            if any(k in language.names.contrast_words for k in dropped):
                doubt = Doubt.BARELY_NAMED
            yield part, 0.6 + 0.3 * share - (HEADLESS if headless else 0.0), doubt


def head_of(keys: Sequence[str], language: Language) -> int:
    """Return which word of a name says what it is: that of "cheese pizza" is its last."""
    if not language.morphology.head_first:
        return len(keys) - 1
    return next((i for i, key in enumerate(keys) if not _weak(key, language)), 0)


def _weak(key: str, language: Language) -> bool:
    """Return whether a word says too little to stand for a name."""
    return key.isdigit() or len(key) < 3 or key in _cue_keys(language)


def _link_keys(language: Language) -> frozenset[str]:
    """Return the keys of words after which a name only says what else is in it: "with"."""
    links = (*language.cues[Cue.AND], *language.cues[Cue.WITH], *language.cues[Cue.ON])
    return frozenset(key_of(word, language) for word in links if " " not in word)


_CUE_KEYS: dict[Language, frozenset[str]] = {}


def _cue_keys(language: Language) -> frozenset[str]:
    """Return the keys of single words that are cues; alone, they never stand for a name."""
    if language not in _CUE_KEYS:
        _CUE_KEYS[language] = frozenset(
            key_of(phrase, language)
            for cue, phrases in language.cues.items()
            for phrase in phrases
            if cue is not Cue.GENERIC and " " not in phrase
        )
    return _CUE_KEYS[language]
