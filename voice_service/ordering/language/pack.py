"""The shape of a language pack: everything order understanding knows about one language.

Code never names a word of any language; it asks the pack for cues. A second language is a second
TOML file like `en.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, auto


class Cue(IntEnum):
    """What a word or phrase does in an order, apart from naming something on the menu.

    Numbers, since sets of them are asked for all the time and those of an int hash faster.
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
    MINUS = auto()  # before a number: so many fewer
    FEWER = auto()  # after a number: so many fewer: "one less"
    EXTRA = auto()
    ADDITIONAL = auto()  # before an item: "two more colas"
    NUMBERED = auto()  # a number that names, and counts nothing, follows: "number two"
    LIGHT = auto()
    ROUGHLY = auto()  # a LIGHT or EXTRA that may be only a way of speaking: "plenty of"
    ASIDE = auto()  # after a modifier: "on the side"
    AS_SIDE = auto()  # after an item: "as a side"
    HALF = auto()
    ONLY = auto()  # nothing but: "only"
    ALONE = auto()  # a THE: nothing but what follows stays in the order: "just the"
    PLAIN = auto()  # as it is, without toppings
    EVERYTHING = auto()  # with all that usually comes with it
    A = auto()  # indefinite article: one of
    THE = auto()  # definite: may point at something already ordered
    MORE = auto()  # one more of: "another"
    SAME = auto()  # "the same again"
    NUMBER = auto()
    VAGUE = auto()  # a quantity nobody can count: "a few"
    MEASURE = auto()  # "order of", "cup of"
    UNIT = auto()  # the number before it measures and counts nothing: "sixteen ounce"
    SIZED = auto()  # "size", "sized" after the name of a size
    IT = auto()  # points at the last item: "it", "that"
    ONE = auto()  # stands for an item just talked about: "one", "ones"
    BOTH = auto()  # applies to all the items just named
    PAIR = auto()  # a BOTH that there have to be two for: "both", "either"
    EITHER = auto()  # a PAIR that may as well be one of the two: "either one"
    ORDINAL = auto()  # the place in the order of what is meant: "the first one"
    TIMES = auto()  # so many of what was said: "times two"
    THAT_ONE = auto()  # the one talked about last: "on that one"
    RESTORE = auto()  # a KEEP that puts back what was left off
    OTHER = auto()  # the rest of them: "the other"
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
    NEVER_MIND = auto()
    RESTART = auto()
    DONE = auto()
    YES = auto()
    QUESTION = auto()  # a question about the menu follows; it orders nothing
    ASKS = auto()  # at the beginning of a sentence a question: "which"
    ASKS_BACK = auto()  # there a question if anything was ordered, else a wish: "did i get"
    INTENDED = auto()  # what follows was wanted, and no longer if there is a "but" behind it
    TALK = auto()  # talk with somebody else follows
    WAIT = auto()  # asks for time: "hold on"
    STAFF = auto()
    ALLERGY = auto()  # what it is to may stand before or after: "allergy", "allergic"
    ALLERGY_TO = auto()  # what it is to follows: "allergic to", "cannot eat"
    CONDITION = auto()  # says itself what is not borne: "celiac", "nut free"
    SOFT = auto()  # describes without choosing, where the menu has no such choice: "fresh"
    GENERIC = auto()  # may follow a name without adding to it: "americano coffee"
    SIZE_WORD = auto()  # the name of a size that this menu may not have
    COMMA = auto()
    STOP = auto()  # end of a sentence
    QUESTION_MARK = auto()


@dataclass(frozen=True, eq=False)
class Language:
    """One language.

    `cues` maps a cue to its phrases; `contractions` a word to the words it stands for;
    `number_words` a word to its value, `number_phrases` a phrase to its value, `number_sounds` a
    word to the number that it sounds like; `tens_link` stands between tens and units ("treinta y
    cinco"), `hundred_link` behind hundreds ("a hundred and one"). `ordinals` maps a phrase to a
    place, which is negative where it counts from the end.
    `plural_endings` are (ending, replacement) tried in order on words at least `stem_from` letters
    long, except `unstemmed`. `plurals` are (ending, replacement) the other way, for the noun of a
    name, which ends before one of `noun_ends`, and for its adjectives if `inflects_all`.
    `abbreviations` end in a full stop that ends no sentence. `synonyms` are groups of phrases that
    mean the same on any menu, `said_for` those where only the first names all others; without one
    of `contrast_words` a name may mean something else; `optional_words` may be left out of a menu
    name when a guest says it. `glossary` maps everyday names of a menu in another language to what
    they are here; `numbered_names` are ways to ask for an item by its number on the board.
    `allergens` are asked to be left out as an allergy where the menu has no such thing; `denials`
    deny an allergy that follows, with nothing but `denial_links` between.
    `texts` are the sentences said back, as format strings.
    """

    code: str
    cues: Mapping[Cue, tuple[str, ...]]
    contractions: Mapping[str, str]
    number_words: Mapping[str, int]
    tens: frozenset[str]
    hundred: str
    hundred_link: str
    number_phrases: Mapping[str, int]
    number_sounds: Mapping[str, int]
    ordinals: Mapping[str, int]
    plural_endings: tuple[tuple[str, str], ...]
    stem_from: int
    plurals: tuple[tuple[str, str], ...]
    noun_ends: frozenset[str]
    inflects_all: bool
    unstemmed: frozenset[str]
    abbreviations: frozenset[str]
    synonyms: tuple[tuple[str, ...], ...]
    said_for: tuple[tuple[str, ...], ...]
    contrast_words: frozenset[str]
    ordinary_words: frozenset[str]
    optional_words: frozenset[str]
    glossary: Mapping[str, tuple[str, ...]]
    numbered_names: tuple[str, ...]
    allergens: frozenset[str]
    denials: frozenset[str]
    denial_links: frozenset[str]
    tens_link: str
    sound_rules: tuple[tuple[str, str], ...]
    texts: Mapping[str, str]
