"""Phrases that do something other than order an item: a table with a row for each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from voice_service.ordering.acts import Act, Aside, Done, Restart, not_understood
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.intents.contrast import rule_out
from voice_service.ordering.intents.counting import count_each, count_those
from voice_service.ordering.intents.exclusion import keep_despite, keep_only, keep_the_others
from voice_service.ordering.intents.instead import read_instead, read_instead_of
from voice_service.ordering.intents.lookahead import (
    count_more,
    denies_one,
    end_of_keep,
    leaves_off,
    may_accept,
    of_kind,
    subtracts,
    takes_off,
)
from voice_service.ordering.intents.modification import change, keep, make, substitute
from voice_service.ordering.intents.off_topic import aside
from voice_service.ordering.intents.parse_state import ParseState
from voice_service.ordering.intents.removal import remove
from voice_service.ordering.intents.repairs import (
    dismiss_last,
    is_stuttered_no,
    no_opens_repair,
    read_stuttered_no,
    repair,
    repairs_choice,
)
from voice_service.ordering.intents.repeat_or_undo import (
    one_less,
    one_more_of_those,
    repeat_more,
    repeat_same,
    takes_out_again,
    undo,
)
from voice_service.ordering.language.cue_sets import (
    ARTICLES,
    ENDS_SENTENCE,
    STARTS_COMMAND,
)
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.lookahead import just_before, names_something
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.offered import asked_about
from voice_service.ordering.references.pointers import read_pointer, text_of

_Guard = Callable[[list[Mention], int, ParseState], bool]
_Reader = Callable[[list[Mention], int, ParseState], int | None]
_ChangeOfLines = Callable[[Sequence[Mention], CompiledMenu, CartView], list[Act]]


@dataclass(frozen=True, slots=True)
class Command:
    """One kind of command.

    It begins with a mention that has one of `cues` (none: with any mention), if `guard` holds.
    `read` puts its acts into the state and returns where it ends, or None if it is something else.
    """

    cues: frozenset[Cue]
    read: _Reader
    guard: _Guard | None = None


def read_command(mentions: list[Mention], index: int, state: ParseState) -> int | None:
    """Read the command that begins at `index`; return where it ends, or None if there is none."""
    mention = mentions[index]
    if mention.apart is not None:
        return None
    cues = mention.span.cues if mention.role in _CUE_ROLES else _NO_CUES
    for command in _COMMANDS:
        if command.cues and command.cues.isdisjoint(cues):
            continue
        if command.guard is not None and not command.guard(mentions, index, state):
            continue
        end = command.read(mentions, index, state)
        if end is not None:
            return end
    return None


def _opens_sentence(mentions: list[Mention], index: int, _: ParseState) -> bool:
    return index == 0 or mentions[index - 1].cue(*ENDS_SENTENCE)


def _asks(mentions: list[Mention], index: int, _: ParseState) -> bool:
    """Tell "why not?" from "why not two colas"."""
    following = mentions[index + 1 : index + 2]
    named = any(p.candidates or p.role is MentionType.NUMBER or p.cue(Cue.A) for p in following)
    return not (named and mentions[index].cue(Cue.REQUEST))


def _asks_back(mentions: list[Mention], index: int, state: ParseState) -> bool:
    """Tell a question about the order from a wish: "did I get a coke"."""
    return bool(state.cart.items) and _opens_sentence(mentions, index, state)


def _given_up(mentions: list[Mention], index: int, _: ParseState) -> bool:
    """True of "I was going to get a shake but": it is no longer wanted.

    "I usually get a latte with cream but no cream today" still orders it.
    """
    after = list(dropwhile(lambda mention: not mention.cue(Cue.BUT), mentions[index:]))
    named = [mention for mention in after if mention.candidates]
    items = any(mention.role is MentionType.ITEM for mention in named)
    return bool(after) and (items or not named)


def _is_no_recipient(mentions: list[Mention], index: int, _: ParseState) -> bool:
    """Tell talk from who wants what follows: "my dad wants a coke", "for my mom"."""
    if any(p.cue(Cue.FOR) for p in just_before(mentions, index)):
        return False
    following = mentions[index + 1 : index + 2]
    named = " " not in mentions[index].span.text
    return not (named and bool(following) and following[0].cue(Cue.REQUEST))


def _is_no_noun(mentions: list[Mention], index: int, _: ParseState) -> bool:
    """Tell "strike the fries" from "a strike"."""
    return index == 0 or not mentions[index - 1].cue(Cue.A)


def _names_nothing(mentions: list[Mention], index: int, _: ParseState) -> bool:
    """Tell "that's it" from "that's it with no fries"."""
    return not names_something(mentions, index + 1, Cue.NO)


def _wish_follows(mentions: list[Mention], index: int, state: ParseState) -> bool:
    """Tell "I would rather have a lemonade" from "a lemonade instead"."""
    if any(p.role is MentionType.ITEM for p in state.pending):
        return False
    ahead = next((p for p in mentions[index + 1 :] if not p.cue(Cue.REQUEST, *ARTICLES)), None)
    return ahead is not None and ahead.role is MentionType.ITEM


def _is_no_repair(mentions: list[Mention], index: int, state: ParseState) -> bool:
    """Tell "make it a large" from a repair: "with fries, make that tots"."""
    return not mentions[index].cue(Cue.CORRECT) and not repairs_choice(mentions, index, state)


def _read_talk(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Read talk with somebody else."""
    end = aside(mentions, index, state)
    state.asked_about = ()
    return end


