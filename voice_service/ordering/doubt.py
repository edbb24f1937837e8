"""How sure a reading is: a row for each way of speaking that leaves room for doubt."""

from __future__ import annotations

from enum import Enum, unique


@unique
class Doubt(Enum):
    """How likely a guest who speaks this way means what is read.

    Each row has its `certainty` (0 to 1), an `example`, and in `measured` what the number rests
    on; rows without it were set by hand, by reading what guests meant. Where several apply to one
    item or modifier, they are multiplied, unless the code that finds them takes the first.
    """

    # Names that are shortened.
    PART_OF_NAME = 0.9, "“vanilla latte”, of an iced vanilla latte"
    HEADLESS_NAME = 0.85, "“brown”, of the modifier brown rice"
    PART_OF_OTHERS = 0.75, "“egg”, of egg whites, where other names have the word as well"
    BARELY_NAMED = 0.5, "“cheese”, of a cheese pizza; “cola”, of a diet cola"
    ORDINARY_ONE = 0.85, "“cream cheese”, of plain, chive and honey cream cheese: the plain one"
    SAME_NAME = 0.85, "“hot sauce”, where the menu calls several modifiers so"
    PART_LEFT_OFF = 0.8, "“no egg”, where the menu has egg whites only"

    SHARED_HEAD = 0.75, "“a vanilla and chocolate shake” are two, or one of both"

    # Words that sound like others.
    SOUNDS_LIKE_NAME = 0.85, "“no eyes” is no ice; “a nice tea”, where only iced tea is on the menu"
    SOUNDS_LIKE_BOTH = 0.75, "“a nice coffee”, where iced coffee is on the menu as well"

    # Words that name an item and a modifier.
    SIZED_NAME = 0.85, "“a large pepperoni” is a pizza"
    LISTED_BEFORE_ITEM = 0.9, "“bacon and cheddar omelette” is one dish"
    WITH_ARTICLE = 0.86, "“a roll with an egg” has the egg on it"
    LISTED_WITH_ARTICLE = 0.75, "“a roll with cheese and an egg”: the egg is an item"
    AFTER_AND = 0.6, "“french toast and bacon”: the bacon is on the toast"
    DISH_OR_PARTS = 0.8, "“with rice and beans”, where rice and beans is a dish as well"
    NAME_AMID_MODIFIERS = 0.6, "“with peppers”, of an item called stuffed peppers"

    # Modifiers.
    ROUGH_AMOUNT = 0.8, "“plenty of cheese” asks for extra cheese"
    NEGATION_CARRIED = 0.75, "“onions, no mayo and pickles” leaves the pickles off too"
    COMPLETES_NAME = 0.75, "“base” in “almond milk base” is a choice of its own"
    HALF_OF_IT = 0.6, "“a half boiled egg” is half an egg"
    CONTRADICTION = 0.5, "“but onions” asks for onions"
    MIXED_ON_SOME = 0.75, "“bacon and no onions on one”: both are on the one"
    AFTER_POINTER = 0.6, "“no onions on one, bacon”: the bacon is on the same one"
    ASIDE_OF_LAST = 0.75, "“butter and honey on the side”: the honey alone is on the side"
    ASIDE_BEFORE_ITEM = 0.75, "“salsa on the side with chips”: the salsa comes with the chips"
    ON_EARLIER_ITEM = 0.75, "“a burger and fries with bacon”, where only the burger takes bacon"
    ALL_OF_GROUP = 0.8, "“all the toppings” asks for each one on the menu"
    OTHER_KIND_CORRECTED = 0.6, "“with bacon, sorry, hot sauce” takes the bacon back"

    # How many there are.
    HOW_MANY_IN_ALL = 0.7, "“two with cheese and one with onions” are two, or three"
    LISTED_REMAINDER = 0.7, "“three colas, one diet” are four"
    HEADING_COUNT = 0.6, "“two sides, slaw”, where one or three are named"
    NAMED_AGAIN = 0.6, "“the pizza” is one more, when a pizza is ordered already"
    ANSWERED_AGAIN = 0.6, "“the cheeseburger” is one more, after a burger was ordered"
    BOTH_WANTED = 0.75, "“a taco, actually a churro” orders both"

    CHOSEN_OF_OFFERED = 0.9, "“the veggie one”, in answer to which pizza is meant"

    # Items that are not named.
    ONLY_ONE_FITS = 0.85, "“a large with ham”, where one item comes in that size and takes ham"
    SIZE_BEFORE_KIND = 0.6, "“a large with vanilla and a latte”: the first is an item of its own"
    SIZE_BEFORE_NAME = 0.6, "“a large and cola”: whose size it is"
    LIKE_THE_LAST = 0.75, "“another with bacon”, after one without onions, has onions"
    YES_TO_QUESTION = 0.6, "“yes”, after the guest asked what a dish is, orders it"

    # Whole utterances.
    ALL_EXPLAINED = (
        0.985,
        "“a cheeseburger and a cola”",
        "share of items that were right, over noisy utterances for the restaurants of the tests"
        " and the evaluation sets; benchmarks/order_confidence.py prints the table",
    )
    SOME_UNEXPLAINED = (
        0.83,
        "“a cheeseburger and a flurble”",
        "the same, over the utterances in which some words were not explained",
    )

    def __init__(self, certainty: float, example: str, measured: str = "") -> None:
        self.certainty = certainty
        self.example = example
        self.measured = measured
