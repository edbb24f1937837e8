"""The phrases that name something on the menu: in full, shortened, or misspelt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal

from rapidfuzz import fuzz, process

from voice_service.ordering.doubt import Doubt
from voice_service.ordering.language.pack import Cue, Language
from voice_service.ordering.language.spelling import Slips
from voice_service.ordering.language.tokens import key_of, keys_of, sound_of, tokenize
from voice_service.ordering.menu.match import ALIAS, EXACT, FULL, NEARLY_FULL, SYNONYM

Kind = Literal["item", "modifier", "size", "category", "group"]

_HEADLESS_ITEM = 0.75  # how well half an item's name matches, relative to half a modifier's
_HEADLESS = 0.1  # how much less a name matches without its last word
_INFLECTED = 0.02  # how much less a plural matches a singular name
_MOST_WORDS = 6  # longer names are neither shortened nor tried with synonyms
_FUZZY_LETTERS = 4
_MOST_LETTERS_OFF = 2
_FUZZY_RATIO = 86.0
_SOUND_RATIO = 72.0
_FEWEST_SOUNDS = 2  # consonants of a word that is known by its sound alone


_Named = tuple[Kind, str, str | None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that a phrase may name.

    `match`: how well the phrase fits its name, 1 for the name itself. `certainty`: how likely a
    guest who says the phrase means this thing, if it names nothing else.
    """

    kind: Kind
    id: str
    group: str | None
    match: float = 1.0
    certainty: float = 1.0


