"""From an utterance to acts: what orders, what changes, what asks, and what is none of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from voice_service.ordering.acts import (
    Act,
    Add,
    Aside,
    Done,
    Problem,
    Remove,
    Replace,
    Restart,
    Target,
)
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.intents.exclusion import left_alone
from voice_service.ordering.intents.incomplete import incomplete_tail, itemless_statement
from voice_service.ordering.intents.lookahead import (
    denies_one,
    item_ahead,
    leaves_off,
    more_of_it,
    no_longer,
    one_more_after,
    stays,
    taken_off,
)
from voice_service.ordering.intents.modification import change, keep, make, substitute
from voice_service.ordering.intents.off_topic import (
    aside,
    is_talk,
    left_hanging,
    only_usual,
    unused,
    yes_or_no,
)
from voice_service.ordering.intents.parse_state import ParseState
from voice_service.ordering.intents.removal import remove
from voice_service.ordering.intents.repairs import (
    correct,
    ends_in_no,
    makes_another,
    no_as_correction,
    taken_back,
)
from voice_service.ordering.intents.repeat_or_undo import fewer, more, one_of_those, same, undone
from voice_service.ordering.language.cue_sets import ENDS_SENTENCE, GOES_ON, STARTS_COMMAND
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.allergies import extract_allergies
from voice_service.ordering.mentions.homophones import counted
from voice_service.ordering.mentions.lookahead import just_before, names_something
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.mentions.segmentation import Segmenter, Span
from voice_service.ordering.mentions.tagging import roles
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.answers import fill_choice
from voice_service.ordering.references.descriptions import fold_descriptions
from voice_service.ordering.references.offered import asked_about
from voice_service.ordering.references.pointers import ends, read_pointer


@dataclass(frozen=True)
class Parsed:
    """What an utterance asks for.

    `spans` account for each of its words but hesitations, in order; `mentions` are those that are
    more than filler, in their roles.
    `carry` are words at the end that wait for what follows ("and a large …"); no act has them.
    `continues`: it begins as an addition ("and", "also"). `about`: items that were asked about and
    not ordered since. `denies`: it begins with a "no" or the like.
    """

    acts: tuple[Act, ...]
    mentions: tuple[Mention, ...]
    carry: tuple[Mention, ...] = ()
    continues: bool = False
    spans: tuple[Span, ...] = ()
    about: tuple[Candidate, ...] = ()
    denies: bool = False

    @property
    def by_sound(self) -> Set[int]:
        """The words that are read as others which sound the same, by their index."""
        return {w for span in self.spans if span.by_sound for w in span.words}

    @property
    def nearness(self) -> Mapping[int, float]:
        """How near the words that had to be put right are to what was heard, by their index."""
        return {w: span.nearness for span in self.spans if span.nearness < 1 for w in span.words}


class Parser:
    """Parses utterances against one menu. Pure; one parser serves any number of conversations."""

    def __init__(self, menu: CompiledMenu) -> None:
        self._menu = menu
        self._segmenter = Segmenter(menu.lexicon, menu.language)

    def parse(self, text: str, cart: CartView, *, final: bool = False) -> Parsed:
        """The acts of `text`. Never raises. `final`: nothing follows, so nothing is carried."""
        everything = counted(self._segmenter.segment(text), self._menu, cart.items)
        allergies = extract_allergies(text, everything, self._menu.language)
        spans = [s for s in allergies.rest if not s.filler]
        mentions = roles(spans, self._menu, cart.items[-1] if cart.items else None)
        mentions = fill_choice(mentions, cart.offered, self._menu)
        mentions = fold_descriptions(
            mentions, cart.lines, self._menu, answers=cart.unsized is not None
        )
        carry = () if final else incomplete_tail(mentions, cart)
        unfinished = (
            () if final else tuple(Mention(s, MentionType.CUE) for s in allergies.unfinished)
        )
        state = ParseState(self._menu, cart, offered=cart.about)
        body = mentions[: len(mentions) - len(carry)]
        index = 0
        while index < len(body):
            index = _step(body, index, state)
        state.flush()
        if final and not state.acts:
            state.acts += left_hanging(body)
        if not state.acts and not carry:
            state.acts += unused(body) or only_usual(body, cart, self._menu)
        if not carry and not final and all(isinstance(a, Problem) for a in state.acts):
            carry = itemless_statement(mentions, cart, self._menu)
        state.acts[:0] = [] if final else yes_or_no(mentions)
        first = next((p for p in mentions if not p.idle), None)
        continues = first is not None and first.cue(*GOES_ON)
        words = sum(len(s.text.split()) for s in allergies.rest)
        acts = state.acts
        if not state.accepts_offer and is_talk(acts, body, words, answering=bool(cart.choices)):
            # Talk waits for nothing, and all of it is talk, but for a call for a person.
            calls = [
                a for a in acts if isinstance(a, Aside) and a.code == ReasonCode.STAFF_REQUESTED
            ]
            acts, carry = (
                [*calls, Aside(ReasonCode.OFF_TOPIC, " ".join(p.span.text for p in mentions))],
                (),
            )
        acts = [*allergies.asides, *acts]
        waiting = (*carry, *unfinished)
        said = tuple(mentions), waiting, continues, tuple(everything), state.offered
        return Parsed(tuple(acts), *said, denies=_denies(first, mentions))


def _denies(first: Mention | None, mentions: Sequence[Mention]) -> bool:
    """Whether it begins with a "no" that stands alone, or takes back what was said."""
    if first is None:
        return False
    alone = len(mentions) == 1 or any(p.cue(Cue.COMMA) for p in mentions[1:2])
    return first.cue(Cue.CORRECT) or (first.cue(Cue.DENY) and alone)


def _step(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Takes the part at `index`, and what belongs to it; returns where to go on."""
    for kind in _KINDS:
        end = kind(mentions, index, state)
        if end is not None:
            return end
    state.pending.append(mentions[index])
    return index + 1


