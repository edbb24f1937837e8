"""The phrases that name something on the menu: in full, shortened, or misspelt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple

from rapidfuzz import fuzz, process

from voice_service.ordering.doubt import SHORTENED, Doubt, Doubts
from voice_service.ordering.language.pack import Cue, Language
from voice_service.ordering.language.spelling import Slip, Slips
from voice_service.ordering.language.tokens import key_of, keys_of, sound_of, tokenize
from voice_service.ordering.menu.match import ALIAS, EXACT, FULL, NEARLY_FULL, SYNONYM
from voice_service.ordering.menu.shortening import (
    HEADLESS,
    head_of,
    measured,
    parts,
    surface,
    variants,
)

Kind = Literal["item", "modifier", "size", "category", "group"]

_HEADLESS_ITEM = 0.75  # how well half an item's name matches, relative to half a modifier's
_INFLECTED = 0.02  # how much less a plural matches a singular name
_MOST_AMID = 4  # words of a name of which one may be misheard
_MARGIN_AMID = 0.1  # it has to be nearer to one word than to any other by this much
_FUZZY_LETTERS = 4
_MOST_LETTERS_OFF = 2
_FUZZY_RATIO = 86.0
_SOUND_RATIO = 72.0
_FEWEST_SOUNDS = 2  # consonants of a word that is known by its sound alone


_Named = tuple[Kind, str, str | None]


class _Part(NamedTuple):
    """The keys of a name, or of a part of it, what they name, and in which language."""

    keys: tuple[str, ...]
    target: _Named
    language: Language


_Match = tuple[float, Doubt | None]
"""How well the keys match a name, and what speaks against their meaning it."""
_GRAVITY = (None, *SHORTENED)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that a phrase may name.

    `match`: how well the phrase fits its name, 1 for the name itself. `doubts`: what speaks
    against a guest who says the phrase meaning this thing, if it names nothing else.
    """

    kind: Kind
    id: str
    group: str | None
    match: float = 1.0
    doubts: Doubts = ()

    def doubted(self, doubt: Doubt) -> Candidate:
        """Return the candidate with one doubt more."""
        return replace(self, doubts=(*self.doubts, doubt))


