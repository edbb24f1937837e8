"""What guests say that names no food: a complaint, a call for a person, small talk, a closing.

Each language describes them by patterns over classes of words, such as `<talk> .. <person>`:

`word`, `one|other`   one of these words
`<class>`             a word or phrase of a class
`<thing>`             up to four words that name something on the menu
`<about>`             `.. <thing>`, or nothing
`<number>`            a number
`..`                  up to four words that name nothing, without a pause
`...`                 all to the end of the sentence
`^`, `$`              where a clause begins or ends
`>`                   what is behind it has to follow, and is no part of the remark
`?`, `*`              behind one of these: it may be missing, or be repeated

Words that the menu uses are its own ("manager's special"), but for `<thing>` and a class behind
`~` ("~<bad>": "cold" fries).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from voice_service.ordering.language.cue_sets import STARTS_COMMAND
from voice_service.ordering.language.pack import Cue, Language
from voice_service.ordering.language.tokens import Token
from voice_service.ordering.menu.lexicon import Lexicon
from voice_service.ordering.menu.match import FULL

_NAMED, _COUNT = "~", "#"
_TO_STAFF = (Cue.STAFF, Cue.COMPLAINT)
_NO_CUES: frozenset[Cue] = frozenset()
_ELEMENT = re.compile(r"(~?)([^\s?*]+)([?*]?)")


_WORDS = rf"(?:[^ ,.?{_NAMED}]+ ){{0,4}}"
_THING = rf"(?:[^ ,.?]+{_NAMED} ){{1,4}}"
_BUILT_IN = {
    "..": f"{_WORDS}?",
    "...": "[^.?]*",
    "^": r"(?:^|(?<=[,.?] ))",
    "$": "(?=$|[,.?])",
    "<thing>": _THING,
    "<about>": f"(?:{_WORDS}{_THING})?",
    "<number>": rf"[^ ,.?]+{_COUNT} ",
}


@dataclass(frozen=True, slots=True)
class Remark:
    """Tokens `start` to `end`, which together do what `cue` says."""

    start: int
    end: int
    cue: Cue


class RemarkReader:
    """Finds the remarks of an utterance. Pure."""

    def __init__(
        self, lexicon: Lexicon, language: Language, cues: Mapping[str, frozenset[Cue]]
    ) -> None:
        """`cues`: what each phrase of the language may do."""
        self._lexicon = lexicon
        self._cues = cues
        self._grammar = _grammar(language)

    def read(self, tokens: Sequence[Token]) -> list[Remark]:
        """The remarks in order; they do not overlap."""
        marks = [self._mark(token) for token in tokens]
        said = _Said.of(tokens, marks)
        found: list[Remark] = []
        for cue, patterns, exceptions in self._grammar:
            matches = list(patterns.find(said))
            barred = list(exceptions.find(said)) if matches else []
            for start, end in matches:
                remark = Remark(start, end, cue)
                if cue is Cue.FILLER and self._names_choice(tokens[start:end]):
                    continue
                if not any(_overlap(start, end, *span) for span in barred) and not any(
                    _overlap(start, end, other.start, other.end) for other in found
                ):
                    whole = cue is not Cue.UNIT
                    found.append(self._whole(remark, tokens, marks, found) if whole else remark)
        return sorted(found, key=lambda remark: remark.start)

    def _names_choice(self, words: Sequence[Token]) -> bool:
        """Return whether the menu has a choice called so in several words: "make that to go"."""
        for start in range(len(words)):
            for end in range(start + 2, len(words) + 1):
                part = words[start:end]
                found = self._lexicon.find("".join(t.key for t in part), "")
                if any(s.kind == "modifier" and s.match >= FULL for s in found):
                    return True
        return False

    def _mark(self, token: Token) -> str:
        """How a word is marked that names something, or counts."""
        if token.key.isdigit():
            return _COUNT
        if not token.key:
            return ""
        everyday = token.text in self._cues
        named = not everyday and self._lexicon.knows(token.key)
        return _NAMED if named or self._lexicon.find(token.key, token.text) else ""

    def _whole(
        self, remark: Remark, tokens: Sequence[Token], marks: Sequence[str], found: list[Remark]
    ) -> Remark:
        """The remark with the words around it that belong to no order: "could I … please"."""
        taken = {i for other in found for i in range(other.start, other.end)}
        start = remark.start
        while start > 0 and tokens[start - 1].key and start - 1 not in taken:
            start -= 1
        end = remark.end
        while end < len(tokens) and tokens[end].key and end not in taken:
            end += 1
        if self._orders(tokens[start : remark.start], marks[start : remark.start], remark.cue):
            start = remark.start
        if self._orders(tokens[remark.end : end], marks[remark.end : end], remark.cue):
            end = remark.end
        return Remark(start, end, remark.cue)

    def _orders(self, words: Sequence[Token], marks: Sequence[str], cue: Cue) -> bool:
        """Return whether words beside a remark may order something, or give a command."""
        cues = [self._cues.get(word.text, _NO_CUES) for word in words]
        unclear = cue not in _TO_STAFF and (_COUNT in marks or not all(cues))
        return unclear or _NAMED in marks or any(not one.isdisjoint(STARTS_COMMAND) for one in cues)


def _overlap(start: int, end: int, other_start: int, other_end: int) -> bool:
    return start < other_end and other_start < end


@dataclass(frozen=True, slots=True)
class _Said:
    """An utterance as the patterns read it: `text`, and where in it each token starts."""

    tokens: Sequence[Token]
    text: str
    starts: Sequence[int]
    indexes: Mapping[int, int]

    @classmethod
    def of(cls, tokens: Sequence[Token], marks: Sequence[str]) -> _Said:
        words = [f"{token.text}{mark} " for token, mark in zip(tokens, marks, strict=True)]
        starts = [0, *accumulate(map(len, words))]
        return cls(tokens, "".join(words), starts, {at: i for i, at in enumerate(starts)})


class _Patterns:
    """Patterns by the words that they may begin with."""

    def __init__(self, patterns: Sequence[str], classes: Mapping[str, tuple[str, ...]]) -> None:
        self._by_word: dict[str, list[re.Pattern[str]]] = defaultdict(list)
        for pattern in patterns:
            compiled = re.compile("".join(_elements(pattern, classes)))
            for word in _beginnings(pattern, classes):
                self._by_word[word].append(compiled)

    def find(self, said: _Said) -> Iterator[tuple[int, int]]:
        """Where tokens match a pattern, from left to right."""
        done = 0
        for index, token in enumerate(said.tokens):
            if index < done:
                continue
            for pattern in (*self._by_word.get(token.text, ()), *self._by_word.get("", ())):
                match = pattern.match(said.text, said.starts[index])
                if match and match.end() > match.start():
                    done = said.indexes[match.end()]
                    yield index, done
                    break


_Grammar = tuple[tuple[Cue, _Patterns, _Patterns], ...]


@cache
def _grammar(language: Language) -> _Grammar:
    """The patterns of a language for each cue, and what is none."""
    return tuple(
        (
            cue,
            _Patterns(patterns, remarks.classes),
            _Patterns(remarks.exceptions.get(cue, ()), remarks.classes),
        )
        for remarks in (pack.remarks for pack in language.packs)
        for cue, patterns in remarks.patterns.items()
    )


def _beginnings(pattern: str, classes: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The words that a pattern may begin with; "" stands for any."""
    words: set[str] = set()
    for _, element, often in _ELEMENT.findall(pattern):
        if element == "^":
            continue
        for one in element.split("|"):
            phrases = ("",) if one in _BUILT_IN else classes.get(one[1:-1], (one,))
            words |= {phrase.partition(" ")[0] for phrase in phrases}
        if not often:
            break
    return words


def _elements(pattern: str, classes: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The parts of an expression that a pattern says."""
    pattern, _, ahead = pattern.partition(" > ")
    if ahead:
        yield from _elements(pattern, classes)
        yield f"(?={''.join(_elements(ahead, classes))})"
        return
    for marked, element, often in _ELEMENT.findall(pattern):
        mark = f"[{_NAMED}{_COUNT}]?" if marked else f"{_COUNT}?"
        options = [_option(one, classes, mark) for one in element.split("|")]
        yield f"(?:{'|'.join(options)}){often}"


def _option(element: str, classes: Mapping[str, tuple[str, ...]], mark: str) -> str:
    if element in _BUILT_IN:
        return _BUILT_IN[element]
    phrases = classes[element[1:-1]] if element.startswith("<") else (element,)
    return "|".join(
        "".join(f"{re.escape(word)}{mark} " for word in phrase.split())
        for phrase in sorted(phrases, key=len, reverse=True)
    )