def _beside_the_order(mentions: list[Mention], index: int, state: ParseState) -> int | None:
    """Calls for a person, questions, talk."""
    mention = mentions[index]
    opens = index == 0 or mentions[index - 1].cue(*ENDS_SENTENCE)
    talks = mention.cue(Cue.TALK) and not _wishes_for(mentions, index)
    asking = (Cue.ASKS, Cue.ASKS_BACK) if state.cart.items else (Cue.ASKS,)
    given_up = mention.cue(Cue.INTENDED) and any(p.cue(Cue.BUT) for p in mentions[index:])
    if talks or given_up or mention.cue(Cue.QUESTION) or (mention.cue(*asking) and opens):
        end = aside(mentions, index, state)
        state.offered = () if talks else asked_about(mentions[index:end])
        return end
    if mention.cue(Cue.STAFF, Cue.WAIT):
        state.flush()
        code = ReasonCode.STAFF_REQUESTED if mention.cue(Cue.STAFF) else ReasonCode.SIDE_TALK
        state.acts.append(Aside(code, mention.span.text))
        return index + 1
    return None


def _wishes_for(mentions: Sequence[Mention], index: int) -> bool:
    """Whether it only names who wants what follows: "my dad wants a coke", "for my mom a coke"."""
    if any(p.cue(Cue.FOR) for p in just_before(mentions, index)):
        return True
    following = mentions[index + 1 : index + 2]
    named = " " not in mentions[index].span.text
    return named and bool(following) and following[0].cue(Cue.REQUEST)


def _about_the_order(mentions: list[Mention], index: int, state: ParseState) -> int | None:
    """Starting over, taking back, letting go, being done, the same again."""
    mention = mentions[index]
    act: Act
    if mention.cue(Cue.RESTART):
        act = Restart()
    elif mention.cue(Cue.DONE) and not names_something(mentions, index + 1, Cue.NO):
        act = Done()
    elif mention.cue(Cue.KEEP) and (kept := stays(mentions, index)) is not None:
        state.flush()
        state.push(keep(mentions[index:kept], state.menu, state.cart))
        return kept
    elif mention.cue(Cue.NEVER_MIND):
        taken_back(mentions, index, state)
        return index + 1
    elif mention.cue(Cue.SAME):
        return same(mentions, index, state)
    elif (count := more_of_it(mentions, index)) is not None and state.has_items:
        return more(mentions, index, *count, state)
    else:
        return None
    state.flush()
    state.push([act])
    return index + 1


def _about_lines(  # noqa: PLR0911 - one for each way to change a line
    mentions: list[Mention], index: int, state: ParseState
) -> int | None:
    """Changes to what is already ordered."""
    mention = mentions[index]
    if mention.cue(Cue.INSTEAD_OF):
        return _instead_of(mentions, index, state)
    if mention.cue(Cue.INSTEAD) and _leads_a_wish(mentions, index, state):
        return correct(mentions, index, state)  # "I would rather have a lemonade"
    if mention.cue(Cue.INSTEAD):
        _replace_last(state)
        return index + 1
    noun = index > 0 and mentions[index - 1].cue(Cue.A)  # "a strike"
    removes = (
        (mention.cue(Cue.REMOVE) and not noun)
        or taken_off(mentions, index)
        or no_longer(mentions, index)
        or denies_one(mentions, index)
    )
    if removes:
        return _command(mentions, index + 1, state, remove)
    if mention.cue(Cue.SUBSTITUTE):
        return _command(mentions, index + 1, state, substitute)
    if mention.cue(Cue.CHANGE):
        return _change(mentions, index, state)
    corrects = mention.cue(Cue.CORRECT) or makes_another(mentions, index, state)
    if mention.cue(Cue.MAKE) and not corrects:
        return _make(mentions, index, state)
    if corrects and ends_in_no(mentions, index, state):
        state.pending.append(
            Mention(replace(mention.span, cues=frozenset({Cue.NO})), MentionType.CUE)
        )
        return index + 1
    if corrects or no_as_correction(mentions, index, state):
        return correct(mentions, index, state)
    return None


_Command = Callable[[Sequence[Mention], CompiledMenu, CartView], list[Act]]


def _command(
    mentions: list[Mention], start: int, state: ParseState, command: _Command, *until: Cue
) -> int:
    state.flush()
    end = max(_end(mentions, start + (command is make), *until), start)
    state.push(command(mentions[start:end], state.menu, state.cart))
    return end


