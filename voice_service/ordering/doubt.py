"""What may speak against a reading: a row for each way of speaking that leaves room for doubt."""

from __future__ import annotations

from enum import Enum, unique


@unique
class Doubt(Enum):
    """A reason why what is read may not be what is meant; its value is an example.

    How much each weighs is fitted (`likelihood`).
    """

    # Names that are shortened.
    PART_OF_NAME = "“vanilla latte”, of an iced vanilla latte"
    HEADLESS_NAME = "“brown”, of the modifier brown rice"
    PART_OF_OTHERS = "“egg”, of egg whites, where other names have the word as well"
    BARELY_NAMED = "“cheese”, of a cheese pizza; “cola”, of a diet cola"
    ORDINARY_ONE = "“cream cheese”, of plain, chive and honey cream cheese: the plain one"
    SAME_NAME = "“hot sauce”, where the menu calls several modifiers so"
    PART_LEFT_OFF = "“no egg”, where the menu has egg whites only"

    # Words that sound like others.
    SOUNDS_LIKE_NAME = "“no eyes” is no ice; “a nice tea”, where only iced tea is on the menu"
    SOUNDS_LIKE_BOTH = "“a nice coffee”, where iced coffee is on the menu as well"

    # Words that name an item and a modifier.
    SIZED_NAME = "“a large pepperoni” is a pizza"
    LISTED_WITH_ARTICLE = "“a roll with cheese and an egg”: the egg is an item"
    AFTER_AND = "“french toast and bacon”: the bacon is on the toast"
    NAME_AMID_MODIFIERS = "“with peppers”, of an item called stuffed peppers"

    # Modifiers.
    ROUGH_AMOUNT = "“plenty of cheese” asks for extra cheese"
    NEGATION_CARRIED = "“onions, no mayo and pickles” leaves the pickles off too"
    COMPLETES_NAME = "“base” in “almond milk base” is a choice of its own"
    EITHER_WAY = "“with or without ice” is without ice"
    MIXED_ON_SOME = "“bacon and no onions on one”: both are on the one"
    ALL_OF_GROUP = "“all the toppings” asks for each one on the menu"

    # How many there are.
    HOW_MANY_IN_ALL = "“two with cheese and one with onions” are two, or three"
    NAMED_AGAIN = "“the pizza” is one more, when a pizza is ordered already"
    ANSWERED_AGAIN = "“the cheeseburger” is one more, after a burger was ordered"

    # Items that are not named.
    ONLY_ONE_FITS = "“a large with ham”, where one item comes in that size and takes ham"
    SIZE_BEFORE_NAME = "“a large and cola”: whose size it is"
    LIKE_THE_LAST = "“another with bacon”, after one without onions, has onions"
    YES_TO_QUESTION = "“yes”, after the guest asked what a dish is, orders it"

    # Whole utterances.
    SOME_UNEXPLAINED = "“a cheeseburger and a flurble”"


Doubts = tuple[Doubt, ...]

SHORTENED = (
    Doubt.PART_OF_NAME,
    Doubt.HEADLESS_NAME,
    Doubt.PART_OF_OTHERS,
    Doubt.BARELY_NAMED,
)
"""How little may be said of a name, the worst last."""