class Lexicon:
    """Finds the candidates that a phrase may name.

    Words are joined, so that "cheese burger" is "cheeseburger".
    """

    def __init__(self, language: Language) -> None:
        self._language = language
        # Joined keys: what they name, how well that matches, and how certain it is.
        self._keys: dict[str, dict[_Named, tuple[float, float]]] = {}
        self._surfaces: dict[str, set[_Named]] = {}  # the same by the letters as they are said
        self._words: set[str] = set()  # keys of all words in names
        self._used: dict[str, set[_Named]] = {}  # what has a word in its name
        self._without: list[tuple[tuple[str, ...], _Named, list[str]]] = []  # words left out
        self._halves: list[tuple[tuple[str, ...], _Named, float]] = []  # parts without a last word
        self._written: set[str] = set()  # all words in names, as they are written
        self._shortest: dict[str, int] = {}  # letters of an item's shortest name under a key
        # Shared by conversations on several threads, so a cache that is safe there.
        self._nearest = lru_cache(maxsize=5_000)(self._find_nearest)
        self._choices: dict[tuple[str, int], list[str]] = {}
        self._modifier_keys: list[str] = []
        self._denying = {key_of(w, language) for w in language.cues[Cue.NO]}
        self._generic = {key_of(w, language) for w in language.cues[Cue.GENERIC]}
        self.longest = 1
        self.slips = Slips((), language)

    def add(
        self,
        candidate: Candidate,
        phrases: Iterable[str],
        *,
        shorten: bool,
        heads: Collection[str] = (),
    ) -> None:
        """Name a candidate by each phrase, its synonyms and, if `shorten`, by parts of these.

        `heads` are the keys of last words that the names of its kind share, so that guests leave
        them out: "brown" for brown rice, where there is white rice as well.
        """
        target = (candidate.kind, candidate.id, candidate.group)
        for number, phrase in enumerate(phrases):
            keys = keys_of(phrase, self._language)
            if not keys:
                continue
            self._words.update(keys)
            for word in keys:
                self._used.setdefault(word, set()).add(target)
            for token in tokenize(phrase, self._language):
                self._written.add(token.text)
            surface, key = _surface(phrase, self._language), "".join(keys)
            if candidate.kind == "item":
                self._shortest[key] = min(self._shortest.get(key, len(surface)), len(surface))
            match = EXACT if number == 0 else ALIAS
            self._put(keys, target, match)
            self._surfaces.setdefault(surface, set()).add(target)
            for measure in _measured(keys, candidate.kind, self._language):
                self._put(measure, target, SYNONYM)
            for variant in _variants(keys, self._language):
                self._put(variant, target, SYNONYM)
                if shorten:
                    said = {*heads, *(variant[-1:] if keys[-1] in heads else ())}
                    self._shorten(variant, target, said)
            if shorten:
                self._shorten(keys, target, heads)

    def _shorten(self, keys: tuple[str, ...], target: _Named, heads: Collection[str]) -> None:
        if target[0] == "modifier" and keys[-1] in heads and self._tells(keys[:-1]):
            # "Double", of double shot, or "2%", of 2% milk, say all of it.
            self._put(keys[:-1], target, NEARLY_FULL)
        for part, match, certainty in _parts(keys, self._language):
            if part[0] in self._denying and keys[: len(part)] == part:
                continue  # "no sugar" is no half of "no sugar vanilla"
            if target[0] == "item":
                self._without.append((part, target, [k for k in keys if k not in part]))
            headless = certainty == Doubt.HEADLESS_NAME.certainty
            if target[0] == "item" and _leaves_out(keys, part, heads):
                # What is left out is what kind of thing it is: "a margherita".
                headed = Doubt.HEADLESS_NAME.certainty
                self._put(part, target, match * _HEADLESS_ITEM, headed)
                self._halves.append((part, target, match * _HEADLESS_ITEM))
            elif target[0] == "item" and headless:
                # Half an item's name is a guess that has to be confirmed; a modifier's is usual.
                self._put(part, target, match * _HEADLESS_ITEM, Doubt.BARELY_NAMED.certainty)
            elif target[0] == "modifier" and all(k in self._generic for k in part):
                self._put(
                    part, target, match, min(certainty, Doubt.BARELY_NAMED.certainty)
                )  # "no dressing"
            elif headless and keys[-1] in heads:
                self._put(part, target, match + _HEADLESS, certainty)
            elif headless and keys[-1] not in self._generic:
                self._put(part, target, match, certainty)
                self._halves.append((part, target, match))
            else:
                self._put(part, target, match, certainty)

    def _tells(self, part: tuple[str, ...]) -> bool:
        """Return whether words that steer an order elsewhere tell a modifier from its kind."""
        if not part or not all(_weak(key, self._language) for key in part):
            return False
        weaker = {*self._language.cues[Cue.LIGHT], *self._denying}
        contrasts = self._language.names.contrast_words - weaker
        return (len(part) > 1 and part[0].isdigit()) or contrasts.issuperset(part)

    def _uncount(self) -> None:
        """Drop parts of names that count another item: "three tacos", of "Three Taco Plate"."""
        for part, target, _ in self._without:
            counted = len(part) > 1 and part[0].isdigit() and part[0] != "0"
            rest = self._keys.get("".join(part[1:]), {}) if counted else {}
            candidates = self._keys.get("".join(part), {})
            whole = any(kind == "item" and q >= FULL for (kind, *_), (q, _) in rest.items())
            if whole and candidates.get(target, (1.0, 1.0))[0] < FULL:
                del candidates[target]
                if not candidates:
                    del self._keys["".join(part)]

    def seal(self) -> None:
        """Finish building: settle what parts of names mean, and which words may be misheard."""
        self._uncount()
        for part, target, match in self._halves:
            candidates = self._keys.get("".join(part), {})
            best, certainty = candidates.get(target, (EXACT, 1.0))
            if best == match and any(len(self._used.get(key, ())) > 1 for key in part):
                # "Egg" is not sure to be egg whites, where other names have the word as well.
                candidates[target] = (best, min(certainty, Doubt.PART_OF_OTHERS.certainty))
        for part, target, dropped in self._without:
            candidates = self._keys.get("".join(part), {})
            best, certainty = candidates.get(target, (EXACT, 1.0))
            if best < FULL and any(self._names_choice(key) for key in dropped):
                candidates[target] = (
                    best,
                    min(certainty, Doubt.PART_OF_OTHERS.certainty),
                )  # no chili on a "cheese dog"
        self._modifier_keys = [
            key
            for key, found in sorted(self._keys.items())
            if any(kind == "modifier" and q >= FULL for (kind, *_), (q, _) in found.items())
        ]
        for key in sorted(self._keys):
            if len(key) >= _FUZZY_LETTERS:
                first = sound_of(key, self._language)[:1]
                self._choices.setdefault((first, len(key)), []).append(key)
        spoken = {c: p for c, p in self._language.cues.items() if c is not Cue.HESITATION}
        steering = {word for phrases in spoken.values() for p in phrases for word in p.split()}
        everyday = {*steering, *self._language.numbers.words}
        self.slips = Slips(self._written, self._language, everyday)

    def _names_choice(self, key: str) -> bool:
        """Return whether a word alone names a modifier."""
        candidates = self._keys.get(key, {})
        return any(kind == "modifier" and q >= FULL for (kind, _, _), (q, _) in candidates.items())

    def find(self, key: str, phrase: str) -> tuple[Candidate, ...]:
        """Return everything that a phrase, with its words joined as `key`, names, best first."""
        found = self._keys.get(key)
        if found is None:
            return ()
        surface = phrase.replace(" ", "").replace("'", "")
        literal = self._surfaces.get(surface, set())
        candidates = (
            Candidate(
                kind, id_, group, q if (kind, id_, group) in literal else q - _INFLECTED, sure
            )
            for (kind, id_, group), (q, sure) in found.items()
        )
        return tuple(sorted(candidates, key=lambda s: (-s.match, s.kind, s.id, s.group or "")))

    def knows(self, word: str) -> bool:
        """Return whether a key occurs in any name on the menu."""
        return word in self._words

    def plural(self, phrase: str) -> bool:
        """Return whether `phrase` is the plural of an item's name."""
        keys = keys_of(phrase, self._language)
        letters = len(_surface(phrase, self._language))
        if any(key.isdigit() for key in keys):
            return False  # "number two" is longer than "number 2", but not several
        return letters > self._shortest.get("".join(keys), letters)

    def find_modifiers_by_sound(self, phrase: str) -> tuple[Candidate, ...]:
        """Return the modifiers whose full names sound like `phrase`: "let us" for lettuce."""
        sound = sound_of(phrase.replace(" ", ""), self._language)
        if len(sound) < _FEWEST_SOUNDS + phrase.count(" "):
            return ()
        alike = [key for key in self._modifier_keys if sound_of(key, self._language) == sound]
        found = (candidate for key in alike for candidate in self.find(key, ""))
        return tuple(s for s in found if s.kind == "modifier" and s.match >= NEARLY_FULL)

    def find_misspelt(self, key: str) -> tuple[Candidate, ...]:
        """Return what `key` names if it was misheard or mistyped; `match` says how near it is."""
        if len(key) < _FUZZY_LETTERS or key.isdigit():
            return ()
        nearest = self._nearest(key)
        if nearest is None:
            return ()
        name, ratio = nearest
        return tuple(
            Candidate(s.kind, s.id, s.group, s.match * ratio * 0.95, s.certainty * ratio * 0.95)
            for s in self.find(name, "")
        )

    def _find_nearest(self, key: str) -> tuple[str, float] | None:
        best: tuple[str, float] | None = None
        sound = sound_of(key, self._language)
        # A whole word more or less is no slip, nor is another number; these have to be explained.
        lengths = range(len(key) - _MOST_LETTERS_OFF, len(key) + _MOST_LETTERS_OFF + 1)
        near = [name for length in lengths for name in self._choices.get((sound[:1], length), ())]
        for name, ratio, _ in process.extract(
            key, near, scorer=fuzz.ratio, score_cutoff=_SOUND_RATIO, limit=5
        ):
            alike = sound_of(name, self._language)
            close = ratio >= _FUZZY_RATIO or (sound == alike and len(sound) > 1)
            if close and _digits(key) == _digits(name) and (best is None or ratio / 100 > best[1]):
                best = (name, ratio / 100)
        return best

    def _put(
        self, keys: tuple[str, ...], target: _Named, match: float, certainty: float = 1.0
    ) -> None:
        candidates = self._keys.setdefault("".join(keys), {})
        candidates[target] = max((match, certainty), candidates.get(target, (0.0, 0.0)))
        # One word more than the name has: a guest may write a compound apart.
        self.longest = max(self.longest, len(keys) + 1)


