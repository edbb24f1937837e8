"""The parts of a language pack: everything that order understanding knows about one language.

Code never names a word of any language; it asks the pack for cues. A second language is a second
TOML file like `en.toml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, auto


class Cue(IntEnum):
    """What a word or phrase does in an order, apart from naming something on the menu.

    The cues are integers because every parse looks them up in sets, and integers hash fast.
    """

    FILLER = auto()  # carries nothing: "please", "um"
    HESITATION = auto()  # may stand anywhere, even inside a name: "um"
    REQUEST = auto()  # asks for what follows: "want", "get"
    ADD = auto()  # asks for something on top of what there is: "add"
    AND = auto()
    OR = auto()
    BUT = auto()
    ALSO = auto()  # more is coming: "also"; what follows is an addition, not an answer
    WITH = auto()  # modifiers follow: "with", "topped with"
    ON = auto()  # attaches to something already ordered: "on the burger"
    TO = auto()
    FOR = auto()
    NO = auto()  # without: "no", "hold the"
    DENY = auto()  # a NO that may also answer, or take back what was said
    ACCEPTS = auto()  # after a name: it will do: "is fine"
    NOT = auto()  # rules out what follows, in favour of something else: "not", "I don't mean"
    MINUS = auto()  # before a number: so many fewer
    FEWER = auto()  # after a number: so many fewer: "one less"
    EXTRA = auto()
    ADDITIONAL = auto()  # before an item: "two more colas"
    NUMBERED = auto()  # a number that names, and counts nothing, follows: "number two"
    LIGHT = auto()
    ROUGHLY = auto()  # a LIGHT or EXTRA that may be a mere figure of speech: "plenty of"
    ASIDE = auto()  # after a modifier: "on the side"
    AS_SIDE = auto()  # after an item: "as a side"
    HALF = auto()
    ONLY = auto()  # nothing but: "only"
    ALONE = auto()  # a THE; nothing but what follows stays in the order: "just the"
    PLAIN = auto()  # as it is, without toppings
    EVERYTHING = auto()  # with all that usually comes with it
    A = auto()  # indefinite article: one of
    THE = auto()  # definite: may point at something already ordered
    MORE = auto()  # one more of: "another"
    SAME = auto()  # "the same again"
    NUMBER = auto()
    VAGUE = auto()  # a quantity nobody can count: "a few"
    MEASURE = auto()  # "order of", "cup of"
    PORTION = auto()  # a MEASURE of what is put onto an item: "pump of"
    UNIT = auto()  # the number before it measures and counts nothing: "sixteen ounce"
    SIZED = auto()  # "size", "sized" after the name of a size
    IT = auto()  # points at the last item: "it", "that"
    ONE = auto()  # stands for an item just talked about: "one", "ones"
    BOTH = auto()  # is about all the items just named: "all", "each"
    EACH = auto()  # a BOTH that gives everybody one: "a cola each"
    PAIR = auto()  # a BOTH that is about exactly two: "both", "either"
    EITHER = auto()  # a PAIR that may also mean one of the two: "either one"
    OWN = auto()  # says whose one of several is: "mine", "hers"
    ORDINAL = auto()  # says by its place which one is meant: "the first one"
    TIMES = auto()  # multiplies what was said: "times two"
    THAT_ONE = auto()  # the one talked about last: "on that one"
    RESTORE = auto()  # a KEEP that puts back what was left off
    OTHER = auto()  # points at the rest of them: "the other"
    MAKE = auto()
    CHANGE = auto()
    SUBSTITUTE = auto()  # the new before the old: "substitute … for"
    REMOVE = auto()
    OFF = auto()  # "take … off"
    KEEP = auto()  # what was taken out, or is named next, stays: "leave them in", "keep"
    TAKE = auto()
    INSTEAD_OF = auto()
    INSTEAD = auto()
    CORRECT = auto()  # what follows replaces what came before: "actually", "I mean"
    MEANT = auto()  # a CORRECT that can only take something back: "I meant"
    UNDO = auto()  # "scratch that"
    UNDO_ITEM = auto()  # an UNDO of an item: "cancel that one"
    GIVE_UP = auto()  # an UNDO of whatever was just ordered: "forget it"
    NEVER_MIND = auto()
    RESTART = auto()
    DONE = auto()
    YES = auto()
    QUESTION = auto()  # a question about the menu follows; it orders nothing
    ASKS = auto()  # begins a question, at the beginning of a sentence: "which"
    ASKS_BACK = auto()  # the same if anything is ordered yet; if not, a wish: "did i get"
    INTENDED = auto()  # what follows was wanted, but no longer if a "but" comes after it
    TALK = auto()  # talk with somebody else follows
    WAIT = auto()  # asks for time: "hold on"
    STAFF = auto()
    COMPLAINT = auto()  # something is wrong with the order
    ALLERGY = auto()  # the allergen stands before or after: "allergy", "allergic"
    ALLERGY_TO = auto()  # the allergen follows: "allergic to", "cannot eat"
    CONDITION = auto()  # implies the allergen: "celiac", "nut free"
    SOFT = auto()  # describes without choosing, where the menu has no such choice: "fresh"
    GENERIC = auto()  # may follow a name without adding to it: "americano coffee"
    SIZE_WORD = auto()  # the name of a size that this menu may not have
    COMMA = auto()
    STOP = auto()  # end of a sentence
    QUESTION_MARK = auto()


@dataclass(frozen=True, eq=False)
class Numbers:
    """How numbers are said.

    `words` maps a word to its value, `phrases` a phrase, and `sounds` a word to the number that it
    sounds like ("to": 2). `tens` may have a unit behind them, with `tens_link` between ("treinta y
    cinco"). `scales` multiply the number before them ("two thousand"); `scale_link` leads to what
    follows ("a hundred and one"). `ordinals` maps a phrase to a place, negative if it counts from
    the end.
    """

    words: Mapping[str, int]
    phrases: Mapping[str, int]
    sounds: Mapping[str, int]
    ordinals: Mapping[str, int]
    tens: frozenset[str]
    tens_link: str
    scales: Mapping[str, int]
    scale_link: str


@dataclass(frozen=True, eq=False)
class Morphology:
    """How singular and plural are formed.

    `plural_endings` are (ending, replacement) pairs that make a singular, tried in order on words
    of at least `stem_from` letters, except `unstemmed`. `plurals` are pairs the other way, for the
    noun of a name, which ends before one of `noun_ends`, and for its adjectives if `inflects_all`.
    `diminutives` are (ending, replacement) pairs that make the word itself: "taquito", "taco".
    If `head_first`, the first word of a name says what it is ("taco de pollo"), else the last.
    """

    stem_from: int
    plural_endings: tuple[tuple[str, str], ...]
    unstemmed: frozenset[str]
    plurals: tuple[tuple[str, str], ...]
    diminutives: tuple[tuple[str, str], ...]
    noun_ends: frozenset[str]
    inflects_all: bool
    head_first: bool


@dataclass(frozen=True, eq=False)
class Spelling:
    """How words are written.

    `abbreviations` have a full stop that ends no sentence. `contractions` maps a word to the words
    it stands for, and `junctures` what is heard to what may have been said before a name ("a nice"
    for "iced"), `commands` what is heard for a command there. `sound_rules` are (written, spoken)
    pairs of letters, applied in order.
    """

    abbreviations: frozenset[str]
    contractions: Mapping[str, str]
    junctures: Mapping[str, str]
    commands: Mapping[str, str]
    sound_rules: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class Names:
    """How guests call what is on a menu.

    `optional_words` may be left out of a name. A name without its `ordinary_words` ("plain") means
    the same; without its `contrast_words` ("diet"), it may mean something else. `synonyms` are
    groups of phrases that mean the same on any menu; in a group of `said_for`, only the first
    stands on a menu. `numbered_names` are ways to ask for an item by its number on the board.
    `glossary` maps everyday names of a menu in another language to what they are called in this.
    """

    optional_words: frozenset[str]
    ordinary_words: frozenset[str]
    contrast_words: frozenset[str]
    synonyms: tuple[tuple[str, ...], ...]
    said_for: tuple[tuple[str, ...], ...]
    numbered_names: tuple[str, ...]
    glossary: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class Allergies:
    """How guests speak of an allergy.

    `allergens` are left out for an allergy where the menu has no such modifier. `denials` deny an
    allergy that follows, with nothing but `denial_links` between ("I do not have any allergies").
    """

    allergens: frozenset[str]
    denials: frozenset[str]
    denial_links: frozenset[str]


@dataclass(frozen=True, eq=False)
class Phrases:
    """Phrases to look for in a text: `first` are their first words, `longest` counts words."""

    said: frozenset[str]
    first: frozenset[str]
    longest: int

    @classmethod
    def of(cls, phrases: Iterable[str]) -> Phrases:
        """Return `phrases`, ready to be looked for."""
        said = frozenset(phrases)
        words = [phrase.split() for phrase in said]
        return cls(said, frozenset(w[0] for w in words), max(map(len, words), default=0))


@dataclass(frozen=True, eq=False)
class Entities:
    """How guests speak of what is not food, with contractions written out.

    Numbers. After `tables`, `places` ("window") and `numbers` ("ticket") comes the number that
    names one, maybe with `numbered` ("number") between. `party_of` comes before a number of people;
    `people`, `units` ("minutes") and `money` after a number, maybe with `describing` between ("two
    hungry people"). `measures` come before a time or an age ("at six", "she is six"), and `hours`
    after a time. `lead_ins` may come before all of these: "it is for". `zeros` are noughts in a
    number that is read out.

    Names. One follows `introductions` ("my name is") or stands before `introduced_before` ("here").
    One follows `for_whom` ("for"), maybe with one of `relations` between ("my daughter"), or
    `presentations` ("this is") after `greetings`, if it is no other word. `titles` come before a
    name ("Mr"), `name_links` inside ("de la"), `wishes` after it ("wants"). Words that end like
    `verb_endings` are nobody's name, those of `given_names` are, whatever else they mean.
    `occasions` are what is no person: "for the office".
    """

    tables: Phrases
    places: Phrases
    numbers: Phrases
    numbered: Phrases
    party_of: Phrases
    people: Phrases
    describing: Phrases
    units: Phrases
    money: Phrases
    measures: Phrases
    hours: Phrases
    lead_ins: Phrases
    zeros: frozenset[str]
    introductions: Phrases
    introduced_before: Phrases
    for_whom: Phrases
    relations: Phrases
    presentations: Phrases
    greetings: Phrases
    titles: Phrases
    name_links: Phrases
    wishes: Phrases
    verb_endings: tuple[str, ...]
    given_names: frozenset[str]
    occasions: Phrases


@dataclass(frozen=True, eq=False)
class Repetition:
    """Words, with contractions written out, that say how an utterance goes with what was said.

    `repeats`: it says it again ("like i said"). `rejects`: something was wrong ("not what").
    `adds`: it asks for more ("for my daughter", "as well"). `same`: what was asked about is in the
    order already ("the same one").
    """

    repeats: frozenset[str]
    rejects: frozenset[str]
    adds: frozenset[str]
    same: frozenset[str]


@dataclass(frozen=True, eq=False)
class Remarks:
    """What guests say about the service and not about food, in patterns (mentions/remarks.py).

    `classes`: the words that a `<class>` in a pattern stands for. `patterns` and `exceptions`: what
    has the effect of a cue, and what does not although it looks like it ("not right now").
    """

    classes: Mapping[str, tuple[str, ...]]
    patterns: Mapping[Cue, tuple[str, ...]]
    exceptions: Mapping[Cue, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class Language:
    """Everything known about one language, with its ISO 639 `code`.

    `cues` maps a cue to its phrases. `texts` are the sentences said back to guests and staff, as
    format strings. Where guests mix languages, `mixed` has each of them, the first before others,
    and the rest is the first one's with what the others add.
    """

    code: str
    cues: Mapping[Cue, tuple[str, ...]]
    numbers: Numbers
    morphology: Morphology
    spelling: Spelling
    names: Names
    allergies: Allergies
    entities: Entities
    repetition: Repetition
    remarks: Remarks
    texts: Mapping[str, str]
    mixed: tuple[Language, ...] = ()

    @property
    def packs(self) -> tuple[Language, ...]:
        """Each of the languages that are mixed, or this one alone."""
        return self.mixed or (self,)
