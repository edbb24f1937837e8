"""Sets of cues that several stages ask for, each under one name."""

from __future__ import annotations

from voice_service.ordering.language.pack import Cue

ENDS_SENTENCE = (Cue.STOP, Cue.QUESTION_MARK)
PUNCTUATION = (Cue.COMMA, *ENDS_SENTENCE)
PAUSES = (Cue.COMMA, Cue.STOP)
"""The marks that a recogniser also writes where a guest only pauses."""

LISTS = (Cue.AND, Cue.COMMA)
"""Between the members of a list: "cheese, ham and bacon"."""
SEPARATES = (*LISTS, Cue.OR)
"""Between the members of a list, or of a choice."""
JOINS = (Cue.AND, Cue.WITH)
GOES_ON = (Cue.ADD, Cue.ALSO, Cue.AND)
"""Begin one more wish: "and", "also", "add"."""

ARTICLES = (Cue.A, Cue.THE)
ONE_MORE = (Cue.A, Cue.MORE)
"""Count one without a number: "a cola", "another cola"."""
COUNTS_ANOTHER = (*ONE_MORE, Cue.MEASURE, Cue.ONE, Cue.OTHER)
"""Stand before another one of a kind: "and one of the other", "another"."""
DETERMINERS = (*ARTICLES, Cue.MORE, Cue.MEASURE, Cue.NUMBER)
"""Stand before an item, and count it or point at it: "two", "the", "an order of"."""
COUNTABLE = (Cue.MEASURE, Cue.UNIT, Cue.SIZE_WORD)
"""Stand between a number and what it counts: "orders of", "ounce", "large"."""

ATTACHES = (Cue.ON, Cue.FOR, Cue.TO)
"""Lead to the item that something is for: "ketchup on the fries"."""
WITH_OR_WITHOUT = (Cue.WITH, Cue.NO)
CHANGES_TOPPINGS = (*WITH_OR_WITHOUT, Cue.ADD)
"""Modifiers follow: "with", "add", "no"."""
AMOUNTS = (Cue.EXTRA, Cue.LIGHT)
DIFFERS = (*WITH_OR_WITHOUT, Cue.PLAIN, Cue.ONLY)
"""Begin a difference from the item before: "one more without onions"."""
DESCRIBES = (*WITH_OR_WITHOUT, *AMOUNTS, Cue.PLAIN)
"""Say how an item is wanted, after its name or a word that points at it."""

STARTS_COMMAND = (
    Cue.REMOVE,
    Cue.CHANGE,
    Cue.MAKE,
    Cue.UNDO,
    Cue.RESTART,
    Cue.DONE,
    Cue.CORRECT,
)
"""Begin a command about what is ordered already."""
ENDS_CLAUSE = (
    *PUNCTUATION,
    *GOES_ON,
    Cue.BUT,
    Cue.NO,
    Cue.REQUEST,
    Cue.INSTEAD,
)
"""After these, nothing more is said about what comes before."""
IDLE = frozenset(
    {
        Cue.FILLER,
        Cue.ACCEPTS,
        Cue.SOFT,
        Cue.SIZED,
        Cue.YES,
        Cue.GENERIC,
        Cue.IT,
        Cue.ONE,
        Cue.OWN,
        Cue.AS_SIDE,
    }
)
"""Fill a sentence: a word that does no more than these carries nothing."""