class Lexicon:
    """Finds the candidates that a phrase may name.

    Words are joined, so that "cheese burger" is "cheeseburger".
    """

    def __init__(self, language: Language) -> None:
        self._language = language
        # By language, joined keys: what they name, how well that matches, and what is doubtful.
        self._keys: dict[Language, dict[str, dict[_Named, _Match]]] = {
            pack: {} for pack in language.packs
        }
        self._surfaces: dict[str, set[_Named]] = {}  # the same by the letters as they are said
        self._words: set[str] = set()  # keys of all words in names
        self._used: dict[str, set[_Named]] = {}  # what has a word in its name
        self._without: list[tuple[_Part, list[str]]] = []  # words left out
        self._amid: dict[tuple[str, ...], set[str]] = {}  # words of names by those around them
        self._halves: list[tuple[_Part, float]] = []  # parts without the word that says what it is
        self._written: set[str] = set()  # all words in names, as they are written
        self._shortest: dict[str, int] = {}  # letters of an item's shortest name under a key
        # Shared by conversations on several threads, so a cache that is safe there.
        self._nearest = lru_cache(maxsize=5_000)(self._find_nearest)
        self._choices: dict[tuple[Language, str, int], list[str]] = {}
        self._modifier_keys: list[str] = []
        self._denying = _keys_of_all(language, Cue.NO)
        self._generic = _keys_of_all(language, Cue.GENERIC)
        self.longest = 1
        self.slips = Slips((), language)

    def add(
        self,
        candidate: Candidate,
        phrases: Iterable[str],
        *,
        shorten: bool,
        heads: Collection[str] = (),
        kind: str = "",
        language: Language | None = None,
    ) -> None:
        """Name a candidate by each phrase, its synonyms and, if `shorten`, by parts of these.

        `heads` are the keys of words that say what the things of its kind are, so that guests
        leave them out: "brown" for brown rice, where there is white rice as well. `kind`: what
        its group is called. `language` is that of the phrases; guests who mix languages say them
        in full in the others as well.
        """
        target = (candidate.kind, candidate.id, candidate.group)
        own = language or self._language.packs[0]
        for number, phrase in enumerate(phrases):
            keys = keys_of(phrase, own)
            if not keys:
                continue
            self._written.update(token.text for token in tokenize(phrase, own))
            letters = surface(phrase, own)
            self._surfaces.setdefault(letters, set()).add(target)
            for pack in self._language.packs:
                known = keys_of(phrase, pack)
                self._words.update(known)
                for word in known:
                    self._used.setdefault(word, set()).add(target)
                if candidate.kind == "item":
                    key = "".join(known)
                    self._shortest[key] = min(self._shortest.get(key, len(letters)), len(letters))
                self._put(_Part(known, target, pack), EXACT if number == 0 else ALIAS)
            if candidate.kind in ("item", "modifier") and own is self._language.packs[0]:
                self._put_amid(phrase, own)
            for measure in measured(keys, candidate.kind, kind, own):
                self._put(_Part(measure, target, own), SYNONYM)
            for variant in variants(keys, own):
                self._put(_Part(variant, target, own), SYNONYM)
                if shorten:
                    # A synonym of a head is one: "pie", for pizza.
                    head = keys[head_of(keys, own)]
                    also = {variant[head_of(variant, own)]} if head in heads else set()
                    self._shorten(_Part(variant, target, own), {*heads, *also})
            if shorten:
                self._shorten(_Part(keys, target, own), heads)

    def _put_amid(self, phrase: str, language: Language) -> None:
        """Let each word of a name be found by the words around it."""
        words = [token for token in tokenize(phrase, language) if token.key]
        for at, word in enumerate(words if 1 < len(words) <= _MOST_AMID else ()):
            around = tuple("" if i == at else w.key for i, w in enumerate(words))
            self._amid.setdefault(around, set()).add(word.text)

    def find_amid(self, keys: Sequence[str], at: int, heard: str) -> Slip | None:
        """Return the word that names something where the one `at` was `heard`, among these keys.

        "Wheat toes" are wheat toast, if no other name begins like that and sounds like it.
        """
        around = tuple("" if i == at else key for i, key in enumerate(keys))
        near = sorted(
            ((self.slips.nearness(heard, word), word) for word in self._amid.get(around, ())),
            reverse=True,
        )
        if not near or (len(near) > 1 and near[0][0] - near[1][0] < _MARGIN_AMID):
            return None
        return Slip(near[0][1], near[0][0])

    def _shorten(self, name: _Part, heads: Collection[str]) -> None:
        keys, target, language = name
        head = head_of(keys, language)
        bare = (*keys[:head], *keys[head + 1 :])
        units = {key_of(unit, language) for unit in language.cues[Cue.UNIT]}
        numbered = len(bare) > 1 and bare[0].isdigit() and units.issuperset(bare[1:])
        if target[0] == "modifier" and keys[head] in heads and numbered:
            # "2%", of 2% milk, says all of it.
            self._put(name._replace(keys=bare), NEARLY_FULL)
        for short, match, doubt in parts(keys, language):
            if short[0] in self._denying and keys[: len(short)] == short:
                continue  # "no sugar" is no half of "no sugar vanilla"
            part = name._replace(keys=short)
            dropped = [k for k in keys if k not in short]
            headless = doubt is Doubt.HEADLESS_NAME
            if target[0] == "item":
                self._without.append((part, dropped))
            if target[0] == "item" and keys[head] in dropped and {*heads}.issuperset(dropped):
                # What is left out is what kind of thing it is: "a margherita".
                self._put(part, match * _HEADLESS_ITEM, Doubt.HEADLESS_NAME)
                self._halves.append((part, match * _HEADLESS_ITEM))
            elif target[0] == "item" and headless:
                # Half an item's name is a guess that has to be confirmed; a modifier's is usual.
                self._put(part, match * _HEADLESS_ITEM, Doubt.BARELY_NAMED)
            elif target[0] == "modifier" and all(k in self._generic for k in short):
                # "no dressing"
                self._put(part, match, _graver(doubt, Doubt.BARELY_NAMED))
            elif headless and keys[head] in heads:
                self._put(part, match + HEADLESS, doubt)
            elif headless and keys[head] not in self._generic:
                self._put(part, match, doubt)
                self._halves.append((part, match))
            else:
                self._put(part, match, doubt)

    def _uncount(self) -> None:
        """Drop parts of names that count another item: "three tacos", of "Three Taco Plate"."""
        for part, _ in self._without:
            words, target, language = part
            counted = len(words) > 1 and words[0].isdigit() and words[0] != "0"
            rest = self._named(part._replace(keys=words[1:])) if counted else {}
            candidates = self._named(part)
            whole = any(kind == "item" and q >= FULL for (kind, *_), (q, _) in rest.items())
            if whole and candidates.get(target, (1.0, None))[0] < FULL:
                del candidates[target]
                if not candidates:
                    del self._keys[language]["".join(words)]

    def seal(self) -> None:
        """Finish building: settle what parts of names mean, and which words may be misheard."""
        self._uncount()
        for part, match in self._halves:
            candidates = self._named(part)
            best, doubt = candidates.get(part.target, (EXACT, None))
            if best == match and any(len(self._used.get(key, ())) > 1 for key in part.keys):
                # "Egg" is not sure to be egg whites, where other names have the word as well.
                candidates[part.target] = (best, _graver(doubt, Doubt.PART_OF_OTHERS))
        for part, dropped in self._without:
            candidates = self._named(part)
            best, doubt = candidates.get(part.target, (EXACT, None))
            choice = any(self._names_choice(part._replace(keys=(key,))) for key in dropped)
            if best < FULL and choice:
                # no chili on a "cheese dog"
                candidates[part.target] = (best, _graver(doubt, Doubt.PART_OF_OTHERS))
        self._modifier_keys = [
            key
            for key, found in sorted(self._keys[self._language.packs[0]].items())
            if any(kind == "modifier" and q >= FULL for (kind, *_), (q, _) in found.items())
        ]
        for language, names in self._keys.items():
            for key in sorted(names):
                if len(key) >= _FUZZY_LETTERS:
                    first = sound_of(key, language)[:1]
                    self._choices.setdefault((language, first, len(key)), []).append(key)
        spoken = {c: p for c, p in self._language.cues.items() if c is not Cue.HESITATION}
        steering = {word for phrases in spoken.values() for p in phrases for word in p.split()}
        numbers = self._language.numbers
        everyday = {*steering, *numbers.words, *numbers.scales}
        self.slips = Slips(self._written, self._language, everyday)

    def _names_choice(self, word: _Part) -> bool:
        """Return whether a word alone names a modifier."""
        named = self._named(word).items()
        return any(kind == "modifier" and q >= FULL for (kind, _, _), (q, _) in named)

    def _named(self, part: _Part) -> dict[_Named, _Match]:
        return self._keys[part.language].get("".join(part.keys), {})

    def find(
        self, key: str, phrase: str, language: Language | None = None
    ) -> tuple[Candidate, ...]:
        """Return everything that a phrase, with its words joined as `key`, names, best first.

        Only what it names in `language`; without that, in the first language that knows it.
        """
        packs = self._language.packs if language is None else (language,)
        found = next((self._keys[pack][key] for pack in packs if key in self._keys[pack]), None)
        if found is None:
            return ()
        surface = phrase.replace(" ", "").replace("'", "")
        literal = self._surfaces.get(surface, set())
        candidates = (
            Candidate(
                kind,
                id_,
                group,
                q if (kind, id_, group) in literal else q - _INFLECTED,
                () if doubt is None else (doubt,),
            )
            for (kind, id_, group), (q, doubt) in found.items()
        )
        return tuple(sorted(candidates, key=lambda s: (-s.match, s.kind, s.id, s.group or "")))

    def knows(self, word: str) -> bool:
        """Return whether a key occurs in any name on the menu."""
        return word in self._words

    def writes(self, word: str) -> bool:
        """Return whether a word occurs in any name as it is."""
        return word in self._written

    def plural(self, phrase: str) -> bool:
        """Return whether `phrase` is the plural of an item's name."""
        keys = keys_of(phrase, self._language)
        letters = len(surface(phrase, self._language))
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

    def find_misspelt(self, key: str, language: Language | None = None) -> tuple[Candidate, ...]:
        """Return what `key` names if it was misheard or mistyped; `match` says how near it is."""
        if len(key) < _FUZZY_LETTERS or key.isdigit():
            return ()
        language = language or self._language.packs[0]
        nearest = self._nearest(key, language)
        if nearest is None:
            return ()
        name, ratio = nearest
        return tuple(
            replace(s, match=s.match * ratio * 0.95) for s in self.find(name, "", language)
        )

    def _find_nearest(self, key: str, language: Language) -> tuple[str, float] | None:
        best: tuple[str, float] | None = None
        sound = sound_of(key, language)
        # A whole word more or less is no slip, nor is another number; these have to be explained.
        lengths = range(len(key) - _MOST_LETTERS_OFF, len(key) + _MOST_LETTERS_OFF + 1)
        choices = (self._choices.get((language, sound[:1], length), ()) for length in lengths)
        near = [name for names in choices for name in names]
        for name, ratio, _ in process.extract(
            key, near, scorer=fuzz.ratio, score_cutoff=_SOUND_RATIO, limit=5
        ):
            alike = sound_of(name, language)
            close = ratio >= _FUZZY_RATIO or (sound == alike and len(sound) > 1)
            if close and _digits(key) == _digits(name) and (best is None or ratio / 100 > best[1]):
                best = (name, ratio / 100)
        return best

    def _put(self, part: _Part, match: float, doubt: Doubt | None = None) -> None:
        keys, target, language = part
        candidates = self._keys[language].setdefault("".join(keys), {})
        known, earlier = candidates.get(target, (0.0, None))
        if match > known or (match == known and _graver(doubt, earlier) is earlier):
            candidates[target] = (match, doubt)
        # One word more than the name has: a guest may write a compound apart.
        self.longest = max(self.longest, len(keys) + 1)


def _graver(one: Doubt | None, other: Doubt | None) -> Doubt | None:
    return max(one, other, key=_GRAVITY.index)


def _keys_of_all(language: Language, cue: Cue) -> set[str]:
    return {key_of(word, pack) for pack in language.packs for word in pack.cues[cue]}


def _digits(key: str) -> str:
    return "".join(filter(str.isdigit, key))
