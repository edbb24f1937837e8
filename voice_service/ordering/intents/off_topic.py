"""Words that order nothing: talk, questions, what is said to staff, and what came to nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from voice_service.ordering.acts import (
    Act,
    Add,
    Agree,
    Aside,
    Deny,
    Modify,
    Problem,
    not_understood,
)
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.intents.parse_state import ParseState
from voice_service.ordering.language.cue_sets import (
    DESCRIBES,
    ENDS_SENTENCE,
    LISTS,
    ONE_MORE,
    PUNCTUATION,
    STARTS_COMMAND,
)
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.lookahead import names_something
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.match import FULL
from voice_service.ordering.reasons import ReasonCode

_TALK_WORDS = 4  # from here on, unknown words without a wish are talk; fewer may name an item
_TALK_UNKNOWN = 3  # from here on, unknown words are more than the name of an item we do not have,
_MOSTLY = 2  # if there are so many times as many as words of the menu
_LOST = 3  # words of a sentence for each word of the menu that is about nothing ordered
_TALK_WORDS_WITH_REQUEST = 7  # "I need a taco please" is no talk, "we have to be at home by" is


def is_talk(
    acts: Sequence[Act], mentions: Sequence[Mention], words: int, *, answering: bool
) -> bool:
    """Return whether an utterance of so many `words` has nothing to do with the order.

    `answering`: the guest was asked which item is meant, so that less of a name is enough.
    """
    if any(p.such is not None for p in mentions):
        return False
    if answering or _looks_like_an_order(mentions, words):
        return _wishes_nothing(acts, mentions, words)
    return (
        (words >= _TALK_WORDS and _only_guesses(acts, mentions))
        or _mostly_something_else(mentions)
        or _lost_among(acts, mentions, words)
        or _wishes_nothing(acts, mentions, words)
    )


def _looks_like_an_order(mentions: Sequence[Mention], words: int) -> bool:
    """Return whether things are listed as in an order, however few of them are known.

    Words near the menu's that belong together ("chiken sandwhich with mayonaise"), or nothing but
    things that are counted ("two crunchwraps and a baja blast").
    """
    named = _words(p for p in mentions if p.candidates)
    unknown = _words(p for p in mentions if p.role is MentionType.UNKNOWN)
    items = any(p.role is MentionType.ITEM for p in mentions)
    belongs = any(
        _opens_with_count(mentions[:index])
        if thing.role is MentionType.ITEM
        else (thing.role is MentionType.MODIFIER and mentions[index - 1].cue(*DESCRIBES))
        for index, thing in enumerate(mentions)
        if index
    )
    if items and named >= unknown and (2 * named >= words or belongs):
        return True
    return words <= _words(mentions) + 1 and _lists_things(mentions)


def _opens_with_count(before: Sequence[Mention]) -> bool:
    """Return whether a count begins a wish: "a", but not in "on a diet"."""
    count = before[-1].role is MentionType.NUMBER or before[-1].cue(*ONE_MORE, Cue.MEASURE)
    return count and not any(p.cue(Cue.ON, Cue.TO) for p in before[-2:-1])


def _lists_things(mentions: Sequence[Mention]) -> bool:
    """Return whether there are only counts, names, unknown words and what joins them."""
    counts = [p.role is MentionType.NUMBER or p.cue(*ONE_MORE, Cue.MEASURE) for p in mentions]
    joined = all(
        counts[i] or p.candidates or p.cue(*LISTS, *DESCRIBES) or p.role is MentionType.UNKNOWN
        for i, p in enumerate(mentions)
    )
    runs = "".join(
        "1" if counts[i] else "?" if p.role is MentionType.UNKNOWN else " "
        for i, p in enumerate(mentions)
    )
    return joined and runs.startswith("1") and "?" * _TALK_UNKNOWN not in runs


def _only_guesses(acts: Sequence[Act], mentions: Sequence[Mention]) -> bool:
    """Return whether items are named only by half or misspelt, and nothing asks for them.

    "My doctor told me" is no Dr Pepper.
    """
    if not any(isinstance(a, Add) for a in acts):
        return False
    for mention in mentions:
        sure = (
            bool(mention.candidates)
            and mention.candidates[0].match >= FULL
            and mention.span.nearness == 1.0
        )
        asks = mention.cue(*STARTS_COMMAND, Cue.ADD) or (
            mention.cue(Cue.REQUEST) and " " in mention.span.text and mention.span.nearness == 1.0
        )
        if sure or asks:
            return False
    return True


def _mostly_something_else(mentions: Sequence[Mention]) -> bool:
    """Return whether a few words of the menu stand among many that nothing explains.

    "He met Americans in the harbour who had lost their boat" orders nothing, not even in part.
    """
    unknown = _words(p for p in mentions if p.role is MentionType.UNKNOWN)
    named = _words(p for p in mentions if p.candidates)
    asks = any(p.cue(Cue.REQUEST) and " " in p.span.text for p in mentions)
    counted = any(
        thing.role is MentionType.ITEM
        and thing.candidates[0].match >= FULL
        and thing.span.nearness == 1.0
        and (before.role is MentionType.NUMBER or before.cue(Cue.A, Cue.MORE, Cue.MEASURE))
        for before, thing in pairwise(mentions)
    )
    return not asks and not counted and unknown >= _TALK_UNKNOWN and unknown >= _MOSTLY * named


def _lost_among(acts: Sequence[Act], mentions: Sequence[Mention], words: int) -> bool:
    """Return whether a long sentence without a wish has a topping or two and no item."""
    named = _words(p for p in mentions if p.candidates)
    if not named or words < max(_TALK_WORDS_WITH_REQUEST, _LOST * named):
        return False
    wished = any(
        p.role in (MentionType.ITEM, MentionType.CATEGORY)
        or (p.cue(Cue.REQUEST) and " " in p.span.text)
        for p in mentions
    )
    unmet = all(isinstance(act, Problem) for act in acts)
    return unmet and not wished and not _counts_unknown(mentions)


def _counts_unknown(mentions: Sequence[Mention]) -> bool:
    """True of "a taco" where there are none: to count something is a wish, whatever it is."""
    return any(
        thing.role is MentionType.UNKNOWN
        and (before.role is MentionType.NUMBER or before.cue(*ONE_MORE))
        for before, thing in pairwise(mentions)
    )


def _words(mentions: Iterable[Mention]) -> int:
    return sum(len(mention.span.words) for mention in mentions)


def _wishes_nothing(acts: Sequence[Act], mentions: Sequence[Mention], words: int) -> bool:
    """Return whether nothing is named and nothing wished for, in enough words."""
    requests = [p for p in mentions if p.cue(Cue.REQUEST)]
    wishes = any(
        p.role in (MentionType.ITEM, MentionType.MODIFIER, MentionType.SIZE, MentionType.CATEGORY)
        or p.cue(*STARTS_COMMAND)
        for p in mentions
    ) or any(" " in p.span.text for p in requests)
    again = any(more.cue(Cue.MORE) and which.cue(Cue.ORDINAL) for more, which in pairwise(mentions))
    wishes = wishes or again or _counts_unknown(mentions)
    unknown = any(isinstance(a, Problem) for a in acts)
    only_unknown = all(isinstance(a, Problem | Modify) for a in acts)
    if wishes or not unknown or not only_unknown:
        return False
    return words >= (_TALK_WORDS_WITH_REQUEST if requests else _TALK_WORDS)


def yes_or_no(mentions: Sequence[Mention]) -> list[Act]:
    """Read a yes at the beginning, or a no with nothing else."""
    words = [p for p in mentions if not p.cue(*PUNCTUATION)]
    if words and words[0].cue(Cue.YES):
        return [Agree()]
    no = bool(words) and words[0].cue(Cue.DENY) and all(p.cue(Cue.NO) or p.idle for p in words)
    if no and not _rejects(words):
        return [Deny()]
    return []


def broken_off(mentions: Sequence[Mention]) -> list[Act]:
    """Return the reason for words that still waited for more when the guest left: "without"."""
    if not any(p.cue(Cue.NO, Cue.A, Cue.WITH, Cue.ADD, Cue.EXTRA, Cue.LIGHT) for p in mentions):
        return []
    return [not_understood(" ".join(p.span.text for p in mentions))]


def _rejects(mentions: Sequence[Mention]) -> bool:
    """Return whether something that is not named is wrong: "not that one"."""
    return any(p.cue(Cue.NOT) for p in mentions) and any(p.cue(Cue.IT) for p in mentions)


def unplaced(mentions: Sequence[Mention]) -> list[Act]:
    """Return the reason for words that came to nothing: "everything on the menu"."""
    text = " ".join(p.span.text for p in mentions)
    points = (Cue.EVERYTHING, Cue.ORDINAL)
    if _rejects(mentions) or any(p.cue(*points) or p.such is not None for p in mentions):
        return [not_understood(text)]
    steering = (Cue.ASIDE, Cue.HALF, Cue.BOTH, Cue.OTHER, Cue.ONLY, Cue.PLAIN, Cue.EXTRA, Cue.LIGHT)
    content = any(
        p.role in (MentionType.CATEGORY, MentionType.GROUP) or p.cue(*steering) for p in mentions
    )
    return [Aside(ReasonCode.OFF_TOPIC, text)] if content else []


def only_ordinary_size(
    mentions: Sequence[Mention], cart: CartView, menu: CompiledMenu
) -> list[Act]:
    """Return the reason for "a regular" alone, where the menu has no such size."""
    usual = [
        p for p in mentions if p.cue(Cue.SOFT) and p.span.text in menu.language.names.ordinary_words
    ]
    if not usual or not cart.items or cart.unsized is not None:
        return []
    return [not_understood(usual[0].span.text)]


def aside(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Read a question or talk, up to the end of the sentence or where an order begins."""
    state.flush()
    talk = mentions[index].cue(Cue.TALK)
    end = index + 1
    named = False
    while end < len(mentions):
        mention = mentions[end]
        if mention.cue(*ENDS_SENTENCE):
            break
        if mention.cue(Cue.REQUEST) and " " in mention.span.text and (named or talk):
            break
        if mention.cue(Cue.YES) and named and names_something(mentions, end + 1, Cue.A):
            break  # "do you have fried rice? Yeah, fried rice"
        if talk and mention.cue(Cue.COMMA):
            break
        named = named or mention.role in (
            MentionType.ITEM,
            MentionType.MODIFIER,
            MentionType.CATEGORY,
            MentionType.SIZE,
        )
        end += 1
    text = " ".join(p.span.text for p in mentions[index:end])
    state.acts.append(Aside(ReasonCode.SIDE_TALK if talk else ReasonCode.QUESTION, text))
    return end


def extract_service(spans: Sequence[Span]) -> tuple[list[Act], list[Span]]:
    """Return what is said to staff, and the spans without it; a stop takes its place.

    A complaint that says what is right is a correction: "that's wrong, I wanted a cola".
    """
    acts: list[Act] = []
    rest: list[Span] = []
    for index, span in enumerate(spans):
        puts_right = any(s.candidates for s in spans[index + 1 :])
        if span.has(Cue.STAFF):
            acts.append(Aside(ReasonCode.STAFF_REQUESTED, span.text))
        elif span.has(Cue.COMPLAINT) and puts_right:
            rest.append(replace(span, cues=frozenset({Cue.CORRECT})))
            continue
        elif span.has(Cue.COMPLAINT):
            acts.append(Problem(ReasonCode.COMPLAINT, span.text))
        else:
            rest.append(span)
            continue
        rest.append(replace(span, text=".", cues=frozenset({Cue.STOP})))
    return acts, rest