def _leaves_out(keys: tuple[str, ...], part: tuple[str, ...], heads: Collection[str]) -> bool:
    """Return whether a name without its heads is `part`."""
    return keys[: len(part)] == part and all(key in heads for key in keys[len(part) :])


def _digits(key: str) -> str:
    return "".join(filter(str.isdigit, key))


def _measured(keys: tuple[str, ...], kind: Kind, language: Language) -> list[tuple[str, ...]]:
    """Return a size or modifier as a measure before an item: "cup of", "can of"."""
    if kind not in ("size", "modifier"):
        return []
    measures = (keys_of(phrase, language) for phrase in language.cues[Cue.MEASURE])
    return [(*keys, *m[1:]) for m in sorted(set(measures)) if len(m) == 2 and m[0] == keys[-1]]


def _surface(phrase: str, language: Language) -> str:
    """Return the letters of a phrase as it is said, "PB&J" as "pbandj"."""
    return "".join(t.text.replace("'", "") for t in tokenize(phrase, language) if t.key)


def _variants(keys: tuple[str, ...], language: Language) -> Iterator[tuple[str, ...]]:
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


def _parts(
    keys: tuple[str, ...], language: Language
) -> Iterator[tuple[tuple[str, ...], float, float]]:
    """Yield shorter ways to say a name, how well they match, and how certain they mean it."""
    if not 1 < len(keys) <= _MOST_WORDS:
        return
    letters = sum(len(k) for k in keys)
    for size in range(1, len(keys)):
        for chosen in combinations(range(len(keys)), size):
            part = tuple(keys[i] for i in chosen)
            ends = {part[0], part[-1]}
            if ends & set(language.names.optional_words) or part[0] in _link_keys(language):
                continue  # "and cheese" is no way to say "mac and cheese"
            # In "sausage in batter" and "mac and cheese" the last word is not what it is.
            aside = any(k in _link_keys(language) for k in keys[: chosen[0]])
            headless = chosen[-1] != len(keys) - 1
            if headless and (chosen != tuple(range(size)) or _weak(part[-1], language)):
                continue
            if all(_weak(k, language) for k in part):
                continue
            dropped = [keys[i] for i in range(len(keys)) if i not in chosen]
            if all(k in language.names.optional_words for k in dropped):
                yield part, SYNONYM, 1.0
                continue
            share = sum(len(k) for k in part) / letters
            certainty = (
                Doubt.HEADLESS_NAME.certainty if headless or aside else Doubt.PART_OF_NAME.certainty
            )
            if headless and 2 * size < len(keys):
                certainty = Doubt.BARELY_NAMED.certainty
            if any(k in language.names.contrast_words for k in dropped):
                certainty = Doubt.BARELY_NAMED.certainty
            yield part, 0.6 + 0.3 * share - (_HEADLESS if headless else 0.0), certainty


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