def _make(mentions: list[Mention], index: int, state: ParseState) -> int:
    """ "make the coke small and the fries large": each that is named is changed."""
    end = _command(mentions, index, state, make, Cue.AND, Cue.BUT)
    while end + 2 < len(mentions) and mentions[end].cue(Cue.AND):
        head, named = mentions[end + 1 : end + 3]
        if read_pointer(mentions, end + 1) is not None and not _sizes_only(mentions, end + 2):
            end = _command(mentions, end, state, make, Cue.BUT)
            continue
        known = head.cue(Cue.THE) and named.role is MentionType.ITEM and state.ordered(named)
        if not known and not (head.role is MentionType.NUMBER and _sizes_only(mentions, end + 2)):
            break
        end = _command(mentions, end + 1, state, make, Cue.AND, Cue.BUT)
    return end


def _change(mentions: list[Mention], index: int, state: ParseState) -> int:
    """ "change the fries to rings and the coke to a lemonade": each that is named is changed."""
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


def _changes_further(mentions: Sequence[Mention], index: int, end: int, state: ParseState) -> bool:
    """Whether "and the coke to" follows: something ordered, and what takes its place."""
    named = mentions[index + 1 : index + 3]
    known = len(named) > 1 and named[0].cue(Cue.THE) and named[1].role is MentionType.ITEM
    follows = any(
        p.cue(Cue.TO, Cue.FOR, Cue.WITH) for p in mentions[index + 3 : min(end, index + 5)]
    )
    return mentions[index].cue(Cue.AND) and known and follows and state.ordered(named[1])


def _sizes_only(mentions: Sequence[Mention], index: int) -> bool:
    """Whether it is a size and nothing more, as the last in "make one small and two large"."""
    return mentions[index].role is MentionType.SIZE and ends(mentions, index + 1)


def _end(mentions: Sequence[Mention], start: int, *also: Cue) -> int:
    """Index where a command that takes its words from `start` ends."""
    for index in range(start, len(mentions)):
        mention = mentions[index]
        if mention.cue(*ENDS_SENTENCE, *STARTS_COMMAND, Cue.ADD, Cue.QUESTION, *also):
            return index
        if index > start and mention.cue(Cue.REQUEST) and " " in mention.span.text:
            return index
        if index > start and mention.cue(Cue.INSTEAD_OF) and leaves_off(mentions, index):
            return index
        if index > start and one_more_after(mentions, index):
            return index
    return len(mentions)


def _instead_of(mentions: list[Mention], index: int, state: ParseState) -> int:
    end = index + 1
    while end < len(mentions) and mentions[end].cue(Cue.THE, Cue.A, Cue.MEASURE, Cue.FILLER):
        end += 1
    if end < len(mentions) and mentions[end].role is MentionType.SIZE:
        end += 1
    if end < len(mentions) and mentions[end].role is MentionType.ITEM:
        said = any(p.role is MentionType.ITEM for p in state.pending)
        if said and item_ahead(mentions, index, end):
            state.flush()
            said = False
        state.instead = mentions[end].items
        if said:
            state.flush()
        return end + 1
    if end < len(mentions) and mentions[end].role is MentionType.MODIFIER:
        without = Mention(replace(mentions[index].span, cues=frozenset({Cue.NO})), MentionType.CUE)
        but = Mention(replace(mentions[index].span, cues=frozenset({Cue.BUT})), MentionType.CUE)
        state.pending += [without, mentions[end], but]
        return end + 1
    return index + 1


def _leads_a_wish(mentions: Sequence[Mention], index: int, state: ParseState) -> bool:
    """Whether what is to be there instead is named behind the word."""
    if any(p.role is MentionType.ITEM for p in state.pending):
        return False
    ahead = next((p for p in mentions[index + 1 :] if not p.cue(Cue.REQUEST, Cue.A, Cue.THE)), None)
    return ahead is not None and ahead.role is MentionType.ITEM


def _replace_last(state: ParseState) -> None:
    """ "a sprite instead": the item just named takes the place of the one before it."""
    before = state.cart.items
    acts = state.flush()
    goes = acts[-1] if len(acts) > 1 else None
    if isinstance(goes, Remove) and isinstance(acts[0], Add):
        # "No fries, onion rings instead": what goes was named.
        state.acts[-1] = replace(goes, inherit=True)
        return
    last = state.acts[-1] if state.acts else None
    if not acts or last is not acts[-1] or not isinstance(last, Add) or not before:
        return
    request = last.request
    if request.counting.combos is not None and state.menu.combos_with(request.item, before):
        return  # "one with a sprite instead": so many of the combos have it
    category = state.menu.items[request.item].category
    alike = [i for i in before if state.menu.items[i].category == category]
    state.acts[-1] = Replace(Target(((alike or list(before))[-1],)), request)


_KINDS = (
    _beside_the_order,
    left_alone,
    undone,
    fewer,
    one_of_those,
    _about_the_order,
    _about_lines,
)
"""What a part may begin, besides words that order; the first that takes it does."""