def _read_question(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Read a question, and remember the items that it is about."""
    end = aside(mentions, index, state)
    state.asked_about = asked_about(mentions[index:end])
    return end


def _read_intended(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Read what is no longer wanted, up to its "but"."""
    state.flush()
    but = next(i for i in range(index, len(mentions)) if mentions[i].cue(Cue.BUT))
    state.acts.append(Aside(ReasonCode.QUESTION, text_of(mentions[index:but])))
    return but + 1


def _read_wait(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Read a "hold on" said to somebody else."""
    state.flush()
    state.acts.append(Aside(ReasonCode.SIDE_TALK, mentions[index].span.text))
    return index + 1


def _read_unclear(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Read "no whole milk is fine", of which nobody knows whether it is wanted."""
    state.flush()
    end = next(i for i in range(index, len(mentions)) if mentions[i].cue(Cue.ACCEPTS)) + 1
    state.push([not_understood(text_of(mentions[index:end]))])
    return end


def _read_restart(_: list[Mention], index: int, state: ParseState) -> int:
    state.flush()
    state.push([Restart()])
    return index + 1


def _read_done(_: list[Mention], index: int, state: ParseState) -> int:
    state.flush()
    state.push([Done()])
    return index + 1


def _read_keep(mentions: list[Mention], index: int, state: ParseState) -> int | None:
    """Read "leave them in" or "keep the fries"."""
    end = end_of_keep(mentions, index)
    if end is not None:
        state.flush()
        state.push(keep(mentions[index:end], state.menu, state.cart))
    return end


def _read_never_mind(mentions: list[Mention], index: int, state: ParseState) -> int:
    dismiss_last(mentions, index, state)
    return index + 1


def _read_more(mentions: list[Mention], index: int, state: ParseState) -> int | None:
    """Read "two more" of what was ordered last."""
    found = count_more(mentions, index)
    named = any(p.role is MentionType.ITEM for p in state.pending)
    if mentions[index].cue(Cue.MORE) and of_kind(mentions, index + 1) and not named:
        found = 1, index + 1
    if found is None or not state.has_items:
        return None
    count, end = found
    return repeat_more(mentions, index, count, end, state)


def _read_removal(mentions: list[Mention], index: int, state: ParseState) -> int:
    if takes_out_again(mentions, index, state):
        return _end(mentions, index + 1)
    return _change_lines(mentions, index + 1, state, remove)


def _read_substitution(mentions: list[Mention], index: int, state: ParseState) -> int:
    return _change_lines(mentions, index + 1, state, substitute)


def _read_change(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Read "change the fries to rings and the coke to a lemonade": each that is named changes."""
    end = index
    while True:
        start = end + 1
        end = max(_end(mentions, start), start)
        further = next(
            (i for i in range(start, end) if _changes_further(mentions, i, end, state)), end
        )
        state.flush()
        state.push(change(mentions[start:further], state.menu, state.cart))
        if further == end:
            return end
        end = further


def _read_make(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Read "make the coke small and the fries large": each that is named changes."""
    end = _change_lines(mentions, index, state, make, Cue.AND, Cue.BUT)
    while end + 2 < len(mentions) and mentions[end].cue(Cue.AND):
        head, named = mentions[end + 1 : end + 3]
        if read_pointer(mentions, end + 1) is not None:
            end = _change_lines(mentions, end, state, make, Cue.BUT)
            continue
        ordered = head.cue(Cue.THE) and named.role is MentionType.ITEM and state.ordered(named)
        if not ordered:
            break
        end = _change_lines(mentions, end + 1, state, make, Cue.AND, Cue.BUT)
    return end


def _change_lines(
    mentions: list[Mention], start: int, state: ParseState, command: _ChangeOfLines, *until: Cue
) -> int:
    """Carry out a command on the words from `start` to its end, which `until` marks too."""
    state.flush()
    end = max(_end(mentions, start + (command is make), *until), start)
    state.push(command(mentions[start:end], state.menu, state.cart))
    return end


def _changes_further(mentions: Sequence[Mention], index: int, end: int, state: ParseState) -> bool:
    """Return whether "and the coke to" follows: something ordered, and what takes its place."""
    named = mentions[index + 1 : index + 3]
    definite = len(named) > 1 and named[0].cue(Cue.THE) and named[1].role is MentionType.ITEM
    follows = any(
        p.cue(Cue.TO, Cue.FOR, Cue.WITH) for p in mentions[index + 3 : min(end, index + 5)]
    )
    return mentions[index].cue(Cue.AND) and definite and follows and state.ordered(named[1])


def _end(mentions: Sequence[Mention], start: int, *until: Cue) -> int:
    """Return where a command ends whose words begin at `start`."""
    for index in range(start, len(mentions)):
        mention = mentions[index]
        if mention.cue(*ENDS_SENTENCE, *STARTS_COMMAND, Cue.ADD, Cue.QUESTION, *until):
            return index
        if index > start and mention.cue(Cue.REQUEST) and " " in mention.span.text:
            return index
        if index > start and mention.cue(Cue.INSTEAD_OF) and leaves_off(mentions, index):
            return index
    return len(mentions)


def _ahead(holds: Callable[[Sequence[Mention], int], bool]) -> _Guard:
    """Return a guard that looks at the words alone."""
    return lambda mentions, index, _: holds(mentions, index)


def _when(*cues: Cue, read: _Reader, guard: _Guard | None = None) -> Command:
    return Command(frozenset(cues), read, guard)


_CUE_ROLES = (MentionType.CUE, MentionType.NUMBER)
_NO_CUES: frozenset[Cue] = frozenset()
_COMMANDS = (
    # Beside the order: talk and questions.
    _when(Cue.TALK, guard=_is_no_recipient, read=_read_talk),
    _when(Cue.INTENDED, guard=_given_up, read=_read_intended),
    _when(Cue.QUESTION, guard=_asks, read=_read_question),
    _when(Cue.ASKS, guard=_opens_sentence, read=_read_question),
    _when(Cue.ASKS_BACK, guard=_asks_back, read=_read_question),
    _when(Cue.WAIT, read=_read_wait),
    # About the order as a whole, or about what was done last.
    _when(read=keep_only),
    _when(read=count_those),
    _when(read=count_each),
    _when(Cue.OTHER, read=keep_the_others),
    _when(Cue.NO, Cue.NOT, read=keep_despite),
    _when(Cue.UNDO, read=undo),
    _when(read=one_less),
    _when(Cue.MORE, read=one_more_of_those),
    _when(Cue.RESTART, read=_read_restart),
    _when(Cue.DONE, guard=_names_nothing, read=_read_done),
    _when(Cue.KEEP, read=_read_keep),
    _when(Cue.NEVER_MIND, read=_read_never_mind),
    _when(Cue.SAME, read=repeat_same),
    _when(read=_read_more),
    # About lines of the order.
    _when(Cue.NOT, read=rule_out),
    _when(Cue.INSTEAD_OF, read=read_instead_of),
    _when(Cue.INSTEAD, guard=_wish_follows, read=repair),
    _when(Cue.INSTEAD, read=read_instead),
    _when(Cue.REMOVE, Cue.UNDO, guard=_is_no_noun, read=_read_removal),
    _when(Cue.TAKE, guard=_ahead(takes_off), read=_read_removal),
    _when(Cue.MINUS, guard=_ahead(subtracts), read=_read_removal),
    _when(Cue.NO, guard=_ahead(denies_one), read=_read_removal),
    _when(Cue.SUBSTITUTE, read=_read_substitution),
    _when(Cue.CHANGE, read=_read_change),
    _when(Cue.MAKE, guard=_is_no_repair, read=_read_make),
    _when(Cue.DENY, guard=_ahead(may_accept), read=_read_unclear),
    # Repairs; a MAKE that comes this far is one.
    _when(Cue.CORRECT, guard=is_stuttered_no, read=read_stuttered_no),
    _when(Cue.CORRECT, Cue.MAKE, read=repair),
    _when(Cue.NO, guard=no_opens_repair, read=repair),
)
"""The first row that reads a command wins, so their order is part of the grammar."""
